import { isAccessTokenClaims, MAX_CLAIMS_BYTES } from '../syntax/claims-request.ts';
import { parseChallenges, type Challenge } from './parse-challenges.ts';

const BASE64 = /^[\w+/-]+={0,2}$/;

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
  const given = headers
    .flatMap(parseChallenges)
    .toSorted((one, other) => Number(isBearer(other)) - Number(isBearer(one)))
    .flatMap(({ parameters }) => parameters.get('claims') ?? [])
    .filter((encoded) => encoded !== '');
  const claims = given.map(decode).find((text) => text !== undefined && isAccessTokenClaims(text));
  if (claims !== undefined) {
    return { kind: 'claims', claims };
  }
  return { kind: given.length === 0 ? 'none' : 'unreadable' };
}

function isBearer({ scheme }: Challenge): boolean {
  return scheme.toLowerCase() === 'bearer';
}

/** Standard or url-safe alphabet, with or without padding. */
function decode(encoded: string): string | undefined {
  if (!BASE64.test(encoded)) {
    return undefined;
  }
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.length > MAX_CLAIMS_BYTES) {
    return undefined;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
