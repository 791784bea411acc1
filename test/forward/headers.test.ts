import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { WITHHELD } from '../../src/forward/withheld-headers.ts';
import { answerWith, valuesOf } from '../support/gateway-downstream.ts';
import { startGatewayWorld } from '../support/gateway-world.ts';
import { rawRequest, type RawResponse } from '../support/raw-request.ts';

const world = await startGatewayWorld({ server: { publicUrl: 'https://api.contoso.com:8443' } });
const behindProxy = await startGatewayWorld({ emulator: world.emulator, server: { trustedProxies: ['127.0.0.0/8'] } });
const withHeaders = await startGatewayWorld({
  emulator: world.emulator,
  api: {
    headers: {
      set: { 'X-Api-Key': 'secret-of-the-gateway', 'x-utf-8': 'Łódź', 'X-Request-Id': 'fixed' },
      pass: ['x-ms-client-principal', 'X_UNDER', 'X-Original-Url', 'X-Real-IP', 'X-Forwarded-Host'],
    },
  },
});
const { downstream } = world;
afterAll(async () => {
  await withHeaders.close();
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
    ['x-ms-version', '2024-11-04'],
    ['x-ms-blob-type', 'BlockBlob'],
    ['x-ms-client-request-id', '7'],
    ['x-ms-date', 'Sun, 29 Nov 2026 12:00:00 GMT'],
    ['X-MS-Proxy-Hint', '1'],
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
    'X-MS-CLIENT-PRINCIPAL: abc',
    'X-MS-CLIENT-PRINCIPAL-NAME: admin',
    'x-ms-token-aad-access-token: abc',
    'X-MS-ORIGINAL-URL: https://evil.example/',
    'X-MS-Proxy: AzureAD-Application-Proxy',
    'X-MS-FORWARDED-CLIENT-IP: 1.2.3.4',
    'Client-Cert: :abc:',
    'Client-Cert-Chain: :abc:',
    'X-ARR-ClientCert: abc',
    'X-Amzn-Oidc-Identity: admin',
    'Cf-Access-Authenticated-User-Email: admin@contoso.com',
    'X-Goog-Authenticated-User-Email: admin@contoso.com',
    'X-Goog-Iap-Jwt-Assertion: abc',
    'X-Auth-Request-User: admin',
    'X-Remote-User: admin',
    'X-Remote-Group: admins',
    'X-Remote-Extra-Scopes: all',
    'Remote-User: admin',
    'X-WebAuth-User: admin',
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

describe('what does gateway.yaml say of the headers of a downstream', () => {
  const { downstream: configured } = withHeaders;

  function sendThere(...headers: readonly string[]): Promise<RawResponse> {
    return rawRequest(withHeaders.port, ['GET /open HTTP/1.1', 'Host: x', ...headers]);
  }

  function gotThere(name: string): string[] {
    return valuesOf(configured.last.rawHeaders, name);
  }

  it('fixed ones are sent with every call, in the place of the caller’s', async () => {
    await sendThere('X-API-KEY: of-the-caller', 'x-api-key: again', 'X-Request-Id: of-the-caller', 'X-Custom: 1');
    expect([gotThere('x-api-key'), gotThere('x-utf-8'), gotThere('x-request-id'), gotThere('x-custom')]).toEqual([
      ['secret-of-the-gateway'],
      [Buffer.from('Łódź').toString('latin1')],
      ['fixed'],
      ['1'],
    ]);
  });

  it('naming them in Connection does not take them away', async () => {
    await sendThere('Connection: x-api-key');
    expect(gotThere('x-api-key')).toEqual(['secret-of-the-gateway']);
  });

  it.each([
    ['X-MS-CLIENT-PRINCIPAL', 'abc'],
    ['X_Under', '1'],
    ['X-Original-URL', '/a'],
    ['X-Real-IP', '1.2.3.4'],
  ])('%s passes where it says so', async (name, value) => {
    await sendThere(`${name}: ${value}`);
    expect(gotThere(name.toLowerCase())).toEqual([value]);
  });

  it('a forwarding header passes where it says so; the others are the gateway’s own', async () => {
    await sendThere('X-Forwarded-Host: believed.example', 'X-Forwarded-Proto: gopher', 'X-Forwarded-For: 1.1.1.1');
    expect(['host', 'proto', 'for', 'prefix'].map((name) => gotThere(`x-forwarded-${name}`))).toEqual([
      ['believed.example'],
      ['http'],
      ['127.0.0.1'],
      [],
    ]);
  });

  it('the others are dropped as everywhere', async () => {
    await sendThere('X-MS-TOKEN-AAD-ID-TOKEN: abc', 'Y_Under: 1', 'Cookie: a=b', 'X-Forwarded-Prefix: /x');
    expect(['x-ms-token-aad-id-token', 'y_under', 'cookie', 'x-forwarded-prefix'].map(gotThere)).toEqual([
      [],
      [],
      [],
      [],
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

  it('the path below which callers reach the gateway, whatever they say', async () => {
    const below = await startGatewayWorld({
      emulator: world.emulator,
      server: { publicUrl: 'https://contoso.com/apis/v1/' },
    });
    await rawRequest(below.port, ['GET /open HTTP/1.1', 'Host: x', 'X-Forwarded-Prefix: /evil']);
    expect(valuesOf(below.downstream.last.rawHeaders, 'x-forwarded-prefix')).toEqual(['/apis/v1']);
    await below.close();
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
    ['Link', '<https://docs.example/a>; rel="help"'],
    ['X-Custom', ''],
    ['X-Latin', 'gr\u00fc\u00df'],
    ['Content-Security-Policy', "default-src 'self'"],
    ['X-Under_Score', '1'],
  ])('%s: %s passes as it is', async (name, value) => {
    downstream.answer = answerWith(200, [name, value]);
    expect((await send()).all(name.toLowerCase())).toEqual([value]);
  });

  it('repeated headers stay repeated', async () => {
    downstream.answer = answerWith(200, ['Link', '<urn:a>', 'Link', '<urn:b>', 'Vary', 'Accept']);
    const response = await send();
    expect([response.all('link'), response.all('vary')]).toEqual([['<urn:a>', '<urn:b>'], ['Accept']]);
  });

  it.each(WITHHELD.flatMap(({ names = [], prefixes = [] }) => [...names, ...prefixes.map((prefix) => `${prefix}x`)]))(
    '%s does not',
    async (name) => {
      // These say where the body ends, or that there is none.
      const isFraming = ['connection', 'transfer-encoding', 'upgrade'].includes(name);
      downstream.answer = answerWith(200, isFraming ? [] : [name, 'of-the-downstream', 'X-Custom', '1']);
      const response = await send();
      expect([response.status, response.all('x-custom')]).toEqual([200, isFraming ? [] : ['1']]);
      expect(response.all(name)).not.toContain('of-the-downstream');
    },
  );

  it.each([
    'Content-Security-Policy',
    'Cross-Origin-Embedder-Policy',
    'Cross-Origin-Opener-Policy',
    'Cross-Origin-Resource-Policy',
    'No-Vary-Search',
    'Permissions-Policy',
    'Referrer-Policy',
    'Server-Timing',
    'Timing-Allow-Origin',
    'X-Frame-Options',
    'X-Robots-Tag',
  ])('%s does: it speaks of one answer', async (name) => {
    downstream.answer = answerWith(200, [name, 'value']);
    expect((await send()).all(name.toLowerCase())).toEqual(['value']);
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
});
