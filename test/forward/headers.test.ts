import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { answerWith, valuesOf } from '../support/gateway-downstream.ts';
import { startGatewayWorld } from '../support/gateway-world.ts';
import { rawRequest, type RawResponse } from '../support/raw-request.ts';

const world = await startGatewayWorld({ server: { publicUrl: 'https://api.contoso.com:8443' } });
const behindProxy = await startGatewayWorld({ emulator: world.emulator, server: { trustedProxies: ['127.0.0.0/8'] } });
const { downstream } = world;
afterAll(async () => {
  await behindProxy.close();
  await world.close();
});
beforeEach(() => {
  downstream.reset();
  behindProxy.downstream.reset();
});

function send(...headers: readonly string[]): Promise<RawResponse> {
  return rawRequest(world.port, ['GET /open HTTP/1.1', 'Host: gateway.example', ...headers]);
}

/** What the downstream got of a header. */
function got(name: string): string[] {
  return valuesOf(downstream.last.rawHeaders, name);
}

describe('which headers of a caller reach the downstream', () => {
  it.each([
    ['Accept', '*/*'],
    ['Accept-Encoding', 'br'],
    ['Content-Language', 'de'],
    ['If-None-Match', 'W/"x"'],
    ['Range', 'bytes=0-1'],
    ['Origin', 'https://page.example'],
    ['Idempotency-Key', '7'],
    ['X-Custom', 'a, b;  c="d"'],
    ['X-Empty', ''],
    ['X-Latin', 'gr\u00fc\u00df'],
    ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
    ['tracestate', 'vendor=1'],
    ['Via', '1.1 proxy'],
  ])('%s: %s passes as it is', async (name, value) => {
    await send(`${name}: ${value}`);
    expect(got(name.toLowerCase())).toEqual([value]);
  });

  it('repeated headers stay repeated, in their order, with their case', async () => {
    await send('X-Twice: 1', 'x-other: 2', 'X-TWICE: 3');
    const { rawHeaders } = downstream.last;
    expect(got('x-twice')).toEqual(['1', '3']);
    expect(rawHeaders.filter((part) => /^x-(twice|other)$/i.test(part))).toEqual(['X-Twice', 'x-other', 'X-TWICE']);
  });

  it.each([
    'Authorization: Bearer abc',
    'Cookie: session=1',
    'Proxy-Authorization: Basic YTpi',
    'Proxy-Anything: 1',
    'X-MS-CLIENT-PRINCIPAL-NAME: admin',
    'x-ms-token-aad-access-token: abc',
    'X-Original-URL: /admin',
    'X-Rewrite-URL: /admin',
    'X-Real-IP: 1.2.3.4',
    'Forwarded: for=1.2.3.4',
    'X-Forwarded-Prefix: /admin',
    'X-Forwarded-Client-Cert: Hash=1',
    'X_Forwarded_For: 1.2.3.4',
    'REMOTE_USER: admin',
    'Authorization_: Bearer abc',
    'TE: trailers',
    'Upgrade: websocket',
    'Keep-Alive: timeout=5',
    'Proxy-Connection: keep-alive',
    'HTTP2-Settings: AAMAAABkAAQAAP__',
    'Trailer: X-Checksum',
    'traceparent: 00-evil',
  ])('%s does not', async (header) => {
    expect((await send(header, 'X-Custom: 1')).status).toBe(200);
    const [name = ''] = header.toLowerCase().split(':');
    expect([got(name), got('x-custom')]).toEqual([[], ['1']]);
  });

  it('nor does what Connection names', async () => {
    await send('Connection: X-Secret , close,x-other', 'X-Secret: 1', 'X-OTHER: 2', 'X-Custom: 3');
    expect([got('x-secret'), got('x-other'), got('x-custom')]).toEqual([[], [], ['3']]);
  });

  it('what Connection names in a second line does not pass either', async () => {
    await send('Connection: keep-alive', 'Connection: X-Secret', 'X-Secret: 1');
    expect(got('x-secret')).toEqual([]);
  });

  it('naming them in Connection cannot take our own headers away', async () => {
    const token = world.token('adele');
    await rawRequest(world.port, [
      'GET /me HTTP/1.1',
      'Host: gateway.example',
      `Authorization: Bearer ${token}`,
      'Connection: authorization, x-forwarded-for, x-request-id, host',
    ]);
    expect([got('authorization').length, got('x-forwarded-for'), got('x-request-id').length, got('host')]).toEqual([
      1,
      ['127.0.0.1'],
      1,
      [`127.0.0.1:${downstream.port}`],
    ]);
  });

  it('the Host is the downstream’s', async () => {
    await send();
    expect(got('host')).toEqual([`127.0.0.1:${downstream.port}`]);
  });

  it('the length of a body is said once', async () => {
    const head = ['POST /open HTTP/1.1', 'Host: x', 'Content-Type: text/plain', 'Content-Length: 3'];
    await rawRequest(world.port, head, 'abc');
    expect([got('content-length'), got('transfer-encoding'), downstream.last.body.toString()]).toEqual([
      ['3'],
      [],
      'abc',
    ]);
  });
});

describe('what does the downstream learn of where the request came from', () => {
  const CLAIMED = ['X-Forwarded-For: 1.1.1.1', 'X-Forwarded-Host: evil.example', 'X-Forwarded-Proto: gopher'];

  it('what the gateway sees and knows itself, whatever the caller says', async () => {
    await send(...CLAIMED);
    expect([got('x-forwarded-for'), got('x-forwarded-host'), got('x-forwarded-proto')]).toEqual([
      ['127.0.0.1'],
      ['api.contoso.com:8443'],
      ['https'],
    ]);
  });

  it('from a trusted proxy, what that says, continued', async () => {
    await rawRequest(behindProxy.port, [
      'GET /open HTTP/1.1',
      'Host: x',
      'X-Forwarded-For: 1.1.1.1',
      'X-Forwarded-For: 2.2.2.2',
      'X-Forwarded-Host: app.contoso.com',
      'X-Forwarded-Proto: https',
      'X-Real-IP: 1.1.1.1',
    ]);
    const { rawHeaders } = behindProxy.downstream.last;
    const values = ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip'].map((name) =>
      valuesOf(rawHeaders, name),
    );
    expect(values).toEqual([['1.1.1.1, 2.2.2.2, 127.0.0.1'], ['app.contoso.com'], ['https'], ['1.1.1.1']]);
  });

  it('a trusted proxy that says nothing of it leaves it to the gateway', async () => {
    await rawRequest(behindProxy.port, ['GET /open HTTP/1.1', 'Host: x']);
    const { rawHeaders } = behindProxy.downstream.last;
    expect([valuesOf(rawHeaders, 'x-forwarded-for'), valuesOf(rawHeaders, 'x-forwarded-proto')]).toEqual([
      ['127.0.0.1'],
      ['http'],
    ]);
  });

  it('a trusted proxy’s X-MS-* headers are dropped like anybody’s', async () => {
    await rawRequest(behindProxy.port, ['GET /open HTTP/1.1', 'Host: x', 'X-MS-CLIENT-PRINCIPAL: admin']);
    expect(valuesOf(behindProxy.downstream.last.rawHeaders, 'x-ms-client-principal')).toEqual([]);
  });
});

describe('which headers of a downstream reach the caller', () => {
  it.each([
    ['ETag', 'W/"1"'],
    ['Location', 'http://internal.example/orders/7'],
    ['Cache-Control', 'max-age=5'],
    ['Retry-After', '9'],
    ['Content-Disposition', 'attachment; filename="a, b.txt"'],
    ['Link', '</a>; rel="next"'],
    ['X-Custom', ''],
    ['X-Latin', 'gr\u00fc\u00df'],
    ['Content-Security-Policy', "default-src 'self'"],
    ['X-Under_Score', '1'],
  ])('%s: %s passes as it is', async (name, value) => {
    downstream.answer = answerWith(200, [name, value]);
    expect((await send()).all(name.toLowerCase())).toEqual([value]);
  });

  it('repeated headers stay repeated', async () => {
    downstream.answer = answerWith(200, ['Link', '</a>', 'Link', '</b>', 'Vary', 'Accept']);
    const response = await send();
    expect([response.all('link'), response.all('vary')]).toEqual([['</a>', '</b>'], ['Accept']]);
  });

  it.each([
    ['Set-Cookie', 'session=1'],
    ['Set-Cookie2', 'session=1'],
    ['WWW-Authenticate', 'Bearer realm="x"'],
    ['Proxy-Authenticate', 'Basic'],
    ['Proxy-Authentication-Info', 'x'],
    ['Keep-Alive', 'timeout=999'],
    ['Upgrade', 'h2c'],
    ['Proxy-Connection', 'keep-alive'],
    ['Access-Control-Allow-Origin', '*'],
  ])('%s: %s does not', async (name, value) => {
    downstream.answer = answerWith(200, [name, value, 'X-Custom', '1', 'Content-Length', '0']);
    const response = await send();
    expect([response.status, response.all('x-custom')]).toEqual([200, ['1']]);
    expect(response.all(name.toLowerCase())).not.toContain(value);
  });

  it('nor do trailers', async () => {
    downstream.answer = (_req, res) => {
      res.writeHead(200, { trailer: 'x-checksum', 'transfer-encoding': 'chunked' });
      res.addTrailers({ 'x-checksum': '1' });
      res.end('abc');
    };
    const response = await send();
    expect([response.body, response.all('trailer')]).toEqual(['abc', []]);
  });

  it('nor does what Connection names', async () => {
    downstream.answer = answerWith(200, ['Connection', 'close, X-Secret', 'X-Secret', '1', 'X-Custom', '2']);
    const response = await send();
    expect([response.all('x-secret'), response.all('x-custom')]).toEqual([[], ['2']]);
  });

  it.each(['Cache-Control', 'Connection'])('nor does what would let a cache keep a refusal, by %s', async (name) => {
    const headers = ['Cache-Control', 'public, max-age=60', 'Expires', 'Tue, 01 Jan 2036 00:00:00 GMT'];
    downstream.answer = answerWith(403, name === 'Connection' ? [...headers, name, 'close, cache-control'] : headers);
    const response = await send();
    expect([response.all('cache-control'), response.all('expires')]).toEqual([['no-store'], []]);
  });

  it('the request id is the gateway’s, once', async () => {
    downstream.answer = answerWith(200, ['X-Request-Id', 'of-the-downstream']);
    expect((await send('X-Request-Id: of-the-caller')).all('x-request-id')).toEqual(['of-the-caller']);
  });

  it('a challenge does not pass on any status', async () => {
    downstream.answer = answerWith(403, ['WWW-Authenticate', 'Bearer claims="e30="']);
    expect((await send()).all('www-authenticate')).toEqual([]);
  });

  it('interim answers do not pass', async () => {
    downstream.answer = (req, res, received) => {
      res.writeEarlyHints({ link: '</style.css>; rel=preload' });
      return answerWith(200, [], 'x')(req, res, received);
    };
    const response = await send();
    expect([response.status, response.interim, response.all('link')]).toEqual([200, [], []]);
  });
});
