import { isFixed, passesFromCallers } from '../../forward/request-headers.ts';
import type { AppRequirement, UserRequirement } from '../../session/requirement.ts';
import { CHALLENGE_SAFE } from '../../syntax/http-syntax.ts';
import { isJsonObject, type JsonObject } from '../../syntax/json.ts';

/** One way to meet a security scheme with a token. */
export type TokenRequirement = UserRequirement | AppRequirement;

/** What beside a scheme decides, and who is told of what. */
export interface SchemeSurroundings {
  /** What an `http` `bearer` scheme asks for, whose own list names nothing; absent where the operation does not say. */
  readonly bearerScopes: readonly string[] | undefined;
  readonly bearerRoles: readonly string[] | undefined;
  /** Is told of everything that cannot be enforced. */
  readonly fault: (message: string) => void;
  /** Is told of what passes unchecked. */
  readonly notice: (message: string, remedy: string) => void;
}

/** A scheme as a security requirement names it: its name, and the scopes or roles that stand beside the name. */
export interface NamedScheme {
  readonly name: string;
  readonly needed: readonly string[];
}

/**
 * Reads what a scheme asks of a token.
 *
 * @returns the ways to meet it, any of which will do; `unchecked` for an API key, which is the API's own business; and
 *   `undefined` for a scheme that cannot be enforced
 */
export function readScheme(
  scheme: unknown,
  named: NamedScheme,
  surroundings: SchemeSurroundings,
): readonly TokenRequirement[] | 'unchecked' | undefined {
  const { name } = named;
  const { fault } = surroundings;
  if (!isJsonObject(scheme)) {
    fault(`names the security scheme ${name}, which the contract does not have`);
    return undefined;
  }
  switch (scheme['type']) {
    case 'oauth2':
      return readOAuth(scheme, named, fault);
    case 'openIdConnect':
      refuseUnsafe(named.needed, fault);
      return [toUserRequirement(named.needed)];
    case 'http':
      if (String(scheme['scheme']).toLowerCase() === 'bearer') {
        return readBearer(named, surroundings);
      }
      break;
    case 'apiKey':
      return readApiKey(scheme, named, surroundings);
    default:
  }
  fault(`names the security scheme ${name} of type ${nameType(scheme)}, which is no token of Entra; ${INSTEAD}`);
  return undefined;
}

/** What an operator does about a scheme that is not enforced. */
export const INSTEAD = 'write oauth2, openIdConnect or http bearer, or set `security` of the document in gateway.yaml';

/** `http basic`, or the type alone. */
function nameType({ type, scheme }: JsonObject): string {
  return type === 'http' ? `http ${String(scheme)}` : String(type);
}

function readOAuth(
  { flows: written }: JsonObject,
  { name, needed }: NamedScheme,
  fault: (message: string) => void,
): readonly TokenRequirement[] | undefined {
  if (!isJsonObject(written)) {
    fault(`names the security scheme ${name}, which has no flows`);
    return undefined;
  }
  const flows = Object.entries(written).filter(([flow]) => !flow.startsWith('x-'));
  const declared = new Set(
    flows.flatMap(([, flow]) =>
      isJsonObject(flow) && isJsonObject(flow['scopes']) ? Object.keys(flow['scopes']) : [],
    ),
  );
  for (const scope of needed.filter((candidate) => !declared.has(candidate))) {
    fault(`asks for the scope ${scope}, which the security scheme ${name} does not declare`);
  }
  refuseUnsafe(needed, fault);
  const isOnlyForApps = flows.length > 0 && flows.every(([flow]) => flow === 'clientCredentials');
  return [isOnlyForApps ? toAppRequirement(needed) : toUserRequirement(needed)];
}

/**
 * A user needs all of `x-scopes`, an app all of `x-roles`. Names in the requirement itself (since OpenAPI 3.1 §4.8.30.1)
 * do not say which of the two they are, so each is needed of either.
 */
function readBearer(
  { needed }: NamedScheme,
  { bearerScopes, bearerRoles, fault }: SchemeSurroundings,
): readonly TokenRequirement[] {
  const scopes = [...new Set([...needed, ...(bearerScopes ?? [])])];
  const roles = [...new Set([...needed, ...(bearerRoles ?? [])])];
  refuseUnsafe([...new Set([...scopes, ...roles])], fault);
  const isForUsers = bearerScopes !== undefined || bearerRoles === undefined;
  const isForApps = bearerRoles !== undefined || (bearerScopes === undefined && needed.length > 0);
  return [...(isForUsers ? [toUserRequirement(scopes)] : []), ...(isForApps ? [toAppRequirement(roles)] : [])];
}

/** It passes as any other header or parameter does; what never passes is no way to send one. */
function readApiKey(
  { in: place, name: key }: JsonObject,
  { name }: NamedScheme,
  { fault, notice }: SchemeSurroundings,
): 'unchecked' | undefined {
  const header = place === 'header' ? String(key) : '';
  if (isFixed(header) || (place === 'query' && key === 'access_token')) {
    fault(`names the security scheme ${name}, whose key stands in ${String(key)}, where the gateway lets none pass`);
    return undefined;
  }
  const passes = place === 'query' || (place === 'header' && passesFromCallers(header));
  notice(
    `names the API key ${name} in the ${String(place)} ${String(key)}, ${passes ? 'which passes and is not checked' : 'which does not pass'}`,
    passes
      ? 'Nothing is to be done if the API checks it; a key that callers are not to know is set in downstreams.*.headers.set or query.'
      : 'Set the key in downstreams.*.headers.set; a header of this name passes where downstreams.*.headers.pass names it, a cookie never.',
  );
  return 'unchecked';
}

function refuseUnsafe(names: readonly string[], fault: (message: string) => void): void {
  for (const name of names.filter((candidate) => !CHALLENGE_SAFE.test(candidate))) {
    fault(
      `asks for the scope ${JSON.stringify(name)}; a scope holds no space, comma, equals sign, percent sign or quote`,
    );
  }
}

/** A person with all of these scopes. */
export function toUserRequirement(scopes: readonly string[]): UserRequirement {
  return { caller: 'user', scopes, claimed: scopes.map(toClaimedName) };
}

/** A program with all of these roles. */
export function toAppRequirement(roles: readonly string[]): AppRequirement {
  return { caller: 'app', roles };
}

const RESOURCE_PREFIX = /^(?:[a-z][a-z0-9+.-]*:\/\/|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\/)/i;

/** Contracts list `api://…/Orders.Read`, tokens say `Orders.Read`. */
function toClaimedName(scope: string): string {
  return RESOURCE_PREFIX.test(scope) ? scope.slice(scope.lastIndexOf('/') + 1) : scope;
}
