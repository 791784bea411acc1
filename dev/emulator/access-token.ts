import { createHash, randomBytes } from 'node:crypto';
import { describeActor, describeSubject } from './agent-identities.ts';
import type { Proof } from './conditional-access.ts';
import { issuerV1, issuerV2, type Directory } from './directory.ts';
import type { App, User } from './world-model.ts';
import { GATEWAY_CLIENT_ID } from './world.ts';

/** How a client proved itself: not at all, by a secret, or by a signed assertion. */
export type ClientAuthenticationClass = '0' | '1' | '2';

/** What every access token says. */
interface AccessTokenBase {
  readonly tenantId: string;
  readonly client: App;
  readonly clientClass: ClientAuthenticationClass;
  readonly resource: App;
  /** The resource as the client named it; v1 tokens repeat it as `aud`. */
  readonly identifier: string;
  /** Unix seconds. */
  readonly issuedAt: number;
  readonly lifetimeSeconds: number;
  /** Default: what the resource registered. */
  readonly version?: 1 | 2 | undefined;
}

/** An access token that a person's client gets. */
export interface UserAccessToken extends AccessTokenBase {
  readonly user: User;
  /** Object id of the person in `tenantId`. */
  readonly oid: string;
  readonly scopes: readonly string[];
  /** App roles of the person; default none. */
  readonly roles?: readonly string[] | undefined;
  readonly proof: Proof;
  /** What the client said it can do, `cp1`. */
  readonly capabilities: readonly string[];
}

/** An access token that an app gets for itself. */
export interface AppAccessToken extends AccessTokenBase {
  readonly roles: readonly string[];
}

/** Claims by name. */
export type Claims = Record<string, unknown>;

/** The claims of a person's access token. */
export function describeUserToken(directory: Directory, token: UserAccessToken): Claims {
  const { user, oid, resource, proof, capabilities } = token;
  const opted = (claim: string): boolean => resource.optionalClaims.includes(claim);
  return {
    ...describeFrame(directory, token),
    ...describeActor(token.client),
    ...(versionOf(token) === 1 ? namesV1(user) : { preferred_username: user.userPrincipalName }),
    name: user.name,
    oid,
    sub: pairwiseSubject(oid, resource.clientId),
    scp: token.scopes.join(' '),
    amr: proof.amr,
    ...(token.roles && token.roles.length > 0 && { roles: token.roles }),
    ...(user.homeTenant !== token.tenantId && { idp: issuerV1(directory.origin, user.homeTenant) }),
    ...(opted('idtyp') && { idtyp: 'user' }),
    ...(opted('acrs') && proof.acrs.length > 0 && { acrs: proof.acrs }),
    ...(opted('xms_cc') && capabilities.length > 0 && { xms_cc: capabilities }),
  };
}

/** The claims of an app's own access token. */
export function describeAppToken(directory: Directory, token: AppAccessToken): Claims {
  const { client, resource, roles } = token;
  return {
    ...describeFrame(directory, token),
    oid: client.servicePrincipalId,
    sub: client.servicePrincipalId,
    ...(roles.length > 0 && { roles }),
    ...(resource.optionalClaims.includes('idtyp') && { idtyp: 'app' }),
    ...describeActor(client),
    ...describeSubject(client),
  };
}

/** A subject that differs from app to app and stays the same within one. */
export function pairwiseSubject(oid: string, clientId: string): string {
  return createHash('sha256').update(`${oid} ${clientId}`).digest('base64url');
}

/** Seconds that a token for the resource lives. */
export function lifetimeFor({ switches }: Directory, resource: App): number {
  const ours = resource.clientId === GATEWAY_CLIENT_ID;
  return ours ? switches.tokenLifetimeSeconds : switches.downstreamTokenLifetimeSeconds;
}

function describeFrame({ origin }: Directory, token: AccessTokenBase): Claims {
  const { tenantId, client, clientClass, resource, identifier, issuedAt, lifetimeSeconds } = token;
  const shape =
    versionOf(token) === 1
      ? {
          ver: '1.0',
          iss: issuerV1(origin, tenantId),
          aud: identifier,
          appid: client.clientId,
          appidacr: clientClass,
          acr: '1',
        }
      : {
          ver: '2.0',
          iss: issuerV2(origin, tenantId),
          aud: resource.clientId,
          azp: client.clientId,
          azpacr: clientClass,
        };
  return {
    ...shape,
    tid: tenantId,
    iat: issuedAt,
    nbf: issuedAt,
    exp: issuedAt + lifetimeSeconds,
    uti: randomBytes(16).toString('base64url'),
  };
}

function namesV1({ name, userPrincipalName }: User): Claims {
  const [givenName, ...familyNames] = name.split(' ');
  return {
    upn: userPrincipalName,
    unique_name: userPrincipalName,
    given_name: givenName,
    family_name: familyNames.join(' '),
  };
}

function versionOf({ version, resource }: AccessTokenBase): 1 | 2 {
  return version ?? resource.requestedAccessTokenVersion;
}
