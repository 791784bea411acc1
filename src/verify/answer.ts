/** What a gateway answered. */
export interface Answer {
  /** The method of the request: an answer to HEAD has no body. */
  readonly method: string;
  /** The whole path of the request, encoded. */
  readonly path: string;
  readonly status: number;
  /** Every value of each header, by lower-case name. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** The body where it is JSON or text; `undefined` where there is another one, which is then not read. */
  readonly text: string | undefined;
}
