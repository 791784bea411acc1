import {
  describeUserToken,
  lifetimeFor,
  pairwiseSubject,
  type Claims,
  type ClientAuthenticationClass,
} from './access-token.ts';
import { demandGoodStanding, findByObjectId, issueTimeFor } from './account-state.ts';
import type { ClaimsRequest } from './claims-request.ts';
import { demandAccess } from './conditional-access.ts';
import { issuerV2, type Directory } from './directory.ts';
import { EntraError } from './entra-error.ts';
import { randomHandle, type SignIn } from './grant-store.ts';
import { demandMatchingResource } from './resource-parameter.ts';
import { grantScopes, readScopes, replyScope } from './resource-scopes.ts';
import type { App, RedirectUri, User } from './world-model.ts';

const DAY_SECONDS = 24 * 60 * 60;

/** A successful answer of the token endpoint. */
export interface TokenReply {
  readonly token_type: 'Bearer';
  readonly scope?: string;
  readonly expires_in: number;
  readonly ext_expires_in: number;
  readonly refresh_in?: number;
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly id_token?: string;
  readonly client_info?: string;
}

/** A person's sign-in that a client turns into tokens. */
export interface UserGrant {
  readonly signIn: SignIn;
  readonly client: App;
  readonly clientClass: ClientAuthenticationClass;
  readonly scope: string;
  /** The values of `resource`; default none. */
  readonly resources?: readonly string[] | undefined;
  readonly claims: ClaimsRequest;
  readonly nonce?: string | undefined;
  /** How the client received the sign-in; decides how long its refresh tokens live. */
  readonly kind: RedirectUri['kind'];
  /** The grant's end in unix seconds when it does not start anew. */
  readonly refreshUntil?: number | undefined;
  /** Whether the client asked for `client_info`. */
  readonly wantsClientInfo: boolean;
}

/**
 * Answers a person's grant with tokens, after consent and policies.
 * @throws {EntraError}
 */
export function grantTokens(directory: Directory, grant: UserGrant): TokenReply {
  const { world, keys } = directory;
  const { signIn, client, claims } = grant;
  const user = demandUser(directory, signIn);
  const scopes = readScopes(world, grant.scope);
  demandMatchingResource(directory.switches, scopes.resource, grant.resources);
  const granted = grantScopes(world, { ...signIn, client, scopes });
  demandAccess(world, { user, resource: scopes.resource, proof: signIn, claims });
  const issuedAt = Math.max(issueTimeFor(user), claims.notBefore);
  const lifetimeSeconds = lifetimeFor(directory, scopes.resource);
  const token = describeUserToken(directory, {
    ...signIn,
    user,
    client,
    clientClass: grant.clientClass,
    resource: scopes.resource,
    identifier: scopes.identifier,
    scopes: granted,
    // Whatever context was asked for is satisfied by now, or is free.
    proof: { amr: signIn.amr, acrs: [...new Set([...signIn.acrs, ...claims.acrs])] },
    capabilities: claims.capabilities,
    issuedAt,
    lifetimeSeconds,
  });
  return {
    ...describeLifetime(lifetimeSeconds),
    scope: replyScope(scopes, granted),
    access_token: keys.sign(token),
    ...(scopes.openId.includes('offline_access') && { refresh_token: storeRefreshToken(directory, grant) }),
    ...(scopes.openId.includes('openid') && { id_token: keys.sign(describeIdToken(directory, grant, user, issuedAt)) }),
    ...(grant.wantsClientInfo && { client_info: clientInfo(user) }),
  };
}

/** The members of a reply that say how long it is good for. */
export function describeLifetime(
  seconds: number,
): Pick<TokenReply, 'token_type' | 'expires_in' | 'ext_expires_in' | 'refresh_in'> {
  return {
    token_type: 'Bearer',
    expires_in: seconds,
    ext_expires_in: seconds,
    ...(seconds >= 7200 && { refresh_in: Math.floor(seconds / 2) }),
  };
}

/** base64url JSON that names the account to MSAL. */
export function clientInfo(user: User): string {
  return Buffer.from(JSON.stringify({ uid: user.oid, utid: user.homeTenant })).toString('base64url');
}

/** The refresh token's last unix second: a day from sign-in for pages, else ninety days from now. */
function refreshEnd({ kind, refreshUntil, signIn }: UserGrant): number {
  return refreshUntil ?? signIn.authTime + (kind === 'spa' ? DAY_SECONDS : 90 * DAY_SECONDS);
}

function storeRefreshToken({ grants }: Directory, grant: UserGrant): string {
  const handle = randomHandle();
  const { signIn, client, kind } = grant;
  grants.refreshTokens.set(handle, { signIn, clientId: client.clientId, kind, expiresAt: refreshEnd(grant) });
  return handle;
}

function demandUser({ world }: Directory, { tenantId, oid, authTime }: SignIn): User {
  const user = findByObjectId(world, tenantId, oid);
  if (!user) {
    throw new EntraError(50034);
  }
  demandGoodStanding(user, authTime);
  return user;
}

function describeIdToken(
  { origin }: Directory,
  { signIn, client, nonce }: UserGrant,
  user: User,
  issuedAt: number,
): Claims {
  return {
    ver: '2.0',
    iss: issuerV2(origin, signIn.tenantId),
    aud: client.clientId,
    tid: signIn.tenantId,
    oid: signIn.oid,
    sub: pairwiseSubject(signIn.oid, client.clientId),
    name: user.name,
    preferred_username: user.userPrincipalName,
    auth_time: signIn.authTime,
    iat: issuedAt,
    nbf: issuedAt,
    exp: issuedAt + 3600,
    ...(nonce !== undefined && { nonce }),
  };
}
