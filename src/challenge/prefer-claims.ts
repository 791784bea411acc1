import { GatewayError } from '../failures.ts';

/**
 * Chooses the failure when Entra refuses an exchange that a downstream's claims made necessary. A refusal that only
 * says "sign in again" becomes a challenge with the downstream's claims, which say what the sign-in must provide. Every
 * other refusal stays: it has claims of its own, or another cause.
 *
 * @param claims the claims request of the downstream, as JSON text
 */
export function preferClaims(refusal: unknown, claims: string): unknown {
  const saysNothingElse =
    refusal instanceof GatewayError && (refusal.code === 'interaction_required' || refusal.code === 'invalid_token');
  return saysNothingElse ? new GatewayError('insufficient_claims', { ...refusal.facts, claims }) : refusal;
}
