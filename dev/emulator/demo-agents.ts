import type { App } from './world-model.ts';

/** The agent identity that reads mail, and its client id; an agent's object id is the same. */
export const MAIL_AGENT_ID = 'a6e1c2d3-4b5f-4e60-9a71-0c8d2f3b4a01';
/** The agent identity that sees to orders. */
export const ORDERS_AGENT_ID = 'a6e1c2d3-4b5f-4e60-9a71-0c8d2f3b4a02';

/**
 * The agent identities of a blueprint in one tenant. They have no credential, and inherit what people consented to for
 * the blueprint.
 *
 * @param blueprint its client id
 * @param ordersApi the client id of the API for which the second one has an app role
 */
export function demoAgents(blueprint: string, tenantId: string, ordersApi: string): App[] {
  return [
    describeAgent('mail-agent', 'Contoso mail agent', MAIL_AGENT_ID),
    {
      ...describeAgent('orders-agent', 'Contoso orders agent', ORDERS_AGENT_ID),
      grantedAppRoles: { [ordersApi]: ['Orders.Read.All'] },
    },
  ];

  function describeAgent(alias: string, name: string, clientId: string): App {
    return {
      alias,
      name,
      clientId,
      servicePrincipalId: clientId,
      tenants: [tenantId],
      agent: { blueprint, isEnabled: true },
      identifierUris: [],
      scopes: [],
      appRoles: [],
      requestedAccessTokenVersion: 2,
      optionalClaims: [],
      publicClient: false,
      secrets: [],
      certificates: [],
      federatedCredentials: [],
      redirectUris: [],
      nativeAuthentication: undefined,
      grantedAppRoles: {},
    };
  }
}
