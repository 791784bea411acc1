import { toAppRequirement, toUserRequirement } from '../contract/operations/security-schemes.ts';
import type { Requirement } from '../session/requirement.ts';
import { findNearest } from '../syntax/edit-distance.ts';
import { CHALLENGE_SAFE } from '../syntax/http-syntax.ts';
import { checkKeys } from './known-keys.ts';
import { OboUsageError } from './usage-error.ts';

/** Whom a handler lets in. Without scopes and roles that is every caller with a valid token. */
export interface Protection {
  /** What a user must have allowed the client to do: all of these delegated scopes, such as `Orders.Read`. */
  readonly scopes?: readonly string[];
  /** What an application must be allowed to do: all of these app roles. */
  readonly roles?: readonly string[];
  /**
   * The Conditional Access authentication context that the token must carry, `c1` to `c99`. Only users bring one, so it
   * stands beside scopes or alone, and roles are an alternative of their own.
   */
  readonly authContext?: string;
  /**
   * What the log and the metrics call the operation, the same in all alternatives. Default: its method and its route, such
   * as `GET /dashboard`.
   */
  readonly name?: string;
}

/** Alternatives that ask for one authentication context, or for none. */
export interface AccessGroup {
  readonly access: readonly Requirement[];
  readonly authContext: string | undefined;
}

/** What is known of the scopes of this API. */
export interface ScopeRules {
  /** The audiences of this API. */
  readonly audiences: readonly string[];
  /** The resources of the downstreams, and Microsoft Graph. */
  readonly foreignResources: readonly string[];
  /** The scopes that the operations of its contract ask for; empty where it has no contract. */
  readonly declared: readonly string[];
  /** Called for a scope that may well be a slip. */
  readonly onDoubtful: (fields: { readonly scope: string; readonly remedy: string }, message: string) => void;
}

const AUTH_CONTEXT = /^c(?:[1-9]|[1-9]\d)$/;

/**
 * Reads alternatives as the groups in which they are tried.
 *
 * @throws {OboUsageError} for what no token of this API can meet
 */
export function readProtections(ways: readonly Protection[], rules: ScopeRules): readonly AccessGroup[] {
  ways.forEach((way) => checkProtection(way, rules));
  checkSameName(ways);
  const given = ways.length === 0 ? [{}] : ways;
  const contexts = [...new Set(given.map(({ authContext }: Protection) => authContext))];
  return contexts.map((authContext) => ({
    authContext,
    access: given.filter((way: Protection) => way.authContext === authContext).flatMap(toRequirements),
  }));
}

/** The name that the alternatives give their operation; `undefined` where none does. */
export function nameOf(ways: readonly Protection[]): string | undefined {
  return ways.find(({ name }) => name !== undefined)?.name;
}

/** An empty list asks for nothing that another list of the same alternative does not: it opens no door of its own. */
function toRequirements({ scopes = [], roles = [] }: Protection): readonly Requirement[] {
  const all = [
    ...(scopes.length > 0 ? [toUserRequirement(scopes)] : []),
    ...(roles.length > 0 ? [toAppRequirement(roles)] : []),
  ];
  return all.length > 0 ? all : [toUserRequirement([]), toAppRequirement([])];
}

function checkProtection(way: unknown, rules: ScopeRules): void {
  if (typeof way !== 'object' || way === null || Array.isArray(way)) {
    throw new OboUsageError(
      "protect() takes objects such as { scopes: ['Orders.Read'] }, several of them for alternatives.",
    );
  }
  checkKeys('protect()', way, ['scopes', 'roles', 'authContext', 'name']);
  const { scopes, roles, name } = way as Protection;
  checkNames('scopes', scopes);
  checkNames('roles', roles);
  scopes?.forEach((scope) => {
    checkResource(scope, rules);
    checkDeclared(scope, rules);
  });
  checkAuthContext(way);
  if (name !== undefined && (typeof name !== 'string' || name.trim() === '')) {
    throw new OboUsageError("protect() takes name as a text that is not empty, such as name: 'GET /dashboard'.");
  }
}

function checkAuthContext({ scopes = [], roles = [], authContext }: Protection): void {
  if (authContext === undefined) {
    return;
  }
  if (!AUTH_CONTEXT.test(authContext)) {
    throw new OboUsageError(
      `protect() got the authContext ${JSON.stringify(authContext)}; write the id of an authentication context, c1 to c99.`,
    );
  }
  if (roles.length > 0 && scopes.length === 0) {
    throw new OboUsageError(
      'protect() got roles with an authContext and without scopes, which lets in nobody: applications bring no ' +
        "authentication context. Write roles as an alternative of their own: protect({ scopes: ['Orders.Read'], " +
        `authContext: '${authContext}' }, { roles: [${roles.map((role) => `'${role}'`).join(', ')}] }).`,
    );
  }
}

/** What is remembered of a caller is remembered by the name, so it has to be one. */
function checkSameName(ways: readonly Protection[]): void {
  const names = [...new Set(ways.flatMap(({ name }) => name ?? []))];
  if (names.length > 1) {
    throw new OboUsageError(
      `protect() got the names ${names.join(' and ')} for one operation; write one of them, in one alternative or in all.`,
    );
  }
}

function checkNames(key: 'scopes' | 'roles', names: unknown): void {
  if (names === undefined) {
    return;
  }
  const isList = Array.isArray(names) && names.every((name) => typeof name === 'string' && CHALLENGE_SAFE.test(name));
  if (!isList) {
    throw new OboUsageError(
      `protect() takes ${key} as a list of names without spaces, commas, quotes, = and %, such as ${key}: ['Orders.Read'].`,
    );
  }
}

/**
 * A token for this API never has the scope of a downstream, so nobody would ever be let in. A resource that nothing is
 * known of may be a name of this API at Entra: of a scope only the part behind the resource is compared.
 */
function checkResource(scope: string, { audiences, foreignResources, onDoubtful }: ScopeRules): void {
  const resource = scope.slice(0, Math.max(scope.lastIndexOf('/'), 0));
  if (resource === '' || audiences.includes(resource)) {
    return;
  }
  if (!foreignResources.includes(resource)) {
    onDoubtful(
      {
        scope,
        remedy:
          `Write ${lastPart(scope)} where it is a scope of this API, or add ${resource} to identity.audiences; ` +
          'what is asked of another API stands in downstreams.*.scopes.',
      },
      'protect() asks for a scope of a resource that is no audience of this API',
    );
    return;
  }
  throw new OboUsageError(
    `protect() got the scope ${scope}, which belongs to another API (${resource}). Write a scope of this API, such as ` +
      `${audiences.at(-1) ?? ''}/Orders.Read or Orders.Read; what is asked of a downstream stands in downstreams.*.scopes ` +
      'of the configuration.',
  );
}

/** An application may have scopes of its own besides those of its contract, so this is no fault. */
function checkDeclared(scope: string, { declared, onDoubtful }: ScopeRules): void {
  const known = declared.map(lastPart);
  if (known.length === 0 || known.includes(lastPart(scope))) {
    return;
  }
  const nearest = findNearest(lastPart(scope), known)?.word;
  onDoubtful(
    {
      scope,
      remedy: `Write a scope that the registration of this API has; the nearest one of the contract is ${nearest}.`,
    },
    'protect() asks for a scope that the contract does not have',
  );
}

function lastPart(scope: string): string {
  return scope.slice(scope.lastIndexOf('/') + 1);
}
