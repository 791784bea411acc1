import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../support/gateway-poll.ts';
import { readProblem, startGatewayWorld } from '../support/gateway-world.ts';
import { startListenerWorlds } from '../support/listener-worlds.ts';
import { RawConnection, rawRequest } from '../support/raw-request.ts';

const LIMIT = 1_024;
const worlds = await startListenerWorlds({ server: { bodyLimit: '1kb' } });

/** That many short headers. */
function filler(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `h${index}:`);
}

describe.each(worlds)('over $listener', ({ listener, world }) => {
  const { downstream } = world;
  afterAll(() => world.close());
  beforeEach(() => downstream.reset());

  describe('how large may a body be', () => {
    const streamed = { method: 'PUT', path: '/open', type: 'application/octet-stream' };
    const checked = { method: 'POST', path: '/orders', type: 'application/json' };

    it.each([
      { what: 'a streamed body of just the limit', ...streamed, size: LIMIT, status: 200 },
      { what: 'a streamed body over it', ...streamed, size: LIMIT + 1, status: 413 },
      { what: 'a checked body of just the limit', ...checked, size: LIMIT, status: 200 },
      { what: 'a checked body over it', ...checked, size: LIMIT + 1, status: 413 },
    ])('$what: $status', async ({ method, path, type, size, status }) => {
      const body = `{"customer":"${'x'.repeat(size - 15)}"}`;
      const head = [`${method} ${path} HTTP/1.1`, 'Host: x', `Content-Type: ${type}`];
      const bearer = `Authorization: Bearer ${world.token('adele')}`;
      const known = await rawRequest(world, [...head, bearer, `Content-Length: ${body.length}`], body);
      const chunks = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
      const unknown = await rawRequest(world, [...head, bearer, 'Transfer-Encoding: chunked'], chunks);
      expect([body.length, known.status, unknown.status]).toEqual([size, status, status]);
    });

    it('an announced length is refused before anything is sent on', async () => {
      const response = await world.call('/open', { method: 'PUT', body: 'x'.repeat(LIMIT + 1) });
      expect([(await readProblem(response)).code, downstream.requests]).toEqual(['payload_too_large', []]);
    });

    it('chunks over it end the downstream’s call, which takes nothing for whole', async () => {
      const ends: string[] = [];
      downstream.answer = (req) => {
        req
          .resume()
          .on('end', () => ends.push('whole'))
          .on('error', () => ends.push('broken'));
      };
      const connection = new RawConnection(world);
      connection.send('PUT /open HTTP/1.1', 'Host: x', 'Transfer-Encoding: chunked').write('3\r\nabc\r\n');
      await until('the downstream is asked', () => downstream.requests.length === 1);
      connection.write(`800\r\n${'x'.repeat(0x8_00)}\r\n`);
      expect((await connection.response()).status).toBe(413);
      await until('the downstream hears the end', () => ends.length > 0);
      expect(ends).toEqual(['broken']);
      connection.close();
    });

    it('a body over the limit is not asked for', async () => {
      const connection = new RawConnection(world);
      connection.send('PUT /open HTTP/1.1', 'Host: x', 'Expect: 100-continue', `Content-Length: ${LIMIT + 1}`);
      const response = await connection.response();
      expect([response.interim, response.status]).toEqual([[], 413]);
      connection.close();
    });
  });

  describe('how large may the head be', () => {
    it.each([
      { what: '1,000 headers', lines: ['Host: x', ...filler(999)], status: 200 },
      { what: '1,001 headers', lines: ['Host: x', ...filler(1_000)], status: 431 },
      {
        what: '2,100 headers of one name',
        lines: ['Host: x', ...Array.from({ length: 2_100 }, () => 'a:')],
        status: 431,
      },
      { what: '15 kB', lines: ['Host: x', `X-Large: ${'x'.repeat(15 * 1_024)}`], status: 200 },
      { what: '17 kB', lines: ['Host: x', `X-Large: ${'x'.repeat(17 * 1_024)}`], status: 431 },
    ])('$what: $status', async ({ lines, status }) => {
      downstream.answer = (_req, res) => res.end();
      const response = await rawRequest(world, ['GET /open HTTP/1.1', ...lines]);
      expect(response.status).toBe(status);
    });

    it.each([
      { what: 'too many headers', lines: ['Host: x', ...filler(1_001)], status: 431, code: 'headers_too_large' },
      {
        what: 'too long headers',
        lines: ['Host: x', `X-Large: ${'x'.repeat(20 * 1_024)}`],
        status: 431,
        code: 'headers_too_large',
      },
      {
        what: 'far too long headers',
        lines: ['Host: x', `X-Large: ${'x'.repeat(100 * 1_024)}`],
        status: 431,
        code: 'headers_too_large',
      },
      {
        what: 'a target that is too long by itself',
        lines: ['Host: x'],
        target: `/open?${'x'.repeat(16 * 1_024)}`,
        status: 414,
        code: 'invalid_request',
      },
      {
        what: 'a target that is far too long',
        lines: ['Host: x'],
        target: `/open?${'x'.repeat(60 * 1_024)}`,
        // In the pieces in which TLS hands it on, it can no longer be told from headers.
        ...(listener === 'TLS' ? { status: 431, code: 'headers_too_large' } : { status: 414, code: 'invalid_request' }),
      },
      {
        what: 'a target that is too long together with the headers',
        lines: ['Host: x', `X-Large: ${'x'.repeat(6 * 1_024)}`],
        target: `/open?${'x'.repeat(12 * 1_024)}`,
        status: 431,
        code: 'headers_too_large',
      },
    ])('$what: the answer is a problem, $status', async ({ lines, target = '/open', status, code }) => {
      const response = await rawRequest(world, [`GET ${target} HTTP/1.1`, ...lines]);
      expect([response.status, response.header('content-type'), JSON.parse(response.body)]).toEqual([
        status,
        'application/problem+json',
        expect.objectContaining({ code, status }),
      ]);
    });

    it('a target that is too long is told apart from headers when it comes in small pieces', async () => {
      const connection = new RawConnection(world).write(`GET /open?${'x'.repeat(10_000)}`);
      await until('the first piece is read', () => connection.socket.writableLength === 0);
      connection.write(`${'x'.repeat(10_000)} HTTP/1.1\r\nHost: x\r\n\r\n`);
      expect((await connection.response()).status).toBe(414);
      connection.close();
    });

    it('a head over the limit costs the caller no connection', async () => {
      const connection = new RawConnection(world);
      connection.send('GET /open HTTP/1.1', 'Host: x', `X-Large: ${'x'.repeat(17 * 1_024)}`);
      const first = await connection.response();
      connection.send('GET /open HTTP/1.1', 'Host: x');
      expect([first.status, (await connection.response()).status]).toEqual([431, 200]);
      connection.close();
    });

    it('the last of many headers is not lost: a second Authorization is still seen', async () => {
      const bearer = `Authorization: Bearer ${world.token('adele')}`;
      const response = await rawRequest(world, ['GET /me HTTP/1.1', 'Host: x', bearer, ...filler(900), bearer]);
      expect(response.status).toBe(400);
    });
  });

  describe('server.headLimit', () => {
    it.each([
      { what: 'a larger one', headLimit: '64kb', size: 60, status: 200 },
      { what: 'a larger one that is exceeded', headLimit: '64kb', size: 66, status: 431 },
      { what: 'a smaller one', headLimit: '2kb', size: 3, status: 431 },
      { what: 'a smaller one that is kept', headLimit: '2kb', size: 1, status: 200 },
    ])('$what: $status', async ({ headLimit, size, status }) => {
      const own = await startGatewayWorld({ emulator: world.emulator, server: { headLimit } });
      const large = `X-Large: ${'x'.repeat(size * 1_024)}`;
      expect((await rawRequest(own.port, ['GET /openapi.json HTTP/1.1', 'Host: x', large])).status).toBe(status);
      await own.close();
    });
  });
});
