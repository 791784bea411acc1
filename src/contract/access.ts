import type { Access, Requirement } from '../session/requirement.ts';
import { CHALLENGE_SAFE } from '../syntax/http-syntax.ts';
import { isJsonObject, type JsonObject } from '../syntax/json.ts';

/**
 * Reads the `security` of an operation (design: a user flow lists delegated scopes, a scheme whose only flow is
 * `clientCredentials` lists app roles).
 *
 * @param fault is told of everything that cannot be enforced; what it is told of is never let through
 */
export function readAccess(security: unknown, schemes: JsonObject, fault: (message: string) => void): Access {
  if (!Array.isArray(security)) {
    fault('has no security; write the scopes it needs, or `security: []` for an anonymous operation');
    return [];
  }
  if (security.length === 0) {
    return 'anonymous';
  }
  return security.flatMap((requirement) => readRequirement(requirement, schemes, fault) ?? []);
}

function readRequirement(
  requirement: unknown,
  schemes: JsonObject,
  fault: (message: string) => void,
): Requirement | undefined {
  const entries = isJsonObject(requirement) ? Object.entries(requirement) : [];
  if (entries.length === 0) {
    fault('has an empty security requirement; an optional token is not supported, write `security: []` instead');
    return undefined;
  }
  const parts = entries.map(([name, names]) => readScheme(name, toTexts(names), schemes, fault));
  const users = parts.filter((part) => part?.caller === 'user');
  const apps = parts.filter((part) => part?.caller === 'app');
  if (users.length > 0 && apps.length > 0) {
    fault('asks for a person and a program in one security requirement; write them as two');
    return undefined;
  }
  if (users.length + apps.length < entries.length) {
    return undefined;
  }
  return apps.length > 0
    ? { caller: 'app', roles: apps.flatMap(({ roles }) => roles) }
    : toUserRequirement(users.flatMap(({ scopes }) => scopes));
}

function readScheme(
  name: string,
  needed: readonly string[],
  schemes: JsonObject,
  fault: (message: string) => void,
): Requirement | undefined {
  const scheme = schemes[name];
  if (!isJsonObject(scheme)) {
    fault(`names the security scheme ${name}, which the contract does not have`);
    return undefined;
  }
  if (scheme['type'] !== 'oauth2' || !isJsonObject(scheme['flows'])) {
    fault(`names the security scheme ${name} of type ${String(scheme['type'])}; only oauth2 is supported`);
    return undefined;
  }
  const flows = Object.entries(scheme['flows']).filter(([flow]) => !flow.startsWith('x-'));
  const declared = new Set(
    flows.flatMap(([, flow]) =>
      isJsonObject(flow) && isJsonObject(flow['scopes']) ? Object.keys(flow['scopes']) : [],
    ),
  );
  for (const scope of needed.filter((candidate) => !declared.has(candidate))) {
    fault(`asks for the scope ${scope}, which the security scheme ${name} does not declare`);
  }
  for (const scope of needed.filter((candidate) => !CHALLENGE_SAFE.test(candidate))) {
    fault(
      `asks for the scope ${JSON.stringify(scope)}; a scope holds no space, comma, equals sign, percent sign or quote`,
    );
  }
  const onlyForApps = flows.length > 0 && flows.every(([flow]) => flow === 'clientCredentials');
  return onlyForApps ? { caller: 'app', roles: needed } : toUserRequirement(needed);
}

function toUserRequirement(scopes: readonly string[]): Requirement & { readonly caller: 'user' } {
  return { caller: 'user', scopes, claimed: scopes.map(toClaimedName) };
}

const RESOURCE_PREFIX = /^(?:[a-z][a-z0-9+.-]*:\/\/|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\/)/i;

/** Contracts list `api://…/Orders.Read`, tokens say `Orders.Read`. */
function toClaimedName(scope: string): string {
  return RESOURCE_PREFIX.test(scope) ? scope.slice(scope.lastIndexOf('/') + 1) : scope;
}

function toTexts(names: unknown): string[] {
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
}
