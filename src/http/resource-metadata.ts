/** The facts behind the RFC 9728 metadata. */
export interface ResourceMetadataFacts {
  /** How clients reach the API, or one of its MCP servers. */
  readonly resource: string;
  /** The issuer that Entra's own metadata name, so that clients find those. */
  readonly issuer: string;
  readonly name: string;
  readonly scopes: readonly string[];
}

/**
 * Writes the protected resource metadata of the API as JSON text (RFC 9728 §2).
 *
 * @see https://www.rfc-editor.org/rfc/rfc9728#section-2
 */
export function createResourceMetadata({ resource, issuer, name, scopes }: ResourceMetadataFacts): string {
  return JSON.stringify({
    resource,
    resource_name: name,
    authorization_servers: [issuer],
    scopes_supported: scopes,
    bearer_methods_supported: ['header'],
  });
}
