import { GatewayError } from '../failures.ts';

/**
 * A failure as an application gets it: the refusal of a caller, or of a call to a downstream. `answerErrors` and
 * `toProblem` make the answer of it; where neither is asked, it has what Express needs to answer with its status and its
 * challenge.
 */
export class OboError extends GatewayError {
  override readonly name = 'OboError';
  /** Of the answer. */
  readonly status: number;
  /** Of the answer, by their names in lower case; the challenge is `www-authenticate`. */
  readonly headers: Readonly<Record<string, string>>;
  /** The claims request as JSON text, where the user has to step up. */
  readonly claims: string | undefined;
  /** The scopes or roles that are missing. */
  readonly scopes: readonly string[] | undefined;

  /**
   * @param headers of the answer, without those that describe its body
   * @internal
   */
  constructor({ failure, facts }: GatewayError, headers: Readonly<Record<string, string>>) {
    super(failure, facts);
    this.status = this.rule.status;
    this.headers = headers;
    this.claims = facts.claims;
    this.scopes = facts.scopes;
    // What only the log may say is no part of a copy of the error either.
    for (const name of ['facts', 'rule', 'failure'] as const) {
      Object.defineProperty(this, name, { enumerable: false });
    }
  }

  /** What a caller may see of it: an application may well send its errors as JSON. */
  toJSON(): object {
    const { name, code, status, message, claims, scopes } = this;
    return { name, code, status, message, claims, scopes };
  }
}
