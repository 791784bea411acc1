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
  /**
   * True for a message to an MCP server, whose clients ask Entra for any scope that a refusal names: it must name none that
   * no sign-in gives. Default false.
   */
  readonly isForMcp?: boolean;
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
 * @throws {GatewayError} `access_denied` for a tenant or client that is not on its list, and for a user where an MCP server
 *   is for apps; `insufficient_scope` for a missing scope or role and for an app where a user is needed;
 *   `insufficient_claims` for a missing authentication context
 */
export function authorize(principal: Principal, permission: Permission, lists: AccessLists): boolean {
  checkLists(principal, lists);
  const { access, authContext, isForMcp = false } = permission;
  // Entra gives apps no authentication context, so an operation that requires one is for users only.
  const isForbiddenApp = authContext !== undefined && principal.kind === 'app';
  if (isForbiddenApp || !access.some((requirement) => meets(principal, requirement))) {
    if (isOptional(access)) {
      return false;
    }
    if (isForMcp && principal.kind === 'user' && !access.some(({ caller }) => caller === 'user')) {
      throw new GatewayError('access_denied', { log: FOR_APPS_ONLY });
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

/** What the log says where a person calls what no person may call. */
const FOR_APPS_ONLY = {
  reason: 'the MCP server, or the tool of it that was called, is for apps only, and a user called',
  remedy: 'Add a requirement for users to its security in the contract, if users are to call it.',
};

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
