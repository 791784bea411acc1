import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import { answerWith } from '../support/gateway-downstream.ts';
import { gatewayContract, scope } from '../support/gateway-contract.ts';
import { until } from '../support/gateway-poll.ts';
import { readChallenge, readProblem, startGatewayWorld } from '../support/gateway-world.ts';
import { rawRequest } from '../support/raw-request.ts';
import { makeIssuerKey, startTokenIssuer } from '../support/token-issuer.ts';

const PAGE = 'https://app.contoso.com';
const world = await startGatewayWorld({
  server: {
    publicUrl: 'https://api.contoso.com',
    cors: {
      origins: [PAGE, 'http://localhost:3000', 'capacitor://localhost', 'ionic://localhost'],
      exposedHeaders: ['X-Total'],
    },
  },
});
const closed = await startGatewayWorld({ emulator: world.emulator });
afterAll(async () => {
  await closed.close();
  await world.close();
});
beforeEach(() => world.downstream.reset());

/** What a page of an allowed origin may read of an answer, whatever gateway.yaml adds. */
const EXPOSED =
  'WWW-Authenticate, Retry-After, x-request-id, ETag, Location, Content-Location, Content-Disposition, Content-Range, ' +
  'Accept-Ranges, Link, Operation-Location, Preference-Applied';

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

  it('its issuer and where to sign in, as soon as Entra’s own metadata tell that this is External ID', async () => {
    const entra = await startTokenIssuer([makeIssuerKey().jwk]);
    const { v2 } = entra.publications;
    Object.assign(entra.publications, { v1: { status: 404, body: '' }, v2: { status: 503, body: '' } });
    const external = await startGatewayWorld({
      emulator: world.emulator,
      identity: { authority: entra.origin },
      beforeStart: () => undefined,
    });
    const servers = async (): Promise<unknown> =>
      ((await (await external.call(METADATA)).json()) as Record<string, unknown>)['authorization_servers'];
    const signInAddress = async (): Promise<string | undefined> =>
      new Map(readChallenge(await external.call('/me'))).get('authorization_uri');
    const before = [await servers(), await signInAddress()];
    const named = `https://${HOME_TENANT_ID}.ciamlogin.com/${HOME_TENANT_ID}/v2.0`;
    entra.publications.v2 = { body: v2.body.replace(`${entra.origin}/{tenantid}/v2.0`, named) };
    await until('Entra’s metadata are known', async () => JSON.stringify(await servers()) === JSON.stringify([named]));
    const after = await signInAddress();
    await external.close();
    await entra.close();
    expect([...before, after]).toEqual([
      [`${entra.origin}/${HOME_TENANT_ID}/v2.0`],
      `${entra.origin}/common/oauth2/v2.0/authorize`,
      `${entra.origin}/${HOME_TENANT_ID}/oauth2/v2.0/authorize`,
    ]);
  });

  it('its issuer, for people of many tenants', async () => {
    const many = await startGatewayWorld({
      emulator: world.emulator,
      identity: { tenant: 'organizations', allowedTenants: [HOME_TENANT_ID] },
    });
    const metadata = (await (await many.call(METADATA)).json()) as Record<string, unknown>;
    await many.close();
    expect(metadata['authorization_servers']).toEqual([`${world.emulator.origin}/organizations/v2.0`]);
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

  it.each(['/openapi.json', METADATA])('%s can be read by every page, whatever its origin', async (path) => {
    const origins = [undefined, PAGE, 'https://docs.example', 'null'];
    const responses = await Promise.all(
      origins.flatMap((origin) =>
        [world, closed].map((to) => to.call(path, { headers: origin === undefined ? {} : { origin } })),
      ),
    );
    const seen = responses.map(({ status, headers }) => [
      status,
      headers.get('access-control-allow-origin'),
      headers.get('vary'),
    ]);
    expect(new Set(seen.map((each) => JSON.stringify(each)))).toEqual(new Set(['[200,"*",null]']));
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
  ])('of an allowed origin: it can read $what', async ({ path, status }) => {
    const response = await world.call(path, { headers: { origin: PAGE } });
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([status, PAGE]);
    expect(response.headers.get('access-control-expose-headers')).toBe(`${EXPOSED}, X-Total`);
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
    expect(response.headers.get('vary')).toBe('Origin');
  });

  it.each(['capacitor://localhost', 'ionic://localhost'])('of a hybrid app, %s: yes', async (origin) => {
    const asked = await preflight(origin);
    const called = await world.call('/me', { headers: { origin } });
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([204, origin]);
    expect([called.status, called.headers.get('access-control-allow-origin')]).toEqual([401, origin]);
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

const get = (path: string): string => `GET ${path} HTTP/1.1`;
const asking = [`Origin: ${PAGE}`, 'Access-Control-Request-Method: GET'];

describe('what two servers could read in two ways is refused at every door', () => {
  it.each([
    { what: 'two Hosts', lines: ['Host: a', 'Host: b'], status: 400 },
    { what: 'no Host', lines: [], status: 400 },
    { what: 'two Authorization lines', lines: ['Host: a', 'Authorization: Bearer x', 'Authorization: Bearer x'] },
    { what: 'another expectation', lines: ['Host: a', 'Expect: miracles'], status: 400 },
    { what: '1,001 headers', lines: ['Host: a', ...Array.from({ length: 1_000 }, (_, at) => `h${at}:`)], status: 431 },
    { what: 'too large a head', lines: ['Host: a', `X-Large: ${'x'.repeat(17 * 1_024)}`], status: 431 },
  ])('$what', async ({ lines, status = 400 }) => {
    const requests = [
      [get('/me'), ...lines],
      [get('/openapi.json'), ...lines],
      [get(METADATA), ...lines],
      ['HEAD /openapi.json HTTP/1.1', ...lines],
      ['OPTIONS /me HTTP/1.1', ...lines, ...asking],
      ['OPTIONS /openapi.json HTTP/1.1', ...lines, ...asking],
    ];
    const responses = await Promise.all(requests.map((request) => rawRequest(world.port, request)));
    expect(responses.map((response) => response.status)).toEqual(requests.map(() => status));
  });

  it.each(['/me?a#b', '/openapi.json?a#b', '/openapi.json#b', `${METADATA}#b`])('a fragment: %s', async (target) => {
    expect((await rawRequest(world.port, [get(target), 'Host: a'])).status).toBe(400);
  });

  it('a target that is too long', async () => {
    const target = `/openapi.json?${'x'.repeat(17 * 1_024)}`;
    expect((await rawRequest(world.port, [get(target), 'Host: a'])).status).toBe(414);
  });
});
