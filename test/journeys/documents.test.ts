import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import { answerWith } from '../support/gateway-downstream.ts';
import { gatewayContract, scope } from '../support/gateway-contract.ts';
import { readProblem, startGatewayWorld } from '../support/gateway-world.ts';

const PAGE = 'https://app.contoso.com';
const world = await startGatewayWorld({
  server: { publicUrl: 'https://api.contoso.com', cors: { origins: [PAGE, 'http://localhost:3000'] } },
});
const closed = await startGatewayWorld({ emulator: world.emulator });
afterAll(async () => {
  await closed.close();
  await world.close();
});
beforeEach(() => world.downstream.reset());

const METADATA = '/.well-known/oauth-protected-resource';

describe('what can a client learn without a token', () => {
  it('the contract, without what is between its author and the gateway', async () => {
    const response = await world.call('/openapi.json');
    const published = (await response.json()) as typeof gatewayContract;
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(Object.keys(published.paths)).toEqual(Object.keys(gatewayContract.paths));
    expect(JSON.stringify(published)).not.toContain('"x-');
  });

  it('the metadata of RFC 9728', async () => {
    const response = await world.call(METADATA);
    expect(await response.json()).toEqual({
      resource: 'https://api.contoso.com',
      resource_name: 'Tests',
      authorization_servers: [`${world.emulator.origin}/${HOME_TENANT_ID}/v2.0`],
      scopes_supported: [scope('Profile.Read'), scope('Orders.Read'), scope('Orders.ReadWrite')],
      bearer_methods_supported: ['header'],
    });
  });

  it.each(['/openapi.json', METADATA])('%s has a HEAD, and no other method', async (path) => {
    const head = await world.call(path, { method: 'HEAD' });
    const get = await world.call(path);
    const post = await world.call(path, { method: 'POST', body: 'x' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(head.headers.get('content-length')).toBe(String(Buffer.byteLength(await get.text())));
    expect([post.status, post.headers.get('allow'), (await readProblem(post)).code]).toEqual([
      405,
      'GET, HEAD',
      'method_not_allowed',
    ]);
  });

  it('a query changes nothing', async () => {
    expect((await world.call('/openapi.json?x=1')).status).toBe(200);
  });
});

/** Asks in the way of browsers whether a page may call. */
function preflight(origin: string, to = world): Promise<Response> {
  return to.call('/me', {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'authorization,x-custom',
    },
  });
}

describe('may a page in a browser call', () => {
  it('of an allowed origin: the preflight needs no token and grants what was asked', async () => {
    const response = await preflight(PAGE);
    expect([response.status, Object.fromEntries(response.headers)]).toEqual([
      204,
      expect.objectContaining({
        'access-control-allow-origin': PAGE,
        'access-control-allow-methods': 'GET',
        'access-control-allow-headers': 'authorization,x-custom',
        'access-control-max-age': '600',
        vary: 'Origin',
      }),
    ]);
  });

  it.each([
    { what: 'a forwarded answer', path: '/open', status: 200 },
    { what: 'a challenge', path: '/me', status: 401 },
    { what: 'a document of ours', path: '/openapi.json', status: 200 },
  ])('of an allowed origin: it can read $what', async ({ path, status }) => {
    const response = await world.call(path, { headers: { origin: PAGE } });
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([status, PAGE]);
    expect(response.headers.get('access-control-expose-headers')).toMatch(/WWW-Authenticate.*x-request-id/);
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
    expect(response.headers.get('vary')).toBe('Origin');
  });

  it('of an allowed origin: it can read that its headers grew too large', async () => {
    const response = await world.call('/open', { headers: { origin: PAGE, authorization: 'x'.repeat(20_000) } });
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([431, PAGE]);
    expect((await readProblem(response)).code).toBe('headers_too_large');
  });

  it.each([
    'https://evil.example',
    'https://app.contoso.com.evil.example',
    'https://evil-app.contoso.com',
    'http://app.contoso.com',
    'https://app.contoso.com:8443',
    'HTTPS://APP.CONTOSO.COM',
    'null',
  ])('of %s: no', async (origin) => {
    const asked = await preflight(origin);
    const called = await world.call('/open', { headers: { origin } });
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([405, null]);
    expect([called.headers.get('access-control-allow-origin'), called.headers.get('vary')]).toEqual([null, 'Origin']);
  });

  it('where no origin is allowed: there is no word of CORS at all', async () => {
    const response = await closed.call('/open', { headers: { origin: PAGE } });
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
    expect((await preflight(PAGE, closed)).status).toBe(405);
  });

  it('an OPTIONS that is no preflight is an operation like any other', async () => {
    await world.call('/open', { method: 'OPTIONS', headers: { origin: PAGE } });
    expect(world.downstream.last.method).toBe('OPTIONS');
  });

  it('a downstream that speaks CORS itself does not spoil the answer', async () => {
    world.downstream.answer = answerWith(200, [
      'access-control-allow-origin',
      '*',
      'access-control-expose-headers',
      'etag',
    ]);
    const response = await world.call('/open', { headers: { origin: PAGE } });
    // Browsers refuse an answer with two values.
    expect(response.headers.get('access-control-allow-origin')).toBe(PAGE);
  });

  it('a downstream cannot open the gateway to an origin that is not on the list', async () => {
    world.downstream.answer = answerWith(200, ['access-control-allow-origin', 'https://evil.example']);
    const response = await world.call('/open', { headers: { origin: 'https://evil.example' } });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });
});
