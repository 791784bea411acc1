import { GatewayError, type FailureCode } from '../failures.ts';
import { scopesForUsers, type Access } from '../session/requirement.ts';

/** The failures after which a client gets a new token. */
const ABOUT_THE_TOKEN: ReadonlySet<FailureCode> = new Set(['missing_token', 'invalid_token']);

/**
 * Names in a 401 about the token the scopes of the operation's first requirement for users (RFC 6750 §3), so that a
 * client asks Entra for these and no more. It makes a new error, because every request that waited for one exchange
 * shares the old one.
 *
 * @returns the error to answer with; any other failure as it is
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-3
 */
export function nameScopes(error: unknown, access: Access): unknown {
  if (!(error instanceof GatewayError) || !ABOUT_THE_TOKEN.has(error.code) || access === 'anonymous') {
    return error;
  }
  const scopes = scopesForUsers(access);
  return scopes.length === 0 ? error : error.with({ scopes });
}
