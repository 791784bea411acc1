import type { GatewayError } from '../failures.ts';

/**
 * The members that a client of Entra reads in a refusal.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5.2
 */
export interface OAuthError {
  readonly error: 'access_denied' | 'invalid_request' | 'server_error' | 'temporarily_unavailable';
  readonly error_description: string;
}

/**
 * Translates a failure into an OAuth error, because MSAL reads nothing else: it counts a refused renewal without an
 * `error` as a success with an empty access token.
 */
export function toOAuthError(failure: GatewayError): OAuthError {
  return { error: toErrorCode(failure.rule.status), error_description: failure.message };
}

function toErrorCode(status: number): OAuthError['error'] {
  if (status === 503 || status === 429) {
    return 'temporarily_unavailable';
  }
  if (status >= 500) {
    return 'server_error';
  }
  return status === 403 ? 'access_denied' : 'invalid_request';
}
