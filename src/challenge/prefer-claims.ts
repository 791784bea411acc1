import { GatewayError } from '../failures.ts';

/**
 * What the caller hears when Entra refuses an exchange that a downstream's claims asked for: Entra's own claims or its
 * other verdict where it gives one, otherwise the downstream's claims.
 *
 * @param claims the claims request of the downstream, as JSON text
 */
export function preferClaims(refusal: unknown, claims: string): unknown {
  const saysNothingElse =
    refusal instanceof GatewayError &&
    (refusal.failure === 'interaction_required' || refusal.failure === 'invalid_token');
  return saysNothingElse ? new GatewayError('insufficient_claims', { ...refusal.facts, claims }) : refusal;
}
