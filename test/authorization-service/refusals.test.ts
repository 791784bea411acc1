import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { PARTNER_TENANT_ID, HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import { startGatewayWorld, type GatewayWorld } from '../support/gateway-world.ts';
import {
  ask,
  bearer,
  bytesOf,
  callProxy,
  contract,
  DIALECTS,
  unplaced,
  type ClientCall,
  type DialectName,
} from './engine.ts';

const options = { authorizationService: { port: 0 }, contract: [{ document: contract }], downstreams: unplaced };
const world = await startGatewayWorld(options);
const { emulator } = world;
const strict = await startGatewayWorld({
  ...options,
  emulator,
  identity: { allowedClients: ['11111111-2222-3333-4444-555555555555'] },
});
const many = await startGatewayWorld({
  ...options,
  emulator,
  identity: { tenant: 'organizations', allowedTenants: [HOME_TENANT_ID, PARTNER_TENANT_ID] },
});
afterAll(async () => {
  await Promise.all([strict.close(), many.close()]);
  await world.close();
});
afterEach(() => emulator.resetSwitches());

const CLAIMS = '{"access_token":{"capolids":{"essential":true,"values":["a"]}}}';
/** All tokens are as old as each other, so that no refusal counts as a loop; each lives for another time. */
const ISSUED = Math.floor(Date.now() / 1_000) - 100;
let lifetimeSeconds = 1_000;

type Order = Omit<Parameters<typeof emulator.issueAccessToken>[0], 'user'>;

/** The line of a token of its own, whose session nothing is remembered of. */
function tokenOf(user: string, more: Order = {}): string {
  lifetimeSeconds += 1;
  return bearer(world.token(user, { lifetimeSeconds, ...more, claims: { iat: ISSUED, ...more.claims } }));
}

function refuse(error: string, code: number, more: object = {}): void {
  emulator.switches.refuse = { error, error_codes: [code], ...more };
}

interface Row {
  readonly what: string;
  readonly call: Omit<ClientCall, 'headers'>;
  readonly headers?: () => readonly string[];
  readonly entra?: () => void;
  readonly status: number;
  readonly at?: GatewayWorld;
  /** True where the answer names a time that is drawn. */
  readonly waits?: boolean;
}

const ME = { method: 'GET', target: '/me' } as const;
const ORDERS = { method: 'GET', target: '/orders' } as const;

/** A call of the user for the profile, while Entra refuses. */
function refusedByEntra(what: string, status: number, entra: () => void, more: Partial<Row> = {}): Row {
  return { what, call: ME, headers: () => [tokenOf('adele')], entra, status, ...more };
}

const ROWS: readonly Row[] = [
  { what: 'there is no token', call: ME, status: 401 },
  { what: 'the scheme is another', call: ME, headers: () => ['Authorization: Basic YTpi'], status: 401 },
  ...['Bearer', 'Bearer a b', 'Bearer a,b'].map((value) => ({
    what: `the header is "${value}"`,
    call: ME,
    headers: () => [`Authorization: ${value}`],
    status: 400,
  })),
  { what: 'there are two headers', call: ME, headers: () => [tokenOf('adele'), tokenOf('megan')], status: 400 },
  { what: 'the token is in the query only', call: { ...ME, target: '/me?access_token=a.b.c' }, status: 401 },
  {
    what: 'a token is in the header and another in the query',
    call: { ...ME, target: '/me?access_token=a.b.c' },
    headers: () => [tokenOf('adele')],
    status: 400,
  },
  ...[
    { what: 'the token is no JWT', token: () => bearer('abc') },
    { what: 'the token expired', token: () => tokenOf('adele', { claims: { exp: 1_700_000_000 } }) },
    { what: 'the token is for another API', token: () => tokenOf('adele', { resource: 'graph' }) },
    { what: 'the token is of another tenant', token: () => tokenOf('guest', { tenant: PARTNER_TENANT_ID }) },
    {
      what: 'it is an ID token',
      token: () => tokenOf('adele', { claims: { scp: undefined, azp: undefined, nonce: 'n' } }),
    },
    {
      what: 'there is neither scp nor roles',
      token: () => bearer(emulator.issueAccessToken({ app: 'daemon', roles: [] })),
    },
  ].map(({ what, token }) => ({ what, call: ME, headers: () => [token()], status: 401 })),
  { what: 'a scope is missing', call: ME, headers: () => [tokenOf('adele', { scopes: ['Orders.Read'] })], status: 403 },
  {
    what: 'an app calls an operation for people',
    call: ME,
    headers: () => [bearer(emulator.issueAccessToken({ app: 'daemon' }))],
    status: 403,
  },
  {
    what: 'an app lacks the role',
    call: ORDERS,
    headers: () => [bearer(emulator.issueAccessToken({ app: 'daemon', roles: ['Other.Role'] }))],
    status: 403,
  },
  { what: 'the client is not on the list', call: ME, headers: () => [tokenOf('adele')], status: 403, at: strict },
  {
    what: 'the tenant is not on the list',
    call: ME,
    headers: () => [tokenOf('adele', { claims: { tid: '00000000-0000-4000-8000-000000000000' } })],
    status: 401,
    at: many,
  },
  {
    what: 'the authentication context is missing',
    call: { method: 'POST', target: '/payouts' },
    headers: () => [tokenOf('adele')],
    status: 401,
  },
  refusedByEntra('Entra wants interaction and gives claims', 401, () =>
    refuse('interaction_required', 50076, { claims: CLAIMS, suberror: 'basic_action' }),
  ),
  refusedByEntra('Entra wants interaction and gives no claims', 401, () =>
    refuse('invalid_grant', 50076, { suberror: 'basic_action' }),
  ),
  refusedByEntra('Entra has only a message for the user', 403, () =>
    refuse('invalid_grant', 53003, { suberror: 'message_only' }),
  ),
  refusedByEntra('the assertion is no longer good', 401, () => refuse('invalid_grant', 50173)),
  { what: 'nobody consented', call: ME, headers: () => [tokenOf('newcomer')], status: 403 },
  refusedByEntra('the tenant lacks the API', 403, () => refuse('invalid_client', 650052), { at: many }),
  { what: 'the account is blocked', call: ME, headers: () => [tokenOf('blocked')], status: 403 },
  refusedByEntra('the secret of the gateway expired', 500, () => {
    emulator.switches.secretExpired = true;
  }),
  refusedByEntra('Entra throttles', 503, () => Object.assign(emulator.switches, { entra: 'throttled' }), {
    waits: true,
  }),
  refusedByEntra('Entra talks nonsense', 503, () => Object.assign(emulator.switches, { entra: 'garbage' }), {
    waits: true,
  }),
  { what: 'there is no such path', call: { method: 'GET', target: '/nowhere' }, status: 404 },
  { what: 'a document is asked for by another method', call: { method: 'GET', target: '/' }, status: 404 },
  { what: 'the method is wrong', call: { method: 'DELETE', target: '/me' }, status: 405 },
  {
    what: 'parameters do not fit',
    call: { method: 'GET', target: '/parameters?top=11' },
    headers: () => [tokenOf('adele'), 'X-Tier: lead'],
    status: 400,
  },
  {
    what: 'the head is too long',
    call: ME,
    headers: () => [tokenOf('adele'), `X-Long: ${'a'.repeat(16 * 1_024)}`],
    status: 431,
  },
  { what: 'the target is too long', call: { method: 'GET', target: `/me?${'a'.repeat(16 * 1_024)}` }, status: 414 },
  { what: 'there is a fragment', call: { method: 'GET', target: '/me?a#b' }, status: 400 },
  { what: 'the expectation is another', call: ME, headers: () => ['Expect: the-best'], status: 400 },
  { what: 'HEAD has no token', call: { method: 'HEAD', target: '/me' }, status: 401 },
  ...[
    ['/orders/../me', 404],
    ['/orders/%2e%2e/me', 404],
    ['/orders/%2E%2E', 400],
    ['/orders/..%2fme', 400],
    ['//me', 404],
    ['/me/', 404],
    ['/orders/a%2f..%2fb', 400],
    ['/orders/%00', 400],
    ['/orders/%zz', 400],
    ['/me;a=b', 404],
    ['/%6de', 401],
    ['/files/..%2f..%2fetc', 400],
    ['/files/a//b', 400],
    ['/files/a%5cb', 400],
    ['http://elsewhere.example/me', 401],
    ['http://elsewhere.example/', 404],
    [`http://elsewhere.${'e'.repeat(17_000)}/me`, 401],
  ].map(([target, status]) => ({
    what: `the target is ${String(target).slice(0, 40)}`,
    call: { method: 'GET', target: String(target) },
    status: Number(status),
  })),
];

describe('is a call refused as the proxy refuses it, byte for byte, when', () => {
  it.each(ROWS.flatMap((row) => (Object.keys(DIALECTS) as DialectName[]).map((dialect) => ({ ...row, dialect }))))(
    '$what, asked by $dialect',
    async ({ call, headers, entra, status, at = world, waits, dialect }) => {
      entra?.();
      const same = {
        ...call,
        headers: ['X-Request-Id: same', 'Origin: https://app.contoso.com', ...(headers?.() ?? [])],
      };
      const ofProxy = bytesOf(await callProxy(at, same));
      const ofService = bytesOf(await ask(at, dialect, same));
      expect(ofProxy).toMatchObject({ status });
      expect(call.method === 'HEAD' || waits === true ? mask(ofService) : ofService).toEqual(
        call.method === 'HEAD' || waits === true ? mask(ofProxy) : ofProxy,
      );
    },
  );

  it.each(ROWS)('$what: and nginx hears only that it is', async ({ call, headers, entra, at = world }) => {
    entra?.();
    const answer = await ask(at, 'nginx', { ...call, headers: headers?.() ?? [] });
    expect([answer.status, answer.body, answer.header('www-authenticate'), answer.header('content-length')]).toEqual([
      401,
      '',
      undefined,
      '0',
    ]);
  });
});

/** Leaves out what is drawn for each answer, and the body, which HEAD does not have. */
function mask(answer: object): object {
  const { status, headers } = answer as { status: number; headers: readonly (readonly [string, string])[] };
  return { status, headers: headers.map(([name, value]) => (name === 'retry-after' ? [name] : [name, value])) };
}
