import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RawConnection } from '../support/raw-request.ts';
import { answerPlainly } from '../support/gateway-downstream.ts';
import {
  CLIENT_ID,
  codeOf,
  form,
  INITIATE,
  ORIGIN,
  PAGE_LINES,
  startNativeAuthWorld,
  TOKEN,
} from './native-auth-world.ts';

const world = await startNativeAuthWorld({ server: { cors: { origins: ['https://other.contoso.com'] } } });
afterAll(() => world.close());
beforeEach(() => world.reset());

const USER = form({ username: 'ada@contoso.com' });

describe('a path that is not exactly one of the API', () => {
  it.each([
    '/native-auth',
    '/native-auth/',
    '/native-auth/oauth2/v2.0/token/',
    '/native-auth/oauth2/v2.0/Token',
    '/Native-Auth/oauth2/v2.0/token',
    '/native-auth//oauth2/v2.0/token',
    '/native-auth/oauth2//v2.0/token',
    '/native-auth/./oauth2/v2.0/token',
    '/native-auth/signup/../oauth2/v2.0/token',
    '/native-auth/%2e%2e/oauth2/v2.0/token',
    '/native-auth/oauth2%2Fv2.0%2Ftoken',
    '/native-auth/oauth2/v2.0/%74oken',
    '/native-auth/oauth2/v2.0/token%00',
    '/native-auth/oauth2/v2.0/token;x=1',
    String.raw`/native-auth\oauth2\v2.0\token`,
    '/native-auth/oauth2/v2.0/authorize',
    '/native-auth/oauth2/v2.0/authorize-challenge',
    '/native-auth/oauth2/v2.0/devicecode',
    '/native-auth/oauth2/token',
    '/native-auth/common/oauth2/v2.0/token',
    '/native-auth/b4c1a5d2-3f6e-4a87-9c0b-5d1e2f3a4b5c/oauth2/v2.0/token',
    '/native-auth/http://evil.example/oauth2/v2.0/token',
    '/native-auth@evil.example/oauth2/v2.0/token',
    '/native-auth.evil.example/oauth2/v2.0/token',
    '/native-authentication/oauth2/v2.0/token',
    '/native%2Dauth/oauth2/v2.0/token',
    '/oauth2/v2.0/token',
    '//evil.example/native-auth/oauth2/v2.0/token',
    '/open/../native-auth/oauth2/v2.0/token',
  ])('%s: 404, and Entra hears nothing', async (path) => {
    const response = await world.post(path, USER);
    expect([response.status, codeOf(response), world.asked()]).toEqual([404, 'not_found', []]);
  });

  it('but the host of an absolute one does not count', async () => {
    const { status } = await world.post(`http://evil.example${INITIATE}`, USER);
    expect([status, world.asked().length]).toEqual([200, 1]);
  });
});

describe('another method than POST', () => {
  it.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND'])('%s: 405', async (method) => {
    const { status, header } = await world.post(TOKEN, '', { method });
    expect([status, header('allow'), world.asked()]).toEqual([405, 'POST, OPTIONS', []]);
  });
});

describe('another origin', () => {
  it.each([
    [],
    ['Origin: null'],
    ['Origin: https://evil.example'],
    ['Origin: https://shop.contoso.com.evil.example'],
    ['Origin: https://evil-shop.contoso.com'],
    ['Origin: https://shop.contoso.com:8443'],
    ['Origin: http://shop.contoso.com'],
    ['Origin: https://SHOP.contoso.com'],
    ['Origin: https://shop.contoso.com/'],
    ['Origin: https://other.contoso.com'],
    [`Origin: ${ORIGIN}`, 'Origin: https://evil.example'],
    ['Origin: *'],
  ])('%j %j: 403 without CORS, for a form and for a preflight', async (...origin) => {
    const form403 = await world.post(INITIATE, USER, { lines: [...origin, ...PAGE_LINES.slice(1)] });
    const preflight = await world.post(INITIATE, '', {
      method: 'OPTIONS',
      lines: [...origin, 'Access-Control-Request-Method: POST'],
    });
    const seen = [form403, preflight].map((response) => [
      response.status,
      codeOf(response),
      response.header('access-control-allow-origin'),
      response.header('vary'),
    ]);
    const refused = [403, 'access_denied', undefined, 'Origin'];
    expect([...seen, world.asked()]).toEqual([refused, refused, []]);
  });
});

/** A form for the token endpoint with all that a grant of some kind might need. */
function grant(grantType: string, more: Record<string, string> = {}): string {
  return form({ grant_type: grantType, continuation_token: 'c', code: 'c', device_code: 'd', ...more });
}

describe('a body that is no form of native authentication', () => {
  it.each<[what: string, path: string, body: string | Buffer, status: number, code: string]>([
    ['nothing', INITIATE, '', 400, 'invalid_request'],
    ['no app', INITIATE, 'username=a', 400, 'invalid_request'],
    ['another app', INITIATE, 'client_id=11111111-2222-3333-4444-555555555555', 403, 'access_denied'],
    ['two apps', INITIATE, `${USER}&client_id=11111111-2222-3333-4444-555555555555`, 400, 'invalid_request'],
    ['two apps in two cases', INITIATE, `${USER}&Client_ID=${CLIENT_ID}`, 400, 'invalid_request'],
    ['no grant', TOKEN, form({ continuation_token: 'c' }), 400, 'invalid_request'],
    ['an empty grant', TOKEN, grant(''), 400, 'invalid_request'],
    [
      'password without what came before',
      TOKEN,
      form({ grant_type: 'password', password: 'p' }),
      400,
      'invalid_request',
    ],
    ['password after nothing', TOKEN, grant('password', { continuation_token: '' }), 400, 'invalid_request'],
    ['authorization_code', TOKEN, grant('authorization_code'), 400, 'invalid_request'],
    ['client_credentials', TOKEN, grant('client_credentials'), 400, 'invalid_request'],
    ['device_code', TOKEN, grant('urn:ietf:params:oauth:grant-type:device_code'), 400, 'invalid_request'],
    ['jwt-bearer', TOKEN, grant('urn:ietf:params:oauth:grant-type:jwt-bearer'), 400, 'invalid_request'],
    ['saml2-bearer', TOKEN, grant('urn:ietf:params:oauth:grant-type:saml2-bearer'), 400, 'invalid_request'],
    ['a grant in another case', TOKEN, grant('OOB'), 400, 'invalid_request'],
    ['a grant with a space', TOKEN, grant('oob '), 400, 'invalid_request'],
    ['two grants', TOKEN, `${grant('oob')}&grant_type=client_credentials`, 400, 'invalid_request'],
    ['two grants in two cases', TOKEN, `${grant('oob')}&GRANT_TYPE=client_credentials`, 400, 'invalid_request'],
    ['two grants, one encoded', TOKEN, `${grant('oob')}&grant%5Ftype=client_credentials`, 400, 'invalid_request'],
    ['two grants as an array', TOKEN, `${grant('oob')}&grant_type[]=client_credentials`, 400, 'invalid_request'],
    ['a secret', TOKEN, grant('oob', { client_secret: 's' }), 400, 'invalid_request'],
    ['a secret in another case', INITIATE, `${USER}&Client_Secret=s`, 400, 'invalid_request'],
    ['an assertion of the app', INITIATE, form({ client_assertion: 'a' }), 400, 'invalid_request'],
    ['an assertion of a user', TOKEN, grant('oob', { assertion: 'a' }), 400, 'invalid_request'],
    ['NUL in a value', INITIATE, `${USER}&password=a%00b`, 400, 'invalid_request'],
    ['NUL in a name', TOKEN, `${form({ continuation_token: 'c' })}&grant_type%00=oob`, 400, 'invalid_request'],
    ['NUL as a byte', INITIATE, `${USER}\0`, 400, 'invalid_request'],
    ['a line break in a value', INITIATE, `${USER}&x=a%0d%0ab`, 400, 'invalid_request'],
    ['encoded bytes that are no UTF-8', INITIATE, `${USER}&x=%ff%fe`, 400, 'invalid_request'],
    [
      'bytes that are no UTF-8',
      INITIATE,
      Buffer.concat([Buffer.from(USER), Buffer.from([0xff])]),
      400,
      'invalid_request',
    ],
    ['half an encoding', INITIATE, `${USER}&x=%4`, 400, 'invalid_request'],
    ['semicolons', TOKEN, `client_id=${CLIENT_ID};grant_type=oob;continuation_token=c`, 403, 'access_denied'],
    ['an empty parameter', INITIATE, `${USER}&&x=1`, 400, 'invalid_request'],
    ['16 kB and a byte', INITIATE, `${USER}&x=`.padEnd(16 * 1_024 + 1, 'x'), 413, 'payload_too_large'],
  ])('%s: refused, and Entra hears nothing', async (_, path, body, status, code) => {
    const response = await world.post(path, body);
    expect([response.status, codeOf(response), response.header('access-control-allow-origin')]).toEqual([
      status,
      code,
      ORIGIN,
    ]);
    expect(world.asked()).toEqual([]);
  });

  it.each([
    ['JSON', ['Content-Type: application/json']],
    ['multipart', ['Content-Type: multipart/form-data; boundary=x']],
    ['text, which needs no preflight', ['Content-Type: text/plain']],
    ['in another charset', ['Content-Type: application/x-www-form-urlencoded; charset=utf-7']],
    ['of two types', ['Content-Type: application/x-www-form-urlencoded, application/json']],
    ['of no type', []],
    ['compressed', [...PAGE_LINES.slice(1), 'Content-Encoding: gzip']],
  ])('%s: 400', async (_, lines) => {
    const response = await world.post(INITIATE, USER, { lines: [`Origin: ${ORIGIN}`, ...lines] });
    expect([response.status, codeOf(response), world.asked()]).toEqual([400, 'invalid_request', []]);
  });

  it('chunks without end: 413 as soon as they are too many', async () => {
    const connection = new RawConnection(world.port);
    connection.send(`POST ${INITIATE} HTTP/1.1`, 'Host: api', ...PAGE_LINES, 'Transfer-Encoding: chunked');
    const chunk = `1000\r\n${'x'.repeat(0x1000)}\r\n`;
    connection.write(chunk.repeat(5));
    const response = await connection.response();
    connection.close();
    expect([response.status, world.asked()]).toEqual([413, []]);
  });

  it.each([
    ['two lengths', ['Content-Length: 0']],
    ['a length and chunks', ['Transfer-Encoding: chunked']],
    ['two hosts', ['Host: evil.example']],
  ])('%s: refused', async (_, lines) => {
    const response = await world.post(INITIATE, USER, { lines: [...PAGE_LINES, ...lines] });
    expect([response.status, world.asked()]).toEqual([400, []]);
  });
});

describe('a query', () => {
  it.each([
    '?',
    '?dc=ESTS-PUB-WEULR1',
    '?grant_type=client_credentials',
    '?client-request-id=1&grant_type=oob',
    '?client-request-id=0f9c1b1e-52a4-4c1e-9d57-7a7a35f1c001&client_id=x',
    '#fragment',
  ])('%s: 400', async (query) => {
    const response = await world.post(`${TOKEN}${query}`, form({ grant_type: 'oob', continuation_token: 'c' }));
    expect([response.status, codeOf(response), world.asked()]).toEqual([400, 'invalid_request', []]);
  });
});

describe('what means something to Entra only when it is well formed', () => {
  it.each([
    'client-request-id: not-a-guid',
    'traceparent: 00-0af7651916cd43dd8448eb211c80319c',
    'traceparent: a\r\ntraceparent: b',
    'x-client-ver: \xe4',
  ])('%s is left out', async (line) => {
    await world.post(INITIATE, USER, { lines: [...PAGE_LINES, line] });
    const names = world.asked()[0]?.rawHeaders.map((text) => text.toLowerCase()) ?? [];
    expect(names).not.toContain(line.slice(0, line.indexOf(':')));
    expect(names).toContain('host');
  });
});

describe('the API beside it', () => {
  it('keeps its own CORS, and knows nothing of the origins of native authentication', async () => {
    world.downstream.answer = answerPlainly;
    const [ours, theirs] = await Promise.all(
      ['https://other.contoso.com', ORIGIN].map((origin) => world.call('/open', { headers: { origin } })),
    );
    expect([ours, theirs].map((response) => response?.headers.get('access-control-allow-origin'))).toEqual([
      'https://other.contoso.com',
      null,
    ]);
  });
});

it('a request that cannot be parsed is refused so that the page can read it', async () => {
  const response = await world.post(INITIATE, '', { lines: [...PAGE_LINES, `X-Large: ${'x'.repeat(20_000)}`] });
  expect([response.status, response.header('access-control-allow-origin')]).toEqual([431, ORIGIN]);
});
