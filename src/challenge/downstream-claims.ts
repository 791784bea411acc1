import { isAccessTokenClaims } from '../syntax/claims-request.ts';
import { parseChallenges, type Challenge } from './parse-challenges.ts';

const BASE64 = /^[\w+/-]+={0,2}$/;

/** What the 401 of a downstream asks for. */
export type DownstreamDemand =
  /** Nothing that the user could give: the downstream does not accept our token. */
  | { readonly kind: 'none' }
  /** Claims, as JSON text that may go to the caller. */
  | { readonly kind: 'claims'; readonly claims: string }
  /** Claims that must not go to the caller. */
  | { readonly kind: 'unreadable' };

/**
 * Reads the claims request in the challenges of a downstream. Their `error` does not count: Graph says
 * `insufficient_claims`, Azure Resource Manager says `invalid_token`. Nothing else of a foreign challenge is used, and
 * the claims only in the one shape that cannot be anything but a claims request for an access token.
 *
 * @param headers the values of `WWW-Authenticate`, one for each line
 * @see https://learn.microsoft.com/entra/identity-platform/claims-challenge
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

/** Decodes base64 in the standard or the URL-safe alphabet, with or without padding; `undefined` for other text. */
function decode(encoded: string): string | undefined {
  if (!BASE64.test(encoded)) {
    return undefined;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(encoded, 'base64'));
  } catch {
    return undefined;
  }
}
