import { GatewayError } from '../failures.ts';
import type { Principal } from '../session/principal.ts';
import { isOptional, type Requirement } from '../session/requirement.ts';
import { contextClaims } from '../syntax/claims-request.ts';

/** What an operation requires of its callers. */
export interface Permission {
  /** The caller must meet one of them. */
  readonly access: readonly Requirement[];
  /** The authentication context that the caller must have (`acrs`); `undefined` for none. */
  readonly authContext: string | undefined;
}

/** The tenants and clients that may call at all. */
export interface AccessLists {
  /** Tenant ids in lower case; an empty list allows every tenant whose tokens are valid here. */
  readonly tenants: ReadonlySet<string>;
  /** Client ids in lower case; an empty list allows every client. */
  readonly clients: ReadonlySet<string>;
}

/**
 * Decides whether a caller may use an operation.
 *
 * @returns false where the caller is served as nobody: the operation does without a token, and this one meets nothing that
 *   it asks for
 * @throws {GatewayError} `access_denied` for a tenant or client that is not on its list, `insufficient_scope` for a
 *   missing scope or role and for an app where a user is needed, `insufficient_claims` for a missing authentication
 *   context
 */
export function authorize(principal: Principal, permission: Permission, lists: AccessLists): boolean {
  checkLists(principal, lists);
  const { access, authContext } = permission;
  // Entra gives apps no authentication context, so an operation that requires one is for users only.
  const isForbiddenApp = authContext !== undefined && principal.kind === 'app';
  if (isForbiddenApp || !access.some((requirement) => meets(principal, requirement))) {
    if (isOptional(access)) {
      return false;
    }
    throw new GatewayError('insufficient_scope', {
      scopes: neededScopes(isForbiddenApp ? 'user' : principal.kind, access),
    });
  }
  if (authContext !== undefined && !principal.authContexts.has(authContext)) {
    throw new GatewayError('insufficient_claims', { claims: contextClaims(authContext), authContext: true });
  }
  return true;
}

function checkLists({ tenantId, clientId }: Principal, { tenants, clients }: AccessLists): void {
  if (tenants.size > 0 && !tenants.has(tenantId)) {
    throw new GatewayError('access_denied', { log: { reason: 'the tenant is not in identity.allowedTenants' } });
  }
  if (clients.size > 0 && (clientId === undefined || !clients.has(clientId))) {
    throw new GatewayError('access_denied', { log: { reason: 'the client is not in identity.allowedClients' } });
  }
}

function meets(principal: Principal, requirement: Requirement): boolean {
  switch (requirement.caller) {
    case 'user':
      return principal.kind === 'user' && requirement.claimed.every((scope) => principal.scopes.has(scope));
    case 'app':
      return principal.kind === 'app' && requirement.roles.every((role) => principal.roles.has(role));
    case 'anyone':
      return false;
  }
}

/** What the first requirement for this kind of caller needs, or else the first requirement of any kind. */
function neededScopes(kind: Principal['kind'], access: readonly Requirement[]): readonly string[] {
  const requirement = access.find(({ caller }) => caller === kind) ?? access[0];
  if (requirement === undefined || requirement.caller === 'anyone') {
    return [];
  }
  return requirement.caller === 'user' ? requirement.scopes : requirement.roles;
}
