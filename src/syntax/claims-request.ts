import { isJsonObject, parseJsonObject } from './json.ts';

/** What a claims request may have at most, so that it fits into a header, encoded. */
export const MAX_CLAIMS_BYTES = 4_096;

/**
 * True for a claims request that may go into a challenge: a JSON object with members, not larger than a header takes.
 *
 * @see https://openid.net/specs/openid-connect-core-1_0.html#ClaimsParameter
 */
export function isClaimsRequest(text: string): boolean {
  return Buffer.byteLength(text) <= MAX_CLAIMS_BYTES && Object.keys(parseJsonObject(text) ?? {}).length > 0;
}

/** True for the one shape that cannot be anything but a claims request for an access token. */
export function isAccessTokenClaims(text: string): boolean {
  const request = Buffer.byteLength(text) <= MAX_CLAIMS_BYTES ? parseJsonObject(text) : undefined;
  return request !== undefined && Object.keys(request).length === 1 && isJsonObject(request['access_token']);
}

/** The claims request for an authentication context such as `c1`, in the form that Microsoft documents. */
export function contextClaims(authContext: string): string {
  return JSON.stringify({ access_token: { acrs: { essential: true, value: authContext } } });
}
