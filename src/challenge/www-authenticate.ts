/** The part of a challenge that is the same in every one. */
export interface ChallengeFrame {
  readonly authorizationUri: string;
  readonly clientId: string;
  /** Where the RFC 9728 metadata is. */
  readonly resourceMetadata: string;
}

/** What one challenge says. */
export interface ChallengeFacts {
  readonly error: string | null;
  readonly scopes?: readonly string[] | undefined;
  readonly authContext?: boolean | undefined;
  /** A claims request as JSON text. */
  readonly claims?: string | undefined;
}

/**
 * Writes the one `WWW-Authenticate` value of an answer, in the shape that every known client library can read: `", "`
 * between parameters, nothing in a value that a naive parser splits on, claims last and in standard base64 with
 * padding. The values come from the configuration, the contract and our own tables, which keep those characters out.
 *
 * @example the value for the authentication context c1, here on several lines
 * Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
 *   client_id="6e74172b-be56-4843-9ff4-e66a39bb12e3", error="insufficient_claims", cc_type="authcontext",
 *   resource_metadata="https://api.contoso.com/.well-known/oauth-protected-resource",
 *   claims="eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJlc3NlbnRpYWwiOnRydWUsInZhbHVlIjoiYzEifX19"
 *
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-3
 * @see https://learn.microsoft.com/entra/identity-platform/claims-challenge
 */
export function formatChallenge(frame: ChallengeFrame, facts: ChallengeFacts): string {
  const { error, scopes = [], authContext, claims } = facts;
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
  parameters.push(['resource_metadata', frame.resourceMetadata]);
  if (claims !== undefined) {
    parameters.push(['claims', Buffer.from(claims, 'utf8').toString('base64')]);
  }
  return `Bearer ${parameters.map(([name, value]) => `${name}="${value}"`).join(', ')}`;
}
