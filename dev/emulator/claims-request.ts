import { EntraError } from './entra-error.ts';

/** What a `claims` parameter asks of the access token. */
export interface ClaimsRequest {
  /** Authentication contexts. */
  readonly acrs: readonly string[];
  /** Ids of policies to satisfy. */
  readonly capolids: readonly string[];
  /** Client capabilities, `cp1`. */
  readonly capabilities: readonly string[];
  /** Unix seconds; the token must not be issued earlier. */
  readonly notBefore: number;
}

/**
 * Reads a `claims` parameter; none asks for nothing.
 * @throws {EntraError} 90013 when it is not JSON.
 */
export function readClaimsRequest(text: string | undefined): ClaimsRequest {
  const wanted = text ? accessTokenMember(text) : {};
  return {
    acrs: valuesOf(wanted['acrs']),
    capolids: valuesOf(wanted['capolids'] ?? wanted['polids']),
    capabilities: valuesOf(wanted['xms_cc']),
    notBefore: Number(valuesOf(wanted['nbf'])[0] ?? 0),
  };
}

/** Joins two requests; the later `notBefore` wins. */
export function joinClaimsRequests(one: ClaimsRequest, other: ClaimsRequest): ClaimsRequest {
  return {
    acrs: unique(one.acrs, other.acrs),
    capolids: unique(one.capolids, other.capolids),
    capabilities: unique(one.capabilities, other.capabilities),
    notBefore: Math.max(one.notBefore, other.notBefore),
  };
}

/** The JSON text that asks for a policy to be satisfied. */
export function requestPolicies(ids: readonly string[]): string {
  return JSON.stringify({ access_token: { capolids: { essential: true, values: ids } } });
}

/** The JSON text that asks for an authentication context. */
export function requestAuthenticationContext(id: string): string {
  return JSON.stringify({ access_token: { acrs: { essential: true, value: id } } });
}

type RequestedClaims = Record<string, { value?: unknown; values?: unknown } | null>;

function accessTokenMember(text: string): RequestedClaims {
  try {
    const request = JSON.parse(text) as { access_token?: RequestedClaims };
    return request.access_token ?? {};
  } catch {
    throw new EntraError(90013, { text: 'The claims parameter is not JSON.' });
  }
}

function valuesOf(claim: RequestedClaims[string] | undefined): string[] {
  if (!claim) {
    return [];
  }
  const values = Array.isArray(claim.values) ? (claim.values as unknown[]) : [claim.value];
  return values.filter((value) => value !== undefined).map(String);
}

function unique(one: readonly string[], other: readonly string[]): string[] {
  return [...new Set([...one, ...other])];
}
