import { clientsWithConsent } from './agent-identities.ts';
import { EntraError } from './entra-error.ts';
import type { App, World } from './world-model.ts';

const GRAPH_URI = 'https://graph.microsoft.com';
const OPENID_SCOPES = ['openid', 'profile', 'email', 'offline_access'];

/** A `scope` parameter, understood. */
export interface RequestedScopes {
  readonly resource: App;
  /** The resource as the request named it: an App ID URI or the client id. */
  readonly identifier: string;
  /** Bare delegated scopes, or `.default` alone. */
  readonly permissions: readonly string[];
  /** Those of OpenID Connect. */
  readonly openId: readonly string[];
  /** All, as they were written. */
  readonly asWritten: readonly string[];
}

/** Who wants to use which resource in whose name. */
export interface ConsentQuestion {
  readonly tenantId: string;
  /** Object id of the person in that tenant. */
  readonly oid: string;
  readonly client: App;
  readonly scopes: RequestedScopes;
}

/**
 * Reads a `scope` parameter; scopes without a resource are Graph's.
 * @throws {EntraError} 70011, 500011
 */
export function readScopes(world: World, text: string): RequestedScopes {
  const asWritten = text.split(' ').filter(Boolean);
  const openId = asWritten.filter((scope) => OPENID_SCOPES.includes(scope));
  const named = asWritten.filter((scope) => !OPENID_SCOPES.includes(scope)).map((scope) => splitScope(scope));
  const identifiers = new Set(named.map(({ identifier }) => identifier));
  if (identifiers.size > 1) {
    throw new EntraError(70011, { text: 'The scopes are of several resources.' });
  }
  const identifier = named[0]?.identifier ?? GRAPH_URI;
  const resource = findResource(world, identifier);
  const permissions = named.map(({ permission }) => permission);
  demandKnownScopes(resource, permissions);
  return { resource, identifier, permissions, openId, asWritten };
}

/**
 * Reads the `scope` parameter of a page of Entra, which may ask for the consent to scopes of several resources; a
 * token is for one of them, which the token request has to name.
 * @throws {EntraError} 70011, 500011
 */
export function readScopesToAsk(world: World, text: string): readonly [RequestedScopes, ...RequestedScopes[]] {
  const asWritten = text.split(' ').filter(Boolean);
  const openId = asWritten.filter((scope) => OPENID_SCOPES.includes(scope));
  const byResource = new Map<string, string[]>();
  for (const scope of asWritten.filter((each) => !OPENID_SCOPES.includes(each))) {
    const { identifier } = splitScope(scope);
    byResource.set(identifier, [...(byResource.get(identifier) ?? []), scope]);
  }
  const [first = [], ...others] = byResource.values();
  if (others.length > 0 && asWritten.some((scope) => splitScope(scope).permission === '.default')) {
    throw new EntraError(70011, { text: '.default stands alone.' });
  }
  return [
    readScopes(world, [...first, ...openId].join(' ')),
    ...others.map((scopes) => readScopes(world, scopes.join(' '))),
  ];
}

/** The scopes of the resource that the person or an administrator agreed to. */
function consentedScopes(world: World, { tenantId, oid, client, scopes }: ConsentQuestion): string[] {
  const clients = clientsWithConsent(client);
  const agreed = world.consents
    .filter((consent) => consent.tenant === tenantId && [oid, 'everyone'].includes(consent.user))
    .filter((consent) => clients.includes(consent.client) && consent.resource === scopes.resource.clientId)
    .flatMap((consent) => consent.scopes);
  return scopes.resource.scopes.filter((scope) => agreed.includes(scope));
}

/** The scopes that a consent page has to ask for: none when all was agreed to. */
export function missingConsent(world: World, question: ConsentQuestion): string[] {
  const agreed = consentedScopes(world, question);
  const { permissions, resource } = question.scopes;
  if (permissions.includes('.default')) {
    return agreed.length > 0 ? [] : [...resource.scopes];
  }
  return permissions.filter((permission) => !agreed.includes(permission));
}

/**
 * The scopes that the token will carry.
 * @throws {EntraError} 65001
 */
export function grantScopes(world: World, question: ConsentQuestion): string[] {
  if (missingConsent(world, question).length > 0) {
    throw new EntraError(65001);
  }
  const { permissions } = question.scopes;
  return permissions.includes('.default') ? consentedScopes(world, question) : [...permissions];
}

/** What the reply's `scope` says: MSAL looks tokens up by the scopes it asked for, so those come back as written. */
export function replyScope(scopes: RequestedScopes, granted: readonly string[]): string {
  const full = granted.map((permission) => `${scopes.identifier}/${permission}`);
  const written = scopes.asWritten.filter((scope) => scope !== 'offline_access');
  const bare = written.some((scope) => granted.includes(scope));
  return [...new Set([...written, ...(bare ? [] : full)])].join(' ');
}

function splitScope(scope: string): { identifier: string; permission: string } {
  const slash = scope.lastIndexOf('/');
  if (slash < 0) {
    return { identifier: GRAPH_URI, permission: scope };
  }
  return { identifier: scope.slice(0, slash), permission: scope.slice(slash + 1) };
}

function findResource(world: World, identifier: string): App {
  const resource = world.apps.find((app) => app.clientId === identifier || app.identifierUris.includes(identifier));
  if (!resource) {
    throw new EntraError(500011, { text: `The resource ${identifier} was not found in the tenant.` });
  }
  return resource;
}

function demandKnownScopes(resource: App, permissions: readonly string[]): void {
  if (permissions.includes('.default')) {
    if (permissions.length > 1) {
      throw new EntraError(70011, { text: '.default stands alone.' });
    }
    return;
  }
  const unknown = permissions.find((permission) => !resource.scopes.includes(permission));
  if (unknown !== undefined) {
    throw new EntraError(70011, { text: `${resource.name} has no scope ${unknown}.` });
  }
}
