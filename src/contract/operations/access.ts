import { isDeepStrictEqual } from 'node:util';
import type { Access, Requirement } from '../../session/requirement.ts';
import { isJsonObject } from '../../syntax/json.ts';
import {
  INSTEAD,
  readScheme,
  toAppRequirement,
  toUserRequirement,
  type SchemeSurroundings,
  type TokenRequirement,
} from './security-schemes.ts';

export { isOptional } from '../../session/requirement.ts';

/** What the `security` of an operation is read with. */
export interface SecuritySurroundings extends SchemeSurroundings {
  /** The `securitySchemes` of the document. */
  readonly schemes: Readonly<Record<string, unknown>>;
  /** True where gateway.yaml wrote it, which knows the schemes `user` and `app` without declaring them. */
  readonly isFromDeployment?: boolean;
}

/** The schemes that `security` in gateway.yaml knows: for people, with scopes, and for programs, with app roles. */
const DEPLOYMENT_SCHEMES = { user: toUserRequirement, app: toAppRequirement };

/**
 * Reads the `security` of an operation (design: a user flow lists delegated scopes, a scheme whose only flow is
 * `clientCredentials` lists app roles, `{}` lets in callers without a token).
 *
 * What `surroundings.fault` is told of is never let through.
 */
export function readAccess(security: unknown, surroundings: SecuritySurroundings): Access {
  if (!Array.isArray(security)) {
    surroundings.fault('has no security; write the scopes it needs, or `security: []` for an anonymous operation');
    return [];
  }
  const ways = (security as unknown[]).flatMap((requirement) => readRequirement(requirement, surroundings));
  return ways.every(({ caller }) => caller === 'anyone') && ways.length === security.length ? 'anonymous' : ways;
}

function readRequirement(requirement: unknown, surroundings: SecuritySurroundings): readonly Requirement[] {
  const { fault } = surroundings;
  if (!isJsonObject(requirement)) {
    fault(`has the security requirement ${JSON.stringify(requirement)}; allowed: a map of schemes and their scopes`);
    return [];
  }
  const entries = Object.entries(requirement);
  if (entries.length === 0) {
    return [{ caller: 'anyone' }];
  }
  const parts = entries.map(([name, needed]) => readNamed(name, toTexts(needed), surroundings));
  const tokens = parts.filter((part) => part !== 'unchecked' && part !== undefined);
  if (parts.includes(undefined)) {
    return [];
  }
  if (tokens.length === 0) {
    fault(`asks for nothing but ${Object.keys(requirement).join(' and ')}, which is no token of Entra; ${INSTEAD}`);
    return [];
  }
  const ways = tokens.reduce((all, part) => all.flatMap((way) => part.flatMap((other) => join(way, other) ?? [])));
  if (ways.length === 0) {
    fault('asks for a person and a program in one security requirement; write them as two');
  }
  return ways;
}

function readNamed(
  name: string,
  needed: readonly string[],
  surroundings: SecuritySurroundings,
): ReturnType<typeof readScheme> {
  const { schemes, isFromDeployment = false } = surroundings;
  if (isFromDeployment && (name === 'user' || name === 'app')) {
    return [DEPLOYMENT_SCHEMES[name](needed)];
  }
  return readScheme(Object.hasOwn(schemes, name) ? schemes[name] : undefined, { name, needed }, surroundings);
}

/** One token that meets both; a person and a program never send the same one. */
function join(one: TokenRequirement, other: TokenRequirement): TokenRequirement | undefined {
  if (one.caller === 'user' && other.caller === 'user') {
    return toUserRequirement([...new Set([...one.scopes, ...other.scopes])]);
  }
  return one.caller === 'app' && other.caller === 'app'
    ? toAppRequirement([...new Set([...one.roles, ...other.roles])])
    : undefined;
}

/** The ways to meet one of the first and one of the second; none where no caller can. */
export function joinAccess(one: readonly Requirement[], other: Access): readonly Requirement[] {
  const ways = other === 'anonymous' ? one : one.flatMap((way) => other.flatMap((more) => joinWays(way, more) ?? []));
  return ways.filter((way, index) => ways.findIndex((earlier) => isDeepStrictEqual(earlier, way)) === index);
}

function joinWays(one: Requirement, other: Requirement): Requirement | undefined {
  if (one.caller === 'anyone') {
    return other;
  }
  return other.caller === 'anyone' ? one : join(one, other);
}

function toTexts(names: unknown): string[] {
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
}
