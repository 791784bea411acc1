import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { HOME_TENANT_ID, PARTNER_TENANT_ID } from '../../dev/emulator/world.ts';
import { startGatewayWorld } from '../support/gateway-world.ts';
import { ask, bearer, bytesOf, callProxy, CHECKS, contract, unplaced, type ClientCall } from './engine.ts';

const options = { authorizationService: { port: 0 }, contract: [{ document: contract }], downstreams: unplaced };
const world = await startGatewayWorld(options);
const { emulator, downstream } = world;
const many = await startGatewayWorld({
  ...options,
  emulator,
  identity: { tenant: 'organizations', allowedTenants: [HOME_TENANT_ID, PARTNER_TENANT_ID] },
});
afterAll(async () => {
  await many.close();
  await world.close();
});
afterEach(() => {
  emulator.resetSwitches();
  downstream.reset();
});

function decode(authorization = ''): Record<string, unknown> {
  const [, payload = ''] = authorization.split('.');
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
}

const adele = (): string => bearer(world.token('adele'));

describe.each(CHECKS)('what does an engine that asks as %s get for a call that may pass?', (dialect) => {
  it('the token of the downstream, and nothing else', async () => {
    const call = { method: 'GET', target: '/me?$select=id', headers: [adele(), 'X-Request-Id: mine'] };
    const { headers, ...answer } = await ask(world, dialect, call);
    expect(answer).toMatchObject({ status: 200, body: '' });
    const known = new Set(['date', 'connection', 'keep-alive']);
    expect(headers.filter(([name]) => !known.has(name))).toEqual([
      ['authorization', expect.stringMatching(/^Bearer ey/)],
      ['x-request-id', 'mine'],
      ['cache-control', 'no-store'],
      ['content-length', '0'],
    ]);
    expect(decode(answer.header('authorization'))).toMatchObject({ scp: expect.stringContaining('User.Read') });
    expect(downstream.requests).toEqual([]);
  });

  it.each<readonly [what: string, call: () => ClientCall]>([
    ['an operation that is open to all', () => ({ method: 'GET', target: '/open', headers: [adele()] })],
    ['an optional token that is not there', () => ({ method: 'GET', target: '/optional' })],
    [
      'an optional token that meets nothing',
      () => ({
        method: 'GET',
        target: '/optional',
        headers: [bearer(world.token('adele', { scopes: ['Orders.Read'] }))],
      }),
    ],
  ])('no token for %s, and the word to take that of the caller away', async (_what, call) => {
    const answer = await ask(world, dialect, call());
    expect([answer.status, answer.header('authorization'), answer.header('x-envoy-auth-headers-to-remove')]).toEqual([
      200,
      undefined,
      'authorization',
    ]);
  });

  it('an optional token that is good becomes one of the downstream', async () => {
    const answer = await ask(world, dialect, { method: 'GET', target: '/optional', headers: [adele()] });
    expect([answer.status, answer.header('authorization')]).toEqual([200, expect.stringMatching(/^Bearer ey/)]);
  });

  it('the gateway’s own token for an app', async () => {
    const headers = [bearer(emulator.issueAccessToken({ app: 'daemon' }))];
    const answer = await ask(world, dialect, { method: 'GET', target: '/orders', headers });
    expect(answer.status).toBe(200);
    expect(decode(answer.header('authorization'))).not.toHaveProperty('scp');
  });

  it('the token of the user’s own tenant', async () => {
    const headers = [bearer(many.token('guest', { tenant: PARTNER_TENANT_ID }))];
    const answer = await ask(many, dialect, { method: 'GET', target: '/me', headers });
    expect(answer.status).toBe(200);
    expect(decode(answer.header('authorization'))).toMatchObject({ tid: PARTNER_TENANT_ID });
  });

  it('the token for HEAD where there is GET', async () => {
    const answer = await ask(world, dialect, { method: 'HEAD', target: '/me', headers: [adele()] });
    expect([answer.status, answer.header('authorization')]).toEqual([200, expect.stringMatching(/^Bearer ey/)]);
  });

  it('the token for declared parameters that fit, and for a body that nobody looked at', async () => {
    const parameters = await ask(world, dialect, {
      method: 'GET',
      target: '/parameters?top=10',
      headers: [adele(), 'X-Tier: gold'],
    });
    const body = await ask(world, dialect, { method: 'POST', target: '/orders', headers: [adele()] });
    expect([parameters.status, body.status]).toEqual([200, 200]);
  });

  it('a second time the same token, from memory', async () => {
    const headers = [adele()];
    const first = await ask(world, dialect, { method: 'GET', target: '/me', headers });
    const before = emulator.exchanges.length;
    const second = await ask(world, dialect, { method: 'GET', target: '/me', headers });
    expect([second.header('authorization'), emulator.exchanges.length]).toEqual([
      first.header('authorization'),
      before,
    ]);
  });

  it('a token for an API that the gateway cannot reach itself', async () => {
    const answer = await ask(world, dialect, { method: 'GET', target: '/engine-only', headers: [adele()] });
    expect([answer.status, answer.header('authorization')]).toEqual([200, expect.stringMatching(/^Bearer ey/)]);
  });
});

describe('an API without baseUrl', () => {
  it.each([
    ['a good call', 'GET', () => [adele()], 404],
    ['an anonymous call', 'POST', () => [], 404],
    ['a call without a token', 'GET', () => [], 401],
    ['a call without the scope', 'GET', () => [bearer(world.token('adele', { scopes: ['Orders.Read'] }))], 403],
  ])('is not found at the proxy: %s costs no exchange', async (_what, method, headers, status) => {
    const before = emulator.exchanges.length;
    const answer = await callProxy(world, { method, target: '/engine-only', headers: headers() });
    expect([answer.status, emulator.exchanges.length]).toEqual([status, before]);
  });

  it('and the log says how it is reached', async () => {
    const headers = [adele(), 'X-Request-Id: unplaced-1'];
    await callProxy(world, { method: 'GET', target: '/engine-only', headers });
    expect(await world.log.of('unplaced-1')).toMatchObject({
      code: 'not_found',
      reason: 'downstreams.unplaced has no baseUrl, so only engines call it',
      remedy: expect.stringContaining('baseUrl'),
    });
  });
});

describe('preflights and documents', () => {
  it.each([
    ['OPTIONS', '/me', 405],
    ['GET', '/openapi.json', 404],
    ['GET', '/.well-known/oauth-protected-resource', 404],
  ])('are for the proxy to answer, not for a check to let pass: %s %s', async (method, target, status) => {
    const answer = await ask(world, 'forward-auth', { method, target, headers: ['Origin: https://app.contoso.com'] });
    expect(answer.status).toBe(status);
  });
});

async function countMissingTokens(): Promise<string | undefined> {
  const metrics = await (await fetch(`${world.managementUrl}/metrics`)).text();
  return /^gateway_problems_total\{code="missing_token"\} (\d+)$/m.exec(metrics)?.[1];
}

describe('the log and the metrics', () => {
  it('say that a call was asked about', async () => {
    const headers = [adele(), 'X-Request-Id: asked-1'];
    await ask(world, 'envoy', { method: 'GET', target: '/me', headers });
    await callProxy(world, { method: 'GET', target: '/me', headers: [adele(), 'X-Request-Id: proxied-1'] });
    expect(await world.log.of('asked-1')).toMatchObject({ via: 'check', operation: 'getProfile', status: 200 });
    expect(await world.log.of('proxied-1')).not.toHaveProperty('via');
    const metrics = await (await fetch(`${world.managementUrl}/metrics`)).text();
    expect(metrics).toMatch(
      /^gateway_http_requests_total\{operation="getProfile",method="GET",status="200",via="check"\} [1-9]/m,
    );
    expect(metrics).toMatch(
      /^gateway_http_requests_total\{operation="getProfile",method="GET",status="200",via="proxy"\} 1$/m,
    );
  });

  it('tell a refusal once, with the status that the client sees, though nginx asks twice', async () => {
    const call = { method: 'GET', target: '/me', headers: ['X-Request-Id: once-1'] };
    await ask(world, 'nginx', call);
    const line = await world.log.of('once-1');
    const before = await countMissingTokens();
    const refusal = await ask(world, 'nginx, for the refusal', call);
    expect([line, refusal.status]).toMatchObject([{ via: 'check', status: 401, code: 'missing_token' }, 401]);
    expect(await countMissingTokens()).toBe(before);
    expect(world.log.lines.filter(({ requestId }) => requestId === 'once-1')).toHaveLength(1);
  });

  it('tell the true status of what nginx hears as 401', async () => {
    await ask(world, 'nginx', { method: 'GET', target: '/nowhere', headers: ['X-Request-Id: hidden-1'] });
    expect(await world.log.of('hidden-1')).toMatchObject({ status: 404, code: 'not_found' });
  });

  it('tell of a call that passes by the time nginx asks why it did not', async () => {
    const headers = [adele(), 'X-Request-Id: late-1'];
    const answer = await ask(world, 'nginx, for the refusal', { method: 'GET', target: '/me', headers });
    expect(bytesOf(answer)).toMatchObject({ status: 503, body: expect.stringContaining('"identity_unavailable"') });
    expect([answer.header('retry-after'), answer.header('authorization')]).toEqual(['1', undefined]);
    expect(await world.log.of('late-1')).toMatchObject({ via: 'check', status: 503 });
  });
});

describe('a refusal that newer tokens keep meeting', () => {
  const CLAIMS = '{"access_token":{"capolids":{"essential":true,"values":["a"]}}}';

  it('counts once though nginx asks twice, and ends as it does at the proxy', async () => {
    emulator.switches.refuse = { error: 'interaction_required', error_codes: [50076], claims: CLAIMS };
    const statuses: number[] = [];
    for (const age of [3, 2, 1]) {
      const iat = Math.floor(Date.now() / 1_000) - age;
      const call = { method: 'GET', target: '/me', headers: [bearer(world.token('megan', { claims: { iat } }))] };
      await ask(world, 'nginx', call);
      statuses.push((await ask(world, 'nginx, for the refusal', call)).status);
    }
    expect(statuses).toEqual([401, 401, 403]);
  });
});
