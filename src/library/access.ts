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
  /** The Conditional Access authentication context that the token must carry, `c1` to `c99`. */
  readonly authContext?: string;
  /** What the log and the metrics call the operation. Default: its method and its route, such as `GET /dashboard`. */
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
  /** Called for a scope that the contract does not know, which may well be a slip. */
  readonly onUndeclared: (fields: object, message: string) => void;
}

const AUTH_CONTEXT = /^c(?:[1-9]|[1-9]\d)$/;

/**
 * Reads alternatives as the groups in which they are tried.
 *
 * @throws {OboUsageError} for what no token of this API can meet
 */
export function readProtections(ways: readonly Protection[], rules: ScopeRules): readonly AccessGroup[] {
  ways.forEach((way) => checkProtection(way, rules));
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
  const { scopes, roles, authContext } = way as Protection;
  checkNames('scopes', scopes);
  checkNames('roles', roles);
  scopes?.forEach((scope) => {
    checkResource(scope, rules);
    checkDeclared(scope, rules);
  });
  if (authContext !== undefined && !AUTH_CONTEXT.test(authContext)) {
    throw new OboUsageError(
      `protect() got the authContext ${JSON.stringify(authContext)}; write the id of an authentication context, c1 to c99.`,
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

/** A token for this API never has the scope of a downstream, so nobody would ever be let in. */
function checkResource(scope: string, { audiences, foreignResources }: ScopeRules): void {
  const resource = scope.slice(0, Math.max(scope.lastIndexOf('/'), 0));
  if (foreignResources.includes(resource) && !audiences.includes(resource)) {
    throw new OboUsageError(
      `protect() got the scope ${scope}, which belongs to another API (${resource}). Write a scope of this API, such as ` +
        `${audiences.at(-1) ?? ''}/Orders.Read or Orders.Read; what is asked of a downstream stands in downstreams.*.scopes ` +
        'of the configuration.',
    );
  }
}

/** An application may have scopes of its own besides those of its contract, so this is no fault. */
function checkDeclared(scope: string, { declared, onUndeclared }: ScopeRules): void {
  const known = declared.map(lastPart);
  if (known.length === 0 || known.includes(lastPart(scope))) {
    return;
  }
  const nearest = findNearest(lastPart(scope), known)?.word;
  onUndeclared(
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
