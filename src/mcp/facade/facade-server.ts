/** An MCP server as its authorization façade knows it. */
export interface FacadeServer {
  /** Its path, on which clients call it; without a slash at the end. */
  readonly path: string;
  /**
   * Its address, which is the resource that clients name and the issuer of the façade.
   *
   * @see https://www.rfc-editor.org/rfc/rfc8707#section-2
   */
  readonly resource: string;
  /** The scopes that a client needs to connect. */
  readonly connectScopes: readonly string[];
  /** All scopes that are needed for any of its tools, those to connect among them. */
  readonly scopes: readonly string[];
}
