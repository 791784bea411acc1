import { describeAppToken, describeUserToken, lifetimeFor, type Claims } from './access-token.ts';
import { issueTimeFor } from './account-state.ts';
import { unixNow, type Directory } from './directory.ts';
import { findApp, findTenant, findUser, objectIdIn, type App, type User } from './world-model.ts';
import { GATEWAY_CLIENT_ID } from './world.ts';

/** What token is wanted; people, apps and tenants are named as in the world: by alias, id or domain. */
export interface AccessTokenOrder {
  /** A person; without one the token is the app's own. */
  readonly user?: string;
  /** The app of an app-only token; default `daemon`. */
  readonly app?: string;
  /** The client of a person's token; default `desktop`. */
  readonly client?: string;
  /** Default: the gateway. */
  readonly resource?: string;
  /** Default: all delegated scopes of the resource. */
  readonly scopes?: readonly string[];
  /** Default: none for a person, those granted for an app. */
  readonly roles?: readonly string[];
  /** Merged last; a claim set to undefined is left out. */
  readonly claims?: Claims;
  /** Default: what the resource registered. */
  readonly version?: 1 | 2;
  /** Default: the tenant of the gateway if the person is known there, else their own. */
  readonly tenant?: string;
  /** Seconds; default that of the switches. */
  readonly lifetimeSeconds?: number;
  /** How the person signed in; default `['pwd']`. */
  readonly amr?: readonly string[];
  /** Authentication contexts satisfied; default none. */
  readonly acrs?: readonly string[];
  /** Capabilities of the client; default none. */
  readonly capabilities?: readonly string[];
}

/** Makes the token that Entra would issue for the order. */
export function issueAccessToken(directory: Directory, order: AccessTokenOrder): string {
  const resource = demandApp(directory, order.resource ?? GATEWAY_CLIENT_ID);
  const claims =
    order.user === undefined ? appClaims(directory, order, resource) : userClaims(directory, order, resource);
  return directory.keys.sign({ ...claims, ...order.claims });
}

function userClaims(directory: Directory, order: AccessTokenOrder, resource: App): Claims {
  const user = demandUser(directory, order.user ?? '');
  const tenantId = tenantOf(directory, order, user);
  return describeUserToken(directory, {
    ...describeResource(directory, order, resource),
    tenantId,
    client: demandApp(directory, order.client ?? 'desktop'),
    clientClass: '0',
    user,
    oid: objectIdIn(user, tenantId) ?? user.oid,
    scopes: order.scopes ?? resource.scopes,
    roles: order.roles,
    proof: { amr: order.amr ?? ['pwd'], acrs: order.acrs ?? [] },
    capabilities: order.capabilities ?? [],
    issuedAt: issueTimeFor(user),
  });
}

function appClaims(directory: Directory, order: AccessTokenOrder, resource: App): Claims {
  const client = demandApp(directory, order.app ?? 'daemon');
  return describeAppToken(directory, {
    ...describeResource(directory, order, resource),
    tenantId: tenantOf(directory, order, undefined),
    client,
    clientClass: '1',
    roles: order.roles ?? client.grantedAppRoles[resource.clientId] ?? [],
    issuedAt: unixNow(),
  });
}

function describeResource(
  directory: Directory,
  { version, lifetimeSeconds }: AccessTokenOrder,
  resource: App,
): { resource: App; identifier: string; lifetimeSeconds: number; version: 1 | 2 | undefined } {
  return {
    resource,
    identifier: resource.identifierUris[0] ?? resource.clientId,
    lifetimeSeconds: lifetimeSeconds ?? lifetimeFor(directory, resource),
    version,
  };
}

function tenantOf({ world }: Directory, { tenant }: AccessTokenOrder, user: User | undefined): string {
  const home = world.tenants[0]?.id ?? '';
  if (tenant !== undefined) {
    return findTenant(world, tenant)?.id ?? tenant;
  }
  return user && objectIdIn(user, home) === undefined ? user.homeTenant : home;
}

function demandApp({ world }: Directory, name: string): App {
  const app = findApp(world, name);
  if (!app) {
    throw new Error(`No app is called ${name}.`);
  }
  return app;
}

function demandUser({ world }: Directory, name: string): User {
  const user = findUser(world, name);
  if (!user) {
    throw new Error(`Nobody is called ${name}.`);
  }
  return user;
}
