import { demoAgents } from './demo-agents.ts';
import type { App, Consent, Policy, RedirectUri, User, World } from './world-model.ts';

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
/** The application id of the mailbox, an MCP server that calls Graph itself. */
export const MAILBOX_APP_ID = '4b6d8f0a-2c3e-4f51-8a7b-9c0d1e2f3a45';
/** The mailbox's client secret in the demo world. */
export const MAILBOX_CLIENT_SECRET = 'demo-secret-of-the-mailbox';
/** The client id that programs share which speak MCP. */
export const MCP_CLIENT_ID = 'b7c9d1e3-4f5a-4b6c-8d7e-0f1a2b3c4d56';
/** The application id of Azure's Redis, the same in every tenant. */
const REDIS_APP_ID = 'acca5fbb-b7e4-4009-81f1-37e38fd66d78';
/** The client id of the public client: a desktop program and the playground page. */
export const DESKTOP_CLIENT_ID = 'c9a5b7e1-0d3f-4c28-8e6a-91f2d4b3a807';
/** The client id of the web app that renders its pages on a server. */
const WEB_APP_CLIENT_ID = '3d8b6f24-5c17-4e9a-a1d3-70b2c4e5f691';
/** The web app's client secret in the demo world. */
const WEB_APP_CLIENT_SECRET = 'demo-secret-of-the-web-app';
/** The client id of the shop whose page asks people for their credentials itself (native authentication). */
export const STOREFRONT_CLIENT_ID = 'd2b8f4a6-5c1e-4f70-9a3d-84e6c7b1f509';
/** The client id of the program that signs in as itself. */
export const DAEMON_CLIENT_ID = '7e0d1c2b-3a49-4f58-b6c7-d8e9f0a1b2c3';
/** The daemon's client secret in the demo world. */
export const DAEMON_CLIENT_SECRET = 'demo-secret-of-the-daemon';
/** The client id of the gateway's documentation page. */
const DOCS_CLIENT_ID = '8c5f2a17-6d3e-4b90-a2f8-1e7c9b04d356';
/** The client id of an app that is not among the gateway's `allowedClients`. */
const VISITOR_CLIENT_ID = 'f4a1d6c8-2e7b-4b95-8c03-5d9e1a7f6b20';
/** The id of the policy that wants MFA from Megan before her data leaves Graph. */
export const GRAPH_MFA_POLICY_ID = '9d4e6f10-2b7a-4c35-8f91-3e5a7b6c0d12';
/** The ids of the policies that want a compliant device; at rest they are off. */
export const DEVICE_POLICY_IDS = {
  graph: '3c1f8a52-7d6e-4b90-a1c4-5e2d9b0f7a31',
  orders: '3c1f8a52-7d6e-4b90-a1c4-5e2d9b0f7a32',
} as const;

const GATEWAY_URI = `api://${GATEWAY_CLIENT_ID}`;
const EVERY_TENANT = [HOME_TENANT_ID, PARTNER_TENANT_ID];

const ADELE = '1a2b3c4d-0001-4a00-8a00-000000000001';
const MEGAN = '1a2b3c4d-0002-4a00-8a00-000000000002';
const GUEST_AT_HOME = '1a2b3c4d-0003-4a00-8a00-000000000003';
const GUEST_AT_CONTOSO = '1a2b3c4d-1003-4a00-8a00-000000001003';
const BLOCKED = '1a2b3c4d-0004-4a00-8a00-000000000004';
const REVOKED = '1a2b3c4d-0005-4a00-8a00-000000000005';
const NEWCOMER = '1a2b3c4d-0006-4a00-8a00-000000000006';
const CODY = '1a2b3c4d-0007-4a00-8a00-000000000007';

/**
 * A fresh copy of the demo world.
 *
 * The origins are where pages are served, for the redirect URIs of their app registrations.
 */
export function demoWorld(playgroundOrigin = 'http://localhost:3000', gatewayOrigin = 'http://localhost:8080'): World {
  return {
    tenants: [
      { id: HOME_TENANT_ID, name: 'Contoso', domain: 'contoso.com' },
      { id: PARTNER_TENANT_ID, name: 'Fabrikam', domain: 'fabrikam.com' },
    ],
    users: demoUsers(),
    apps: [
      gateway(),
      graph(),
      redis(),
      orders(),
      mailbox(),
      mcpClients(),
      desktop(playgroundOrigin),
      storefront(playgroundOrigin),
      webApp(),
      daemon(),
      docs(gatewayOrigin),
      visitor(),
      ...demoAgents(GATEWAY_CLIENT_ID, HOME_TENANT_ID, ORDERS_APP_ID),
    ],
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
      describeDevicePolicy(DEVICE_POLICY_IDS.graph, 'Compliant devices for Microsoft Graph', GRAPH_APP_ID),
      describeDevicePolicy(DEVICE_POLICY_IDS.orders, 'Compliant devices for the Orders API', ORDERS_APP_ID),
    ],
    authenticationContexts: [{ id: 'c1', requires: 'mfa' }],
  };
}

function describeDevicePolicy(id: string, name: string, on: string): Policy {
  return { id, name, on, users: 'all', requires: 'compliantDevice', enabled: false };
}

/**
 * Everybody's demo password is `demo-password-of-{alias}`. The pages ask for none; apps with native authentication do:
 * Adele and Megan sign in with theirs, Cody with a code, and Gustav, whose account is another tenant's, only in a browser.
 * Megan's second factor is a code, too. What was sent to whom is read at `/_emulator/codes?user={alias}`.
 */
function demoUsers(): User[] {
  return [
    describeUser('adele', 'Adele Vance', ADELE, 'has a password and no second factor'),
    {
      ...describeUser('megan', 'Megan Bowen', MEGAN, 'a policy asks her for MFA before Graph is read'),
      canDoMfa: true,
    },
    {
      ...describeUser('guest', 'Gustav Guest', GUEST_AT_HOME, 'a guest from Fabrikam'),
      homeTenant: PARTNER_TENANT_ID,
      userPrincipalName: 'guest@fabrikam.com',
      guestIn: { [HOME_TENANT_ID]: GUEST_AT_CONTOSO },
      canDoMfa: true,
    },
    { ...describeUser('blocked', 'Bianca Blocked', BLOCKED, 'her account is disabled'), status: 'blocked' },
    {
      ...describeUser(
        'revoked',
        'Rafael Revoked',
        REVOKED,
        'what was issued to him before his next sign-in is refused',
      ),
      status: 'revoked',
    },
    describeUser('newcomer', 'Nestor Newcomer', NEWCOMER, 'starts without consent to what the gateway does for him'),
    { ...describeUser('cody', 'Cody Code', CODY, 'has no password: a code is sent to him'), password: undefined },
  ];
}

function describeUser(alias: string, name: string, oid: string, about: string): User {
  return {
    alias,
    name,
    about,
    userPrincipalName: `${alias}@contoso.com`,
    homeTenant: HOME_TENANT_ID,
    oid,
    guestIn: {},
    password: `demo-password-of-${alias}`,
    canDoMfa: false,
    mfaEmail: undefined,
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
    nativeAuthentication: undefined,
    grantedAppRoles: {},
  };
}

function gateway(): App {
  return {
    ...describeApp('gateway', 'Contoso gateway', GATEWAY_CLIENT_ID, '5e0f1a2b-0001-4c00-9b00-0000000000a1'),
    tenants: EVERY_TENANT,
    blueprint: { getsOwnTokens: true },
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

function redis(): App {
  return {
    ...describeApp('redis', 'Azure Cache for Redis', REDIS_APP_ID, '5e0f1a2b-0009-4c00-9b00-0000000000a9'),
    tenants: EVERY_TENANT,
    identifierUris: ['https://redis.azure.com'],
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

function mailbox(): App {
  return {
    ...describeApp('mailbox', 'Contoso mailbox', MAILBOX_APP_ID, '5e0f1a2b-000a-4c00-9b00-0000000000aa'),
    tenants: EVERY_TENANT,
    identifierUris: ['api://mailbox'],
    scopes: ['user_impersonation'],
    optionalClaims: ['xms_cc', 'acrs'],
    secrets: [MAILBOX_CLIENT_SECRET],
  };
}

/** The addresses are those of programs of the SDK, Claude Code, VS Code, and the inspector on the command line and as a page. */
function mcpClients(): App {
  const native = [
    'http://localhost',
    'http://localhost/callback',
    'http://127.0.0.1',
    'https://vscode.dev/redirect',
    'http://127.0.0.1/oauth/callback',
  ];
  return {
    ...describeApp('mcp', 'Programs that speak MCP', MCP_CLIENT_ID, '5e0f1a2b-000b-4c00-9b00-0000000000ab'),
    tenants: EVERY_TENANT,
    publicClient: true,
    redirectUris: [
      ...native.map((uri): RedirectUri => ({ uri, kind: 'native' })),
      { uri: 'http://localhost:6274/oauth/callback', kind: 'spa' },
    ],
  };
}

function desktop(playgroundOrigin: string): App {
  return {
    ...describeApp(
      'desktop',
      'Contoso desktop and playground',
      DESKTOP_CLIENT_ID,
      '5e0f1a2b-0004-4c00-9b00-0000000000a4',
    ),
    tenants: EVERY_TENANT,
    publicClient: true,
    redirectUris: [{ uri: 'http://localhost', kind: 'native' }, ...pageRedirectUris(playgroundOrigin)],
  };
}

function storefront(playgroundOrigin: string): App {
  return {
    ...describeApp('storefront', 'Contoso storefront', STOREFRONT_CLIENT_ID, '5e0f1a2b-0007-4c00-9b00-0000000000a7'),
    publicClient: true,
    redirectUris: pageRedirectUris(playgroundOrigin),
    nativeAuthentication: {
      signUpWith: 'password',
      requiredAttributes: [{ name: 'displayName', pattern: '^.{1,64}$' }],
    },
  };
}

function pageRedirectUris(origin: string): RedirectUri[] {
  return [
    { uri: origin, kind: 'spa' },
    { uri: `${origin}/redirect.html`, kind: 'spa' },
  ];
}

function webApp(): App {
  return {
    ...describeApp('web-app', 'Contoso web app', WEB_APP_CLIENT_ID, '5e0f1a2b-0006-4c00-9b00-0000000000a6'),
    secrets: [WEB_APP_CLIENT_SECRET],
    redirectUris: [{ uri: 'http://localhost/signed-in', kind: 'web' }],
  };
}

function daemon(): App {
  return {
    ...describeApp('daemon', 'Contoso night run', DAEMON_CLIENT_ID, '5e0f1a2b-0005-4c00-9b00-0000000000a5'),
    secrets: [DAEMON_CLIENT_SECRET],
    grantedAppRoles: { [GATEWAY_CLIENT_ID]: ['Orders.Read.All'] },
  };
}

function docs(gatewayOrigin: string): App {
  return {
    ...describeApp('docs', 'Contoso API documentation', DOCS_CLIENT_ID, '5e0f1a2b-0009-4c00-9b00-0000000000a9'),
    publicClient: true,
    redirectUris: [{ uri: `${gatewayOrigin}/docs/oauth2-redirect.html`, kind: 'spa' }],
  };
}

function visitor(): App {
  return describeApp('visitor', 'An app of another team', VISITOR_CLIENT_ID, '5e0f1a2b-0008-4c00-9b00-0000000000a8');
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
    ...[WEB_APP_CLIENT_ID, STOREFRONT_CLIENT_ID, DOCS_CLIENT_ID].map((client) => ({
      tenant: HOME_TENANT_ID,
      user: 'everyone',
      client,
      resource: GATEWAY_CLIENT_ID,
      scopes: [...everyClientScope],
    })),
    ...EVERY_TENANT.flatMap((tenant) => mailboxConsents(tenant)),
    ...[ADELE, MEGAN, GUEST_AT_CONTOSO, BLOCKED, REVOKED, CODY].flatMap((oid) => gatewayConsents(HOME_TENANT_ID, oid)),
    ...gatewayConsents(PARTNER_TENANT_ID, GUEST_AT_HOME),
  ];
}

function mailboxConsents(tenant: string): Consent[] {
  const user = 'everyone';
  return [
    { tenant, user, client: MCP_CLIENT_ID, resource: GATEWAY_CLIENT_ID, scopes: ['Profile.Read'] },
    { tenant, user, client: GATEWAY_CLIENT_ID, resource: MAILBOX_APP_ID, scopes: ['user_impersonation'] },
    { tenant, user, client: MAILBOX_APP_ID, resource: GRAPH_APP_ID, scopes: ['User.Read', 'Mail.Read'] },
  ];
}

function gatewayConsents(tenant: string, user: string): Consent[] {
  const client = GATEWAY_CLIENT_ID;
  return [
    { tenant, user, client, resource: GRAPH_APP_ID, scopes: ['User.Read', 'Mail.Read'] },
    { tenant, user, client, resource: ORDERS_APP_ID, scopes: ['user_impersonation'] },
  ];
}
