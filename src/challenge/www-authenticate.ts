/** The parameters that are the same in every challenge of a gateway. */
export interface ChallengeFrame {
  /** Where users sign in. */
  readonly authorizationUri: string;
  /** The gateway's own client id. */
  readonly clientId: string;
  /**
   * The address of the metadata of this API; absent where it has none.
   *
   * @see https://www.rfc-editor.org/rfc/rfc9728#section-5.1
   */
  readonly resourceMetadata?: string | undefined;
}

/** The parameters that differ from challenge to challenge. */
export interface ChallengeFacts {
  /**
   * `null` for a request without a token, whose challenge has no `error`.
   *
   * @see https://www.rfc-editor.org/rfc/rfc6750#section-3.1
   */
  readonly error: string | null;
  readonly scopes?: readonly string[] | undefined;
  /** True when the claims ask for an authentication context. */
  readonly authContext?: boolean | undefined;
  /** The claims request, as JSON text. */
  readonly claims?: string | undefined;
  /** The address of the metadata of the resource that was called, where it is not that of the frame. */
  readonly resourceMetadata?: string | undefined;
}

/**
 * Writes the value of the `WWW-Authenticate` header, of which an answer has one. Every known client library can read
 * its shape: `", "` between parameters, no character in a value at which a simple parser would split, and the claims
 * last, in standard base64 with padding. The values come from the configuration, the contract and our own tables, which
 * do not allow these characters.
 *
 * @example The header that asks for the authentication context c1, broken here into lines
 * WWW-Authenticate: Bearer realm="",
 *   authorization_uri="https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
 *   client_id="6e74172b-be56-4843-9ff4-e66a39bb12e3", error="insufficient_claims", cc_type="authcontext",
 *   resource_metadata="https://api.contoso.com/.well-known/oauth-protected-resource",
 *   claims="eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJlc3NlbnRpYWwiOnRydWUsInZhbHVlIjoiYzEifX19"
 *
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-3
 * @see https://learn.microsoft.com/entra/identity-platform/claims-challenge
 */
export function formatChallenge(frame: ChallengeFrame, facts: ChallengeFacts): string {
  const { error, scopes = [], authContext, claims, resourceMetadata = frame.resourceMetadata } = facts;
  const parameters: [string, string][] = [
    ['realm', ''],
    ['authorization_uri', frame.authorizationUri],
    ['client_id', frame.clientId],
  ];
  if (error !== null) {
    parameters.push(['error', error]);
  }
  if (scopes.length > 0) {
    parameters.push(['scope', scopes.join(' ')]);
  }
  if (authContext === true) {
    parameters.push(['cc_type', 'authcontext']);
  }
  if (resourceMetadata !== undefined) {
    parameters.push(['resource_metadata', resourceMetadata]);
  }
  if (claims !== undefined) {
    parameters.push(['claims', Buffer.from(claims, 'utf8').toString('base64')]);
  }
  return `Bearer ${parameters.map(([name, value]) => `${name}="${value}"`).join(', ')}`;
}
