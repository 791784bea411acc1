import { isAccessTokenClaims } from './claims-request.ts';

/** What a scope begins with that stands for a claims request. It is no scope of any API. */
export const CLAIMS_SCOPE = 'urn:obo:claims:';

const BASE64URL = /^[\w-]+$/;

/**
 * Writes a claims request as a scope, for clients that ask for whatever scope a challenge names and know nothing of
 * claims.
 *
 * @param claims JSON text
 */
export function toClaimsScope(claims: string): string {
  return `${CLAIMS_SCOPE}${Buffer.from(claims, 'utf8').toString('base64url')}`;
}

/**
 * Reads the claims request of such a scope, which anybody can have written.
 *
 * @returns JSON text in the one form that can only be a claims request for an access token; `undefined` for any other
 */
export function readClaimsScope(scope: string): string | undefined {
  const encoded = scope.slice(CLAIMS_SCOPE.length);
  if (!BASE64URL.test(encoded)) {
    return undefined;
  }
  try {
    const claims = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(encoded, 'base64url'));
    return isAccessTokenClaims(claims) ? claims : undefined;
  } catch {
    return undefined;
  }
}
