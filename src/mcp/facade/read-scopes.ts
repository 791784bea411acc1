import { isAccessTokenClaims } from '../../syntax/claims-request.ts';
import { CLAIMS_SCOPE, readClaimsScope } from '../../syntax/claims-scope.ts';
import { joinClaims } from '../../syntax/join-claims.ts';
import type { FacadeServer } from './facade-server.ts';
import { OAuthRefusal } from './oauth-refusal.ts';

/** The scopes of OpenID Connect that a client may ask for besides those of the server; they give no access to any API. */
export const OPENID_SCOPES = ['openid', 'profile', 'offline_access'] as const;

/** What a client asks for, in the words of Entra. */
export interface RequestedAccess {
  /** Scopes of the server and of OpenID Connect. */
  readonly scopes: readonly string[];
  /** True when one of them is a scope of the server. */
  readonly namesServer: boolean;
  /** A claims request as JSON text, if the client asks for one, by a scope or by `claims`. */
  readonly claims: string | undefined;
}

/**
 * Reads what a client asks for: scopes of this server only, and claims only in the form that cannot be anything else.
 *
 * @param scope the parameter `scope`
 * @param claims the parameter `claims`
 * @throws {OAuthRefusal} `invalid_scope`, or `invalid_request` for claims
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-3.3
 */
export function readScopes(
  server: FacadeServer,
  scope: string | undefined,
  claims: string | undefined,
): RequestedAccess {
  const asked = [...new Set((scope ?? '').split(' '))].filter((name) => name !== '');
  const requests = asked.filter((name) => name.startsWith(CLAIMS_SCOPE)).map(readClaimsScope);
  const scopes = asked.filter((name) => !name.startsWith(CLAIMS_SCOPE));
  const known: readonly string[] = [...server.scopes, ...OPENID_SCOPES];
  if (requests.includes(undefined) || !scopes.every((name) => known.includes(name))) {
    throw new OAuthRefusal('invalid_scope', 'Ask only for the scopes that the metadata and challenges of it name.');
  }
  return {
    scopes,
    namesServer: scopes.some((name) => server.scopes.includes(name)),
    claims: joinAll([...(claims === undefined ? [] : [demandClaims(claims)]), ...(requests as string[])]),
  };
}

/** The scopes to ask Entra for: without any of the server, those to connect come first, because Entra means Graph then. */
export function withConnectScopes(server: FacadeServer, { scopes, namesServer }: RequestedAccess): readonly string[] {
  return namesServer ? scopes : [...server.connectScopes, ...scopes];
}

function demandClaims(claims: string): string {
  if (!isAccessTokenClaims(claims)) {
    throw new OAuthRefusal('invalid_request', 'Send claims as a JSON object whose only member is access_token.');
  }
  return claims;
}

function joinAll(requests: readonly string[]): string | undefined {
  if (requests.length === 0) {
    return undefined;
  }
  const claims = joinClaims(requests);
  if (claims === undefined) {
    throw new OAuthRefusal('invalid_scope', 'Ask for fewer claims.');
  }
  return claims;
}
