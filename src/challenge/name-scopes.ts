import { GatewayError, type Failure } from '../failures.ts';
import type { Access } from '../session/requirement.ts';

/** The refusals after which a client gets itself a new token. */
const ABOUT_THE_TOKEN: ReadonlySet<Failure> = new Set(['missing_token', 'invalid_token']);

/**
 * Names in a 401 the scopes that the operation asks of a user, in the first way there is (RFC 6750 §3), so that a client
 * asks Entra for those and no more. The failure itself is left alone: all who waited for one exchange share it.
 */
export function nameScopes(error: unknown, access: Access): unknown {
  if (!(error instanceof GatewayError) || !ABOUT_THE_TOKEN.has(error.failure) || access === 'anonymous') {
    return error;
  }
  const scopes = access.find((requirement) => requirement.caller === 'user')?.scopes ?? [];
  return scopes.length === 0 ? error : new GatewayError(error.failure, { ...error.facts, scopes });
}
