import { parseChallenges } from './parse-challenges.ts';

const BASE64 = /^[\w+/-]+={0,2}$/;
const LARGEST_CLAIMS = 4_096;

/** What the 401 of a downstream asks for. */
export type DownstreamDemand =
  /** Nothing of the user: it simply does not take our token. */
  | { readonly kind: 'none' }
  /** Claims, as JSON text that may be relayed. */
  | { readonly kind: 'claims'; readonly claims: string }
  /** Claims that may not be relayed. */
  | { readonly kind: 'unreadable' };

/**
 * Reads the claims request in the challenges of a downstream, whatever their `error`: Graph says
 * `insufficient_claims`, Azure Resource Manager says `invalid_token`. Nothing else of a foreign challenge is ever
 * used, and claims only in the one shape that cannot be anything but a claims request for an access token.
 *
 * @param headers the values of `WWW-Authenticate`, one for each line
 */
export function readDownstreamDemand(headers: readonly string[]): DownstreamDemand {
  const all = headers.flatMap(parseChallenges).flatMap(({ parameters }) => parameters.get('claims') ?? []);
  const [encoded] = all;
  if (encoded === undefined || encoded === '') {
    return { kind: 'none' };
  }
  const claims = decode(encoded);
  return claims !== undefined && isClaimsRequest(claims) ? { kind: 'claims', claims } : { kind: 'unreadable' };
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
