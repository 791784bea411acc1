import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { describeWithEngines, ENGINES, type EngineName } from './engine.ts';
import { essenceOf, send, startEngineWorld, type Call, type EngineWorld } from './engine-world.ts';

const CLAIMS = '{"access_token":{"capolids":{"essential":true,"values":["a"]}}}';
const LONG_CLAIMS = `{"access_token":{"capolids":{"essential":true,"values":["${'a'.repeat(3_700)}"]}}}`;
const ID = 'x-request-id: same';

interface Refusal {
  readonly what: string;
  readonly call: (world: EngineWorld) => Call;
  readonly status: number;
  /** Engines that answer otherwise: docs/engines.md says how. */
  readonly otherwise?: Partial<Record<EngineName, number>>;
}

function refusedByEntra(world: EngineWorld, error: string, code: number, more: object = {}): void {
  world.emulator.switches.refuse = { error, error_codes: [code], description: `AADSTS${code}: text`, ...more };
}

function asAdele(world: EngineWorld, line = 'GET /me', more: Partial<Call> = {}): Call {
  return { line, token: world.token('adele'), ...more };
}

const REFUSALS: readonly Refusal[] = [
  { what: 'there is no token', call: () => ({ line: 'GET /me' }), status: 401 },
  {
    what: 'the scheme is another',
    call: () => ({ line: 'GET /me', headers: ['Authorization: Basic YTpi'] }),
    status: 401,
  },
  { what: 'the token is in the query only', call: () => ({ line: 'GET /me?access_token=a.b.c' }), status: 401 },
  {
    what: 'the header is not one token',
    call: () => ({ line: 'GET /me', headers: ['Authorization: Bearer a b'] }),
    status: 400,
  },
  { what: 'the token is none', call: () => ({ line: 'GET /me', token: 'a.b.c' }), status: 401 },
  {
    what: 'the token expired',
    call: (world) => ({ line: 'GET /me', token: world.token('adele', { claims: { exp: 1_700_000_000 } }) }),
    status: 401,
  },
  {
    what: 'the token is for another API',
    call: (world) => ({ line: 'GET /me', token: world.token('adele', { resource: 'graph' }) }),
    status: 401,
  },
  {
    what: 'a scope is missing',
    call: (world) => ({ line: 'GET /me', token: world.token('adele', { scopes: ['Orders.Read'] }) }),
    status: 403,
  },
  {
    what: 'an app calls an operation for people',
    call: (world) => ({ line: 'GET /me', token: world.emulator.issueAccessToken({ app: 'daemon' }) }),
    status: 403,
  },
  {
    what: 'the operation wants an authentication context, and there is a body',
    call: (world) => asAdele(world, 'POST /payouts', { body: 'x'.repeat(300_000) }),
    status: 401,
  },
  {
    what: 'Entra wants more proof',
    call(world) {
      refusedByEntra(world, 'interaction_required', 50076, { claims: CLAIMS });
      return asAdele(world);
    },
    status: 401,
  },
  {
    what: 'Entra wants more proof, in 5 kB',
    call(world) {
      refusedByEntra(world, 'interaction_required', 50076, { claims: LONG_CLAIMS });
      return asAdele(world);
    },
    status: 401,
  },
  {
    what: 'Entra wants the user, without claims',
    call(world) {
      refusedByEntra(world, 'invalid_grant', 50076, { suberror: 'basic_action' });
      return asAdele(world);
    },
    status: 401,
  },
  { what: 'consent is missing', call: (world) => ({ line: 'GET /me', token: world.token('newcomer') }), status: 403 },
  {
    what: 'Entra denies it for good',
    call(world) {
      refusedByEntra(world, 'invalid_grant', 53003, { suberror: 'message_only' });
      return asAdele(world);
    },
    status: 403,
  },
  {
    what: 'the gateway is set up wrongly',
    call(world) {
      refusedByEntra(world, 'invalid_grant', 500131);
      return asAdele(world);
    },
    status: 500,
  },
  {
    what: 'Entra is throttling',
    call(world) {
      world.emulator.switches.entra = 'throttled';
      world.emulator.switches.retryAfter = '38';
      return asAdele(world);
    },
    status: 503,
  },
  { what: 'there is no such path', call: () => ({ line: 'GET /nowhere?a=b' }), status: 404 },
  { what: 'the method is another', call: (world) => asAdele(world, 'PATCH /orders', { body: '{}' }), status: 405 },
  { what: 'it is a HEAD', call: () => ({ line: 'HEAD /me' }), status: 401 },
  {
    what: 'a page of another origin asks',
    call: () => ({ line: 'GET /me', headers: ['Origin: https://a.b'] }),
    status: 401,
  },
  { what: 'the path hides dots', call: () => ({ line: 'GET /things/%2e%2e%2fadmin' }), status: 400 },
  { what: 'the path has two slashes', call: (world) => asAdele(world, 'GET //me'), status: 404 },
  { what: 'the path has dots', call: (world) => asAdele(world, 'GET /things/../me'), status: 404 },
  { what: 'the path has encoded dots', call: (world) => asAdele(world, 'GET /things/%2e%2e/me'), status: 404 },
  {
    what: 'the address has a query and no path',
    call: () => ({ line: 'GET http://api.contoso.com?a=b' }),
    status: 404,
    // HAProxy refuses such a target itself, with its own page.
    otherwise: { haproxy: 400 },
  },
  {
    what: 'the head is too large',
    call: (world) => asAdele(world, 'GET /me', { headers: [`x-padding: ${'x'.repeat(20_000)}`] }),
    status: 431,
  },
  { what: 'the address is too long', call: () => ({ line: `GET /things/${'x'.repeat(17_000)}` }), status: 414 },
  {
    what: 'two tokens are sent',
    call: () => ({ line: 'GET /me', headers: ['Authorization: Bearer a.b.c', 'Authorization: Bearer a.b.c'] }),
    status: 400,
    // nginx refuses such a head itself, with its own page.
    otherwise: { nginx: 400, 'nginx-plain': 400 },
  },
];

describeWithEngines('a refusal behind an engine is that of the proxy, byte for byte', () => {
  let world: EngineWorld;
  beforeAll(async () => {
    world = await startEngineWorld();
  });
  afterEach(() => {
    world.emulator.resetSwitches();
    world.downstream.reset();
  });
  afterAll(() => world?.close());

  it.each(REFUSALS)('when $what', async ({ call, status, otherwise = {} }) => {
    const described = call(world);
    const { headers = [] } = described;
    const asked = { ...described, headers: [...headers, ID] };
    const ofProxy = await send(world.port, asked);
    expect(ofProxy.status).toBe(status);
    const answers = await Promise.all(
      ENGINES.map(async (name) => [name, await send(world.engines[name].port, asked)] as const),
    );
    const seen = Object.fromEntries(
      answers.map(([name, answer]) => [name, otherwise[name] === undefined ? essenceOf(answer) : answer.status]),
    );
    const expected = Object.fromEntries(ENGINES.map((name) => [name, otherwise[name] ?? essenceOf(ofProxy)]));
    expect(seen).toEqual(expected);
    expect(world.downstream.requests).toEqual([]);
  });
});
