import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { answerWith } from '../support/gateway-downstream.ts';
import { readProblem, startGatewayWorld } from '../support/gateway-world.ts';
import { rawRequest, type RawResponse } from '../support/raw-request.ts';

const world = await startGatewayWorld();
const { downstream } = world;
const token = world.token('adele');
afterAll(() => world.close());
beforeEach(() => downstream.reset());

function send(target: string, method = 'GET'): Promise<RawResponse> {
  return rawRequest(world.port, [`${method} ${target} HTTP/1.1`, 'Host: x', `Authorization: Bearer ${token}`]);
}

/** Each byte plain, where a target can hold it, and encoded; without `to` it is refused. */
function everyByte(): { sent: string; to: string | undefined }[] {
  return Array.from({ length: 256 }, (_, byte) => byte).flatMap((byte) => {
    const character = String.fromCharCode(byte);
    const code = `%${byte.toString(16).padStart(2, '0').toUpperCase()}`;
    const isUnreserved = /[\w.~-]/.test(character);
    const isAllowed = isUnreserved || "!$&'()*+,;=:@".includes(character);
    // Control characters, a backslash, and half a character of UTF-8.
    const isRefused = byte < 0x20 || byte >= 0x7f || character === '\\';
    const plain = isAllowed ? character : code;
    const encoded = { sent: code, to: isRefused ? undefined : isUnreserved ? character : code };
    // A query, a fragment, the next segment, an encoding; what is no ASCII or a blank, no parser takes for a target.
    const isElsewhere = byte <= 0x20 || byte > 0x7e || '?#/%'.includes(character);
    return isElsewhere ? [encoded] : [{ sent: character, to: isRefused ? undefined : plain }, encoded];
  });
}

describe('where does a request go', () => {
  it.each([
    { target: '/open', to: '/open' },
    { target: '/me', to: '/v1.0/me' },
    { target: '/orders', to: '/base/orders' },
    { target: '/orders/7', to: '/base/things/7/view' },
    { target: '/orders/a%20b', to: '/base/things/a%20b/view' },
    { target: '/orders/a%2Fb', to: '/base/things/a%2Fb/view' },
    { target: '/orders/%3Fx%23y', to: '/base/things/%3Fx%23y/view' },
    { target: '/orders/%C3%BC', to: '/base/things/%C3%BC/view' },
    { target: '/orders/a;b=c', to: '/base/things/a;b=c/view' },
    { target: "/orders/!$&'()*+,;=:@", to: "/base/things/!$&'()*+,;=:@/view" },
    { target: '/orders/%3A%40%28', to: '/base/things/%3A%40%28/view' },
    { target: '/files/drive/root:/a.txt:/content', to: '/static/drive/root:/a.txt:/content' },
    { target: '/files/orders(5)/a@b', to: '/static/orders(5)/a@b' },
    { target: '/orders/...', to: '/base/things/.../view' },
    { target: '/orders/100%25', to: '/base/things/100%25/view' },
    { target: '/things/7', to: '/things/7' },
    { target: '/files/a', to: '/static/a' },
    { target: '/files/a/b/c.txt', to: '/static/a/b/c.txt' },
    { target: '/files/a%2Fb/c', to: '/static/a%2Fb/c' },
    { target: '/files/a/', to: '/static/a/' },
    { target: '/%6De', to: '/v1.0/me' },
  ])('$target goes to $to', async ({ target, to }) => {
    expect((await send(target)).status).toBe(200);
    expect([downstream.last.method, downstream.last.url]).toEqual(['GET', to]);
  });

  it.each(everyByte())('the byte $sent in a value goes on as $to', async ({ sent, to }) => {
    expect((await send(`/orders/a${sent}b`)).status).toBe(to === undefined ? 400 : 200);
    expect(downstream.requests.map(({ url }) => url)).toEqual(to === undefined ? [] : [`/base/things/a${to}b/view`]);
  });

  it('a mapped method becomes the other one', async () => {
    await send('/search?q=1', 'POST');
    expect([downstream.last.method, downstream.last.url]).toEqual(['GET', '/base/find?q=1']);
  });

  it.each([
    '?',
    '?a=1&a=2',
    '?a=b%20c+d',
    '?%61=%2F%2f',
    '?a=http://x/../y?z',
    "?$filter=name eq 'x'".replaceAll(' ', '%20'),
    '?a[]={}|^`"<>',
    '?a==&&b',
    '?a=%zz',
  ])('the query %s goes on byte for byte', async (query) => {
    await send(`/open${query}`);
    expect(downstream.last.url).toBe(`/open${query}`);
  });

  it.each([
    { target: 'http://evil.example/open?x=1', to: '/open?x=1' },
    { target: 'https://evil.example:99/me', to: '/v1.0/me' },
  ])('of the absolute form $target only the path counts', async ({ target, to }) => {
    await send(target);
    expect(downstream.last.url).toBe(to);
  });
});

describe('does HEAD work wherever GET does', () => {
  it.each([
    { target: '/things/7?a=1', to: '/things/7?a=1' },
    { target: '/files/a/b', to: '/static/a/b' },
    { target: '/orders/7', to: '/base/things/7/view' },
  ])('$target: the downstream is asked for a HEAD too', async ({ target, to }) => {
    downstream.answer = answerWith(200, ['content-length', '99', 'etag', '"x"']);
    const response = await send(target, 'HEAD');
    expect([response.status, response.header('content-length'), response.header('etag')]).toEqual([200, '99', '"x"']);
    expect([downstream.last.method, downstream.last.url]).toEqual(['HEAD', to]);
  });

  it('with the same right to call', async () => {
    const response = await rawRequest(world.port, ['HEAD /orders/7 HTTP/1.1', 'Host: x']);
    expect([response.status, response.header('www-authenticate')]).toEqual([401, expect.stringContaining('Bearer')]);
  });

  it('and Allow says so', async () => {
    expect((await send('/things/7', 'DELETE')).header('allow')).toBe('GET, HEAD');
    expect((await send('/search', 'HEAD')).header('allow')).toBe('POST');
  });
});

describe('which paths are refused before anything is sent', () => {
  it.each([
    '/files/..',
    '/files/../secret',
    '/files/a/../../secret',
    '/files/%2e%2e/secret',
    '/files/.%2E/secret',
    '/files/a/%2e%2e%2fsecret',
    '/files/..%2fsecret',
    '/files/.',
    '/files/..;/secret',
    '/files/a/..;x=1/secret',
    '/files/.;/secret',
    '/orders/..;',
    '/orders/;x',
    '/files/a/./b',
    '/files/a//b',
    '/files/%2Fetc/passwd',
    '/files//etc',
    '/files/a%2F%2Fb',
    '/files/..%5csecret',
    '/files/a\\b',
    '/files/a%5Cb',
    '/files/a%00',
    '/files/a%0d%0aX:1',
    '/files/%252e%252e/secret',
    '/files/%2e%252e/secret',
    '/files/%c0%ae%c0%ae/secret',
    '/files/%ff',
    '/files/%',
    '/files/%zz',
    '/orders/..',
    '/orders/%2e%2e',
    '/orders/..%2f..%2fadmin',
    '/orders/%2F',
    '/things/%2e',
    '/things/%00',
  ])('%s is 400', async (target) => {
    const response = await send(target);
    expect([response.status, (JSON.parse(response.body) as { code: string }).code]).toEqual([400, 'invalid_request']);
    expect(downstream.requests).toEqual([]);
  });

  it.each([
    '//open',
    '/open/',
    '/OPEN',
    '/open/../me',
    '/me/..',
    '/orders/',
    '/files',
    '/',
    '/open%2F',
    '*',
    '/open;x',
  ])('%s is 404', async (target) => {
    const response = await send(target, target === '*' ? 'OPTIONS' : 'GET');
    expect([response.status, downstream.requests]).toEqual([404, []]);
  });

  it('a fragment in the target is 400', async () => {
    expect((await send('/open?x#y')).status).toBe(400);
  });

  it('the problem names the parameter, not its value', async () => {
    const problem = await readProblem(await world.call('/orders/%00', { token }));
    expect([problem.errors, JSON.stringify(problem.errors).includes('00')]).toEqual([
      [expect.objectContaining({ in: 'path', name: 'orderId' })],
      false,
    ]);
  });
});
