import { FAILURES, type GatewayError } from '../failures.ts';

/** What a client of Entra looks for in a refusal (RFC 6749 §5.2). */
export interface OAuthError {
  readonly error: 'access_denied' | 'invalid_request' | 'server_error' | 'temporarily_unavailable';
  readonly error_description: string;
}

/**
 * Translates a failure into an OAuth error (RFC 6749 §5.2). MSAL reads nothing else: a renewal that is refused without `error`
 * counts as one that succeeded, with an empty access token.
 */
export function toOAuthError(failure: GatewayError): OAuthError {
  return { error: findWord(FAILURES[failure.failure].status), error_description: failure.message };
}

function findWord(status: number): OAuthError['error'] {
  if (status === 503 || status === 429) {
    return 'temporarily_unavailable';
  }
  if (status >= 500) {
    return 'server_error';
  }
  return status === 403 ? 'access_denied' : 'invalid_request';
}
