import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { answerWith, valuesOf } from '../support/gateway-downstream.ts';
import { startGatewayWorld } from '../support/gateway-world.ts';
import {
  atEntra,
  CLIENT_ID,
  ENTRA_JSON,
  form,
  INITIATE,
  ORIGIN,
  PAGE_LINES,
  startNativeAuthWorld,
  TOKEN,
} from './native-auth-world.ts';

const world = await startNativeAuthWorld();
const { entra } = world;
afterAll(() => world.close());
beforeEach(() => world.reset());

const CORRELATION_ID = '0f9c1b1e-52a4-4c1e-9d57-7a7a35f1c001';
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('a form of a page', () => {
  it.each([
    ['/oauth2/v2.0/initiate', { username: 'ada@contoso.com', challenge_type: 'oob password redirect' }],
    ['/oauth2/v2.0/challenge', { continuation_token: 'c', challenge_type: 'oob redirect' }],
    ['/oauth2/v2.0/token', { grant_type: 'password', continuation_token: 'c', password: 'p+ä 1&' }],
    ['/oauth2/v2.0/token', { grant_type: 'oob', continuation_token: 'c', oob: '12345678' }],
    ['/oauth2/v2.0/token', { grant_type: 'mfa_oob', continuation_token: 'c', oob: '1' }],
    ['/oauth2/v2.0/token', { grant_type: 'continuation_token', continuation_token: 'c' }],
    ['/oauth2/v2.0/token', { grant_type: 'refresh_token', refresh_token: 'r' }],
    ['/oauth2/v2.0/introspect', { continuation_token: 'c' }],
    ['/signup/v1.0/start', { username: 'ada@contoso.com', attributes: '{"city":"Ulm"}' }],
    ['/signup/v1.0/challenge', { continuation_token: 'c' }],
    ['/signup/v1.0/continue', { continuation_token: 'c', grant_type: 'attributes' }],
    ['/resetpassword/v1.0/start', { username: 'ada@contoso.com' }],
    ['/resetpassword/v1.0/challenge', { continuation_token: 'c' }],
    ['/resetpassword/v1.0/continue', { continuation_token: 'c', grant_type: 'oob', oob: '1' }],
    ['/resetpassword/v1.0/submit', { continuation_token: 'c', new_password: 'p' }],
    ['/resetpassword/v1.0/poll_completion', { continuation_token: 'c' }],
    ['/register/v1.0/introspect', { continuation_token: 'c' }],
    ['/register/v1.0/challenge', { continuation_token: 'c', challenge_target: '+491' }],
    ['/register/v1.0/continue', { continuation_token: 'c', grant_type: 'oob' }],
  ])('reaches %s of the tenant with %j', async (endpoint, parameters) => {
    const { status } = await world.post(`/native-auth${endpoint}`, form(parameters));
    const [asked] = world.asked();
    expect([status, asked?.url]).toEqual([200, atEntra(endpoint)]);
    expect(Object.fromEntries(new URLSearchParams(asked?.body.toString()))).toEqual({
      client_id: CLIENT_ID,
      ...parameters,
    });
  });

  it.each([
    'application/x-www-form-urlencoded;charset=utf-8',
    'Application/X-WWW-Form-Urlencoded; Charset="UTF-8"',
    'application/x-www-form-urlencoded ',
  ])('may come as %s', async (type) => {
    const lines = [`Origin: ${ORIGIN}`, `Content-Type: ${type}`];
    expect((await world.post(INITIATE, form({ username: 'a' }), { lines })).status).toBe(200);
  });

  it('may name its app in upper case', async () => {
    const body = `client_id=${CLIENT_ID.toUpperCase()}&username=a`;
    expect((await world.post(INITIATE, body)).status).toBe(200);
  });

  it('may wait until it is asked for', async () => {
    const { status, interim } = await world.post(INITIATE, form({ username: 'a' }), {
      lines: [...PAGE_LINES, 'Expect: 100-continue'],
    });
    expect([status, interim]).toEqual([200, [100]]);
  });

  it('takes along what MSAL says of itself, and no other header', async () => {
    await world.post(INITIATE, form({ username: 'a' }), {
      lines: [
        ...PAGE_LINES,
        'x-client-SKU: msal.browser',
        'x-client-VER: 5.29.0',
        'x-client-OS:',
        'x-client-CPU:',
        'x-client-current-telemetry: 5|1,0,,,|,',
        'x-client-last-telemetry: 5|0|||0,0',
        `client-request-id: ${CORRELATION_ID}`,
        `traceparent: ${TRACEPARENT}`,
        'Cookie: ESTSAUTH=stolen',
        'Authorization: Basic c3RvbGVu',
        'Proxy-Authorization: Basic c3RvbGVu',
        'X-Forwarded-For: 10.0.0.1',
        'X-Forwarded-Host: evil.example',
        'Forwarded: for=10.0.0.1',
        'X-Original-URL: /common/oauth2/v2.0/token',
        'X-HTTP-Method-Override: GET',
        'x-client-extra: 1',
        'x_client_sku: 1',
        'Accept-Language: de',
        'Referer: https://shop.contoso.com/secret',
        'Connection: keep-alive, content-type, x-client-sku',
      ],
    });
    const { rawHeaders } = world.asked()[0] ?? { rawHeaders: [] };
    const headers = Object.fromEntries(
      rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1]]] : [])),
    );
    expect(headers).toEqual({
      accept: 'application/json',
      connection: 'keep-alive',
      'content-length': expect.any(String),
      'content-type': 'application/x-www-form-urlencoded',
      host: `127.0.0.1:${entra.port}`,
      'user-agent': expect.stringContaining('axios'),
      'x-client-sku': 'msal.browser',
      'x-client-ver': '5.29.0',
      'x-client-os': '',
      'x-client-cpu': '',
      'x-client-current-telemetry': '5|1,0,,,|,',
      'x-client-last-telemetry': '5|0|||0,0',
      'client-request-id': CORRELATION_ID,
      traceparent: TRACEPARENT,
    });
  });

  it('that renews a token may name its correlation id in the query, as MSAL does', async () => {
    const body = form({ grant_type: 'refresh_token', refresh_token: 'r' });
    const { status, header } = await world.post(`${TOKEN}?client-request-id=${CORRELATION_ID}`, body);
    const [asked] = world.asked();
    const line = await world.log.of(header('x-request-id') ?? null);
    expect([status, asked?.url, valuesOf(asked?.rawHeaders ?? [], 'client-request-id'), line['correlationId']]).toEqual(
      [200, atEntra('/oauth2/v2.0/token'), [CORRELATION_ID], CORRELATION_ID],
    );
  });
});

describe('the answer of Entra', () => {
  it('comes back byte for byte, with its request id and without its cookies and rules', async () => {
    const headersOfEntra = {
      'content-type': 'application/json; charset=utf-8',
      'x-ms-request-id': 'm-1',
      'x-ms-ests-server': 's',
      'set-cookie': 'fpc=1',
      'access-control-allow-origin': '*',
      'access-control-allow-credentials': 'true',
      'strict-transport-security': 'max-age=1',
      'www-authenticate': 'Bearer realm="evil"',
    };
    entra.answer = answerWith(400, Object.entries(headersOfEntra).flat(), ENTRA_JSON);
    const response = await world.post(INITIATE, form({ username: 'a' }));
    expect([response.status, Buffer.from(response.body, 'latin1').toString()]).toEqual([400, ENTRA_JSON]);
    const headers = response.headers.filter(([name]) => name !== 'date').map(([name, value]) => `${name}: ${value}`);
    expect(headers.toSorted()).toEqual([
      'access-control-allow-origin: https://shop.contoso.com',
      'access-control-expose-headers: x-ms-request-id, x-request-id, Retry-After',
      'cache-control: no-store',
      'connection: keep-alive',
      `content-length: ${Buffer.byteLength(ENTRA_JSON)}`,
      "content-security-policy: default-src 'none';frame-ancestors 'none'",
      'content-type: application/json; charset=utf-8',
      'keep-alive: timeout=65',
      'referrer-policy: no-referrer',
      'vary: Origin',
      'x-content-type-options: nosniff',
      'x-ms-request-id: m-1',
      expect.stringMatching(/^x-request-id: [\w-]{36}$/),
    ]);
  });

  it('passes also when it asks to wait', async () => {
    const headers = ['content-type', 'application/json', 'retry-after', '7'];
    entra.answer = answerWith(429, headers, '{"error":"slow_down"}');
    const { status, body, header } = await world.post(INITIATE, form({ username: 'a' }));
    expect([status, body, header('retry-after')]).toEqual([429, '{"error":"slow_down"}', '7']);
  });

  const html = ['content-type', 'text/html'];
  const json = ['content-type', 'application/json'];
  it.each([
    ['a page', answerWith(200, html, '<p>'), '5'],
    ['a page that calls itself JSON', answerWith(200, json, '<p>'), '5'],
    ['JSON that calls itself a page', answerWith(200, html, '{}'), '5'],
    ['nothing', answerWith(200, json), '5'],
    ['a redirect', answerWith(302, [...json, 'location', 'https://evil.example/'], '{}'), '5'],
    ['a fault that names a time', answerWith(503, [...json, 'retry-after', '42'], '{"error":"x"}'), '42'],
    ['more than a megabyte', answerWith(200, json, `"${'x'.repeat(2 ** 20)}"`), '5'],
    ['a broken connection', (req: { socket: { destroy(): void } }) => req.socket.destroy(), '5'],
    ['only silence', () => undefined, '5'],
  ])('that is %s becomes a 503 with Retry-After, which the page may read', async (_, answer, wait) => {
    entra.answer = answer;
    const { status, body, header } = await world.post(INITIATE, form({ username: 'a' }));
    expect([status, JSON.parse(body), header('retry-after'), header('access-control-allow-origin')]).toEqual([
      503,
      expect.objectContaining({ code: 'identity_unavailable' }),
      wait,
      ORIGIN,
    ]);
  });
});

describe('a preflight', () => {
  it.each([INITIATE, TOKEN])('of a page that may is answered here: %s', async (path) => {
    const lines = [`Origin: ${ORIGIN}`, 'Access-Control-Request-Method: POST'];
    const { status, header, all } = await world.post(path, '', { method: 'OPTIONS', lines });
    expect([
      status,
      all('access-control-allow-origin'),
      header('access-control-allow-methods'),
      header('access-control-allow-headers'),
      header('access-control-max-age'),
      header('access-control-allow-credentials'),
      header('vary'),
      entra.requests.filter(({ method }) => method !== 'GET'),
    ]).toEqual([
      204,
      [ORIGIN],
      'POST, OPTIONS',
      'content-type, client-request-id, traceparent, x-request-id, x-client-cpu, x-client-current-telemetry, x-client-last-telemetry, x-client-os, x-client-sku, x-client-ver',
      '86400',
      undefined,
      'Origin',
      [],
    ]);
  });
});

describe('what is left of a request', () => {
  it('is one log line and one count, without anything that is secret', async () => {
    const secret = 'hush-hush';
    const parameters = { grant_type: 'password', continuation_token: secret, password: secret, username: secret };
    entra.answer = answerWith(400, ['content-type', 'application/json'], `{"continuation_token":"${secret}"}`);
    const { header } = await world.post(TOKEN, form(parameters));
    const refused = await world.post(TOKEN, `${form(parameters)}&password=${secret}`);
    entra.answer = answerWith(500, [], secret);
    const failed = await world.post(TOKEN, form(parameters));
    const id = header('x-request-id') ?? null;
    expect(await world.log.of(id)).toMatchObject({ operation: 'native-auth /oauth2/v2.0/token', status: 400 });
    expect(await world.log.of(failed.header('x-request-id') ?? null)).toMatchObject({
      code: 'identity_unavailable',
      entra: { status: 500 },
    });
    const metrics = await (await fetch(`${world.managementUrl}/metrics`)).text();
    expect(metrics).toMatch(
      /^gateway_http_requests_total\{operation="native-auth \/oauth2\/v2\.0\/token",method="POST",status="503",via="proxy"\} 1$/m,
    );
    expect(world.log.lines.filter(({ requestId }) => requestId === id)).toHaveLength(1);
    expect([world.log.text, metrics, refused.body, failed.body].filter((text) => text.includes(secret))).toEqual([]);
  });
});

describe('without the section', () => {
  it('there is nothing on its paths, and nothing of its CORS', async () => {
    const plain = await startGatewayWorld();
    const init = { method: 'POST', headers: { origin: ORIGIN }, body: new URLSearchParams({ client_id: CLIENT_ID }) };
    const response = await plain.call(INITIATE, init);
    await plain.close();
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([404, null]);
  });
});
