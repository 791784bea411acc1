import { isJsonObject, parseJsonObject } from './json.ts';

/** The most bytes of a claims request, so that it fits into a header once it is encoded. */
export const MAX_CLAIMS_BYTES = 4_096;

/**
 * True for a claims request that may go into a challenge: a JSON object with members, not larger than a header takes.
 *
 * @see https://openid.net/specs/openid-connect-core-1_0.html#ClaimsParameter
 */
export function isClaimsRequest(text: string): boolean {
  return Buffer.byteLength(text) <= MAX_CLAIMS_BYTES && Object.keys(parseJsonObject(text) ?? {}).length > 0;
}

/** True for the one form that can only be a claims request for an access token. */
export function isAccessTokenClaims(text: string): boolean {
  const request = Buffer.byteLength(text) <= MAX_CLAIMS_BYTES ? parseJsonObject(text) : undefined;
  return request !== undefined && Object.keys(request).length === 1 && isJsonObject(request['access_token']);
}

/**
 * Writes the claims request for an authentication context such as `c1`, in the form that Microsoft documents.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/developer-guide-conditional-access-authentication-context
 */
export function contextClaims(authContext: string): string {
  return JSON.stringify({ access_token: { acrs: { essential: true, value: authContext } } });
}
