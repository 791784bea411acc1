import { GatewayError } from '../failures.ts';
import type { Principal } from '../session/principal.ts';
import { contextClaims } from '../syntax/claims-request.ts';
import type { ChallengedOperation } from './replace-hopeless-challenge.ts';

/**
 * Makes of a missing scope the challenge for the authentication context that the call needs as well, where one scope of the
 * answer can stand for that: the answer names the missing scopes, too, so that the user signs in once for both. Clients of
 * MCP servers try a call again only once.
 *
 * @returns the error to answer with; any other failure as it is
 */
export function announceContext(
  error: unknown,
  principal: Principal | undefined,
  { mcp, authContext }: ChallengedOperation,
): unknown {
  if (mcp?.hasFacade !== true || authContext === undefined) {
    return error;
  }
  if (!(error instanceof GatewayError) || error.code !== 'insufficient_scope') {
    return error;
  }
  if (principal?.kind !== 'user' || principal.handlesClaims || principal.authContexts.has(authContext)) {
    return error;
  }
  return new GatewayError('insufficient_claims', { claims: contextClaims(authContext), authContext: true });
}
