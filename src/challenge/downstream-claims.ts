import { parseChallenges } from './parse-challenges.ts';

const BASE64 = /^[\w+/-]+={0,2}$/;
const LARGEST_CLAIMS = 4_096;

/**
 * Finds the claims request in the challenges of a downstream, whatever their `error`: Graph says
 * `insufficient_claims`, Azure Resource Manager says `invalid_token`. Nothing else of a foreign challenge is ever
 * used, and claims only in the one shape that cannot be anything but a claims request for an access token.
 *
 * @param headers the values of `WWW-Authenticate`, one for each line
 * @returns the decoded claims request, `undefined` when there is none that may be relayed
 */
export function findDownstreamClaims(headers: readonly string[]): string | undefined {
  const encoded = headers
    .flatMap(parseChallenges)
    .map(({ parameters }) => parameters.get('claims'))
    .find((claims) => claims !== undefined);
  const claims = encoded === undefined ? undefined : decode(encoded);
  return claims !== undefined && isClaimsRequest(claims) ? claims : undefined;
}

/** Standard or url-safe alphabet, with or without padding. */
function decode(encoded: string): string | undefined {
  if (!BASE64.test(encoded)) {
    return undefined;
  }
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.length > LARGEST_CLAIMS) {
    return undefined;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function isClaimsRequest(claims: string): boolean {
  try {
    const request: unknown = JSON.parse(claims);
    return isObject(request) && Object.keys(request).length === 1 && isObject(request['access_token']);
  } catch {
    return false;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
