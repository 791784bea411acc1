import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../support/gateway-poll.ts';
import { startListenerWorlds } from '../support/listener-worlds.ts';
import { RawConnection, rawRequest, type RawResponse } from '../support/raw-request.ts';

const worlds = await startListenerWorlds();

function codeOf({ body }: RawResponse): string {
  return (JSON.parse(body) as { code: string }).code;
}

describe.each(worlds)('over $listener', ({ world }) => {
  const { downstream } = world;
  const bearer = `Authorization: Bearer ${world.token('adele')}`;
  afterAll(() => world.close());
  beforeEach(() => downstream.reset());

  /** Sends bytes and reads what comes back before the connection ends. */
  async function sendBytes(bytes: string): Promise<RawResponse> {
    const connection = new RawConnection(world).write(bytes);
    try {
      return await connection.response();
    } finally {
      connection.close();
    }
  }

  describe('requests that two servers could read in two ways', () => {
    it.each([
      {
        what: 'two Host lines',
        lines: ['GET /open HTTP/1.1', 'Host: x', 'Host: x'],
        status: 400,
        code: 'invalid_request',
      },
      { what: 'no Host', lines: ['GET /open HTTP/1.1'], status: 400, code: 'invalid_request' },
      {
        what: 'two Authorization lines',
        lines: ['GET /me HTTP/1.1', 'Host: x', bearer, 'authorization: Bearer x'],
        status: 400,
        code: 'invalid_request',
      },
      {
        what: 'two Authorization lines where no token is needed',
        lines: ['GET /open HTTP/1.1', 'Host: x', bearer, bearer],
        status: 400,
        code: 'invalid_request',
      },
      { what: 'TRACE', lines: ['TRACE /open HTTP/1.1', 'Host: x'], status: 405, code: 'method_not_allowed' },
      {
        what: 'a method that the path lacks',
        lines: ['PROPFIND /open HTTP/1.1', 'Host: x'],
        status: 405,
        code: 'method_not_allowed',
      },
      {
        what: 'a target of the authority form',
        lines: ['CONNECT evil.example:443 HTTP/1.1', 'Host: x'],
        status: 400,
        code: 'invalid_request',
      },
      { what: 'CONNECT to a path', lines: ['CONNECT /open HTTP/1.1', 'Host: x'], status: 400, code: 'invalid_request' },
    ])('$what: $status', async ({ lines, status, code }) => {
      const response = await rawRequest(world, lines);
      expect([response.status, codeOf(response), downstream.requests]).toEqual([status, code, []]);
      expect(response.header('content-type')).toBe('application/problem+json');
    });

    it('two Authorization lines are a matter of the challenge', async () => {
      const response = await rawRequest(world, ['GET /me HTTP/1.1', 'Host: x', bearer, bearer]);
      expect(response.all('www-authenticate')).toEqual([expect.stringContaining('error="invalid_request"')]);
    });

    it('TRACE says what there is instead', async () => {
      const response = await rawRequest(world, ['TRACE /me HTTP/1.1', 'Host: x']);
      expect(response.header('allow')).toBe('GET, HEAD');
    });

    it('HTTP/1.0 needs no Host', async () => {
      expect((await rawRequest(world, ['GET /open HTTP/1.0'])).status).toBe(200);
    });

    it.each([
      ['h2c', 200],
      ['TLS/1.0', 200],
      ['websocket', 426],
      ['h2c, WebSocket', 426],
    ])('an upgrade to %s where there is none is %d', async (protocol, status) => {
      const response = await rawRequest(world, [
        'GET /open HTTP/1.1',
        'Host: x',
        'Connection: Upgrade',
        `Upgrade: ${protocol}`,
      ]);
      expect(response.status).toBe(status);
    });
  });

  describe('bytes that are no request', () => {
    it.each([
      { what: 'garbage', bytes: 'GARBAGE\r\n\r\n' },
      { what: 'a TLS greeting', bytes: '\u0016\u0003\u0001\u0002\u0000\u0001' },
      { what: 'a method that does not exist', bytes: 'BREW /open HTTP/1.1\r\nHost: x\r\n\r\n' },
      { what: 'HTTP/2 without agreement', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
      { what: 'no version', bytes: 'GET /open\r\n\r\n' },
      { what: 'a space in the target', bytes: 'GET /open now HTTP/1.1\r\nHost: x\r\n\r\n' },
      { what: 'raw UTF-8 in the target', bytes: 'GET /open?\u00c3\u00bc HTTP/1.1\r\nHost: x\r\n\r\n' },
      { what: 'a header without a colon', bytes: 'GET /open HTTP/1.1\r\nHost: x\r\nNonsense\r\n\r\n' },
      { what: 'a space before the colon', bytes: 'GET /open HTTP/1.1\r\nHost: x\r\nX-A : 1\r\n\r\n' },
      { what: 'a NUL in a header', bytes: 'GET /open HTTP/1.1\r\nHost: x\r\nX-A: \u0000\r\n\r\n' },
      { what: 'a folded header', bytes: 'GET /open HTTP/1.1\r\nHost: x\r\nX-A: 1\r\n  folded\r\n\r\n' },
      {
        what: 'two lengths',
        bytes: 'POST /open HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      },
      {
        what: 'a length and chunks',
        bytes: 'POST /open HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      },
      { what: 'a length that is no number', bytes: 'POST /open HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\na' },
      { what: 'a negative length', bytes: 'POST /open HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n' },
      {
        what: 'chunked not last',
        bytes: 'POST /open HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
      },
    ])('$what: 400 as a problem, and the connection ends', async ({ bytes }) => {
      const connection = new RawConnection(world).write(bytes);
      const response = await connection.response();
      await connection.untilClosed();
      expect([response.status, codeOf(response), response.header('connection')]).toEqual([
        400,
        'invalid_request',
        'close',
      ]);
      expect(response.header('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
      expect([connection.received, downstream.requests]).toEqual(['', []]);
      connection.close();
    });

    it.each([
      { where: 'in one piece with the request', isApart: false },
      { where: 'once the upload is under way', isApart: true },
    ])('a broken chunk $where: the upload is broken off, and not whole for the downstream', async ({ isApart }) => {
      const ends: string[] = [];
      downstream.answer = (req, res) => {
        if (req.method === 'GET') {
          res.end();
          return;
        }
        req
          .resume()
          .on('end', () => ends.push('whole'))
          .on('error', () => ends.push('broken'));
      };
      const connection = new RawConnection(world);
      const begun = 'POST /open HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n';
      if (isApart) {
        connection.write(begun);
        await until('the upload to reach the downstream', () => downstream.requests.length === 1);
        connection.write('zz\r\n');
      } else {
        connection.write(`${begun}zz\r\n`);
      }
      await connection.untilClosed();
      // What is still on its way to the downstream arrives before what is sent now.
      await rawRequest(world, ['GET /open HTTP/1.1', 'Host: x']);
      const uploads = downstream.requests.filter(({ method }) => method === 'POST').length;
      await until('each upload to end at the downstream', () => ends.length === uploads);
      expect([connection.received.startsWith('HTTP/1.1 200'), ends.includes('whole')]).toEqual([false, false]);
      connection.close();
    });

    it('a header with a bare line feed smuggles nothing', async () => {
      const response = await sendBytes('GET /open HTTP/1.1\r\nHost: x\r\nX-A: 1\nX-MS-Evil: 1\r\n\r\n');
      expect([response.status, downstream.requests]).toEqual([400, []]);
    });

    it('are written down as one line each, without the bytes', async () => {
      const response = await sendBytes('EVIL-BYTES\r\n\r\n');
      const id = response.header('x-request-id') ?? '';
      await world.log.of(id);
      expect(world.log.lines.filter(({ requestId }) => requestId === id)).toHaveLength(1);
      expect(world.log.text).not.toContain('EVIL-BYTES');
    });
  });

  describe('garbage behind a good request', () => {
    it('does not get into the answer to the good one, and is answered after it', async () => {
      let finish: (() => unknown) | undefined;
      downstream.answer = (_req, res) => {
        res.writeHead(200, { 'content-length': 1_000 }).write('begun');
        finish = () => res.end('x'.repeat(995));
      };
      const connection = new RawConnection(world).send('GET /open HTTP/1.1', 'Host: x');
      await connection.untilReceived('begun');
      connection.write('GARBAGE\r\n\r\n');
      finish?.();
      const good = await connection.response();
      const bad = await connection.response();
      await connection.untilClosed();
      expect([good.status, good.body, bad.status, codeOf(bad)]).toEqual([
        200,
        `begun${'x'.repeat(995)}`,
        400,
        'invalid_request',
      ]);
      connection.close();
    });

    it('in the same packet: the good one has its answer, then the other its own, and the connection ends', async () => {
      const connection = new RawConnection(world);
      connection.write('GET /open HTTP/1.1\r\nHost: x\r\n\r\nGARBAGE\r\n\r\nGET /open HTTP/1.1\r\nHost: x\r\n\r\n');
      expect([(await connection.response()).status, (await connection.response()).status]).toEqual([200, 400]);
      await connection.untilClosed();
      expect([connection.received, downstream.requests.length]).toEqual(['', 1]);
      connection.close();
    });

    it('good requests in one packet are answered in their order', async () => {
      const connection = new RawConnection(world);
      connection.write(
        ['/open?1', '/nowhere', '/open?2'].map((target) => `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''),
      );
      const answers = [];
      for (let index = 0; index < 3; index += 1) {
        const { status, body } = await connection.response();
        answers.push([status, (JSON.parse(body) as { path?: string }).path]);
      }
      expect(answers).toEqual([
        [200, '/open?1'],
        [404, undefined],
        [200, '/open?2'],
      ]);
      connection.close();
    });
  });
});
