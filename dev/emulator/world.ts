import type { App, Consent, User, World } from './world-model.ts';

/** The tenant of the gateway, Contoso. */
export const HOME_TENANT_ID = '72f988bf-86f1-41af-91ab-2d7cd011db47';
/** A second tenant, Fabrikam; its people can be guests of Contoso. */
export const PARTNER_TENANT_ID = 'b4c1a5d2-3f6e-4a87-9c0b-5d1e2f3a4b5c';
/** The application (client) id of the gateway. */
export const GATEWAY_CLIENT_ID = '6e74172b-be56-4843-9ff4-e66a39bb12e3';
/** The gateway's client secret in the demo world. */
export const GATEWAY_CLIENT_SECRET = 'demo-secret-of-the-gateway';
/** The application id of Microsoft Graph. */
export const GRAPH_APP_ID = '00000003-0000-0000-c000-000000000000';
/** The application id of the Orders API. */
export const ORDERS_APP_ID = '2f1a7c3e-8b54-4d69-a0e2-6c9b7d8e1f20';
/** The client id of the public client: a desktop program and the playground page. */
export const DESKTOP_CLIENT_ID = 'c9a5b7e1-0d3f-4c28-8e6a-91f2d4b3a807';
/** The client id of the program that signs in as itself. */
export const DAEMON_CLIENT_ID = '7e0d1c2b-3a49-4f58-b6c7-d8e9f0a1b2c3';
/** The daemon's client secret in the demo world. */
export const DAEMON_CLIENT_SECRET = 'demo-secret-of-the-daemon';
/** The id of the policy that wants MFA from Megan before her data leaves Graph. */
export const GRAPH_MFA_POLICY_ID = '9d4e6f10-2b7a-4c35-8f91-3e5a7b6c0d12';

const GATEWAY_URI = `api://${GATEWAY_CLIENT_ID}`;
const EVERY_TENANT = [HOME_TENANT_ID, PARTNER_TENANT_ID];

const ADELE = '1a2b3c4d-0001-4a00-8a00-000000000001';
const MEGAN = '1a2b3c4d-0002-4a00-8a00-000000000002';
const GUEST_AT_HOME = '1a2b3c4d-0003-4a00-8a00-000000000003';
const GUEST_AT_CONTOSO = '1a2b3c4d-1003-4a00-8a00-000000001003';
const BLOCKED = '1a2b3c4d-0004-4a00-8a00-000000000004';
const REVOKED = '1a2b3c4d-0005-4a00-8a00-000000000005';
const NEWCOMER = '1a2b3c4d-0006-4a00-8a00-000000000006';

/** A fresh copy of the demo world. */
export function demoWorld(): World {
  return {
    tenants: [
      { id: HOME_TENANT_ID, name: 'Contoso', domain: 'contoso.com' },
      { id: PARTNER_TENANT_ID, name: 'Fabrikam', domain: 'fabrikam.com' },
    ],
    users: demoUsers(),
    apps: [gateway(), graph(), orders(), desktop(), daemon()],
    consents: demoConsents(),
    policies: [
      {
        id: GRAPH_MFA_POLICY_ID,
        name: 'MFA for Megan on Microsoft Graph',
        on: GRAPH_APP_ID,
        users: ['megan'],
        requires: 'mfa',
        enabled: true,
      },
    ],
    authenticationContexts: [{ id: 'c1', requires: 'mfa' }],
  };
}

function demoUsers(): User[] {
  return [
    describeUser('adele', 'Adele Vance', ADELE),
    { ...describeUser('megan', 'Megan Bowen', MEGAN), canDoMfa: true },
    {
      ...describeUser('guest', 'Gustav Guest', GUEST_AT_HOME),
      homeTenant: PARTNER_TENANT_ID,
      userPrincipalName: 'guest@fabrikam.com',
      guestIn: { [HOME_TENANT_ID]: GUEST_AT_CONTOSO },
      canDoMfa: true,
    },
    { ...describeUser('blocked', 'Bianca Blocked', BLOCKED), status: 'blocked' },
    { ...describeUser('revoked', 'Rafael Revoked', REVOKED), status: 'revoked' },
    describeUser('newcomer', 'Nestor Newcomer', NEWCOMER),
  ];
}

function describeUser(alias: string, name: string, oid: string): User {
  return {
    alias,
    name,
    userPrincipalName: `${alias}@contoso.com`,
    homeTenant: HOME_TENANT_ID,
    oid,
    guestIn: {},
    canDoMfa: false,
    status: 'active',
    tokensValidFrom: undefined,
  };
}

function describeApp(alias: string, name: string, clientId: string, servicePrincipalId: string): App {
  return {
    alias,
    name,
    clientId,
    servicePrincipalId,
    tenants: [HOME_TENANT_ID],
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
    grantedAppRoles: {},
  };
}

function gateway(): App {
  return {
    ...describeApp('gateway', 'Contoso gateway', GATEWAY_CLIENT_ID, '5e0f1a2b-0001-4c00-9b00-0000000000a1'),
    tenants: EVERY_TENANT,
    identifierUris: [GATEWAY_URI],
    scopes: ['Profile.Read', 'Orders.Read', 'Orders.ReadWrite'],
    appRoles: ['Orders.Read.All'],
    optionalClaims: ['xms_cc', 'acrs', 'idtyp'],
    secrets: [GATEWAY_CLIENT_SECRET],
    redirectUris: [{ uri: 'http://localhost/consented', kind: 'web' }],
    grantedAppRoles: { [ORDERS_APP_ID]: ['Orders.Read.All'] },
  };
}

function graph(): App {
  return {
    ...describeApp('graph', 'Microsoft Graph', GRAPH_APP_ID, '5e0f1a2b-0002-4c00-9b00-0000000000a2'),
    tenants: EVERY_TENANT,
    identifierUris: ['https://graph.microsoft.com'],
    scopes: ['User.Read', 'Mail.Read'],
    requestedAccessTokenVersion: 1,
    optionalClaims: ['xms_cc', 'acrs', 'idtyp'],
  };
}

function orders(): App {
  return {
    ...describeApp('orders', 'Orders API', ORDERS_APP_ID, '5e0f1a2b-0003-4c00-9b00-0000000000a3'),
    tenants: EVERY_TENANT,
    identifierUris: ['api://orders'],
    scopes: ['user_impersonation'],
    appRoles: ['Orders.Read.All'],
  };
}

function desktop(): App {
  return {
    ...describeApp(
      'desktop',
      'Contoso desktop and playground',
      DESKTOP_CLIENT_ID,
      '5e0f1a2b-0004-4c00-9b00-0000000000a4',
    ),
    tenants: EVERY_TENANT,
    publicClient: true,
    redirectUris: [
      { uri: 'http://localhost', kind: 'native' },
      { uri: 'http://localhost:3000', kind: 'spa' },
      { uri: 'http://localhost:3000/redirect.html', kind: 'spa' },
    ],
  };
}

function daemon(): App {
  return {
    ...describeApp('daemon', 'Contoso night run', DAEMON_CLIENT_ID, '5e0f1a2b-0005-4c00-9b00-0000000000a5'),
    secrets: [DAEMON_CLIENT_SECRET],
    grantedAppRoles: { [GATEWAY_CLIENT_ID]: ['Orders.Read.All'] },
  };
}

function demoConsents(): Consent[] {
  const everyClientScope = gateway().scopes;
  return [
    ...EVERY_TENANT.map((tenant) => ({
      tenant,
      user: 'everyone',
      client: DESKTOP_CLIENT_ID,
      resource: GATEWAY_CLIENT_ID,
      scopes: [...everyClientScope],
    })),
    ...[ADELE, MEGAN, GUEST_AT_CONTOSO, BLOCKED, REVOKED].flatMap((oid) => gatewayConsents(HOME_TENANT_ID, oid)),
    ...gatewayConsents(PARTNER_TENANT_ID, GUEST_AT_HOME),
  ];
}

function gatewayConsents(tenant: string, user: string): Consent[] {
  const client = GATEWAY_CLIENT_ID;
  return [
    { tenant, user, client, resource: GRAPH_APP_ID, scopes: ['User.Read', 'Mail.Read'] },
    { tenant, user, client, resource: ORDERS_APP_ID, scopes: ['user_impersonation'] },
  ];
}
