import { randomBytes } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { answerPlainly, readBody } from '../support/gateway-downstream.ts';
import { until } from '../support/gateway-poll.ts';
import { startListenerWorlds } from '../support/listener-worlds.ts';
import { connectTo, RawConnection, type RawResponse } from '../support/raw-request.ts';

// Thousands of requests go through here.
jest.setTimeout(100_000);

const worlds = await startListenerWorlds();

/** The bytes of a request. */
function bytesOf(first: string, more: readonly string[] = [], body: Buffer | string = ''): Buffer {
  return Buffer.concat([Buffer.from(`${[first, 'Host: x', ...more].join('\r\n')}\r\n\r\n`), Buffer.from(body)]);
}

const statusesOf = (responses: readonly RawResponse[]): number[] => responses.map(({ status }) => status);

/** A request with a body of so many bytes, with its length or in chunks. */
function put(target: string, size: number): Buffer {
  const body = randomBytes(size);
  if (size % 2 === 0) {
    return bytesOf(`PUT ${target} HTTP/1.1`, [`Content-Length: ${size}`], body);
  }
  const half = size >> 1;
  const chunks = [body.subarray(0, half), body.subarray(half)].filter(({ length }) => length > 0);
  const coded = chunks.flatMap((chunk) => [
    Buffer.from(`${chunk.length.toString(16)}\r\n`),
    chunk,
    Buffer.from('\r\n'),
  ]);
  return bytesOf(
    `PUT ${target} HTTP/1.1`,
    ['Transfer-Encoding: chunked'],
    Buffer.concat([...coded, Buffer.from('0\r\n\r\n')]),
  );
}

const get = (target: string, ...more: string[]): Buffer => bytesOf(`GET ${target} HTTP/1.1`, more);

describe.each(worlds)('over $listener', ({ listener, world }) => {
  const { downstream } = world;
  afterAll(() => world.close());
  beforeEach(() => downstream.reset());

  /** Sends bytes at once and reads so many answers. */
  async function exchange(bytes: readonly Buffer[], answers: number): Promise<RawResponse[]> {
    const connection = new RawConnection(world).write(Buffer.concat(bytes));
    const responses: RawResponse[] = [];
    for (let index = 0; index < answers; index += 1) {
      responses.push(await connection.response());
    }
    connection.close();
    return responses;
  }

  describe('a client that sends its requests without waiting and reads the answers', () => {
    it('gets every answer, in order, whatever the bodies', async () => {
      downstream.answer = async (req, res) => {
        const { length } = await readBody(req);
        res.end(`${req.url} ${length}`);
      };
      const sizes = Array.from({ length: 2_100 }, (_, index) => (index % 300 === 299 ? 200_000 - index : index % 90));
      const connection = connectTo(world);
      connection.setEncoding('latin1');
      const received: string[] = [];
      connection.on('data', (text: string) => received.push(text));
      connection.write(Buffer.concat(sizes.map((size, index) => put(`/open?${index}`, size))));
      await until('all answers are here', () => received.at(-1)?.includes('/open?2099 ') === true, 90_000);
      const all = received.join('');
      expect(all.match(/\/open\?\d+ \d+/g)).toEqual(sizes.map((size, index) => `/open?${index} ${size}`));
      connection.destroy();
    });

    it('has one of them answered at a time', async () => {
      let open = 0;
      const seen: number[] = [];
      downstream.answer = (_req, res) => {
        open += 1;
        seen.push(open);
        setImmediate(() => {
          open -= 1;
          res.end('done');
        });
      };
      const requests = Array.from({ length: 50 }, (_, index) => get(`/open?${index}`));
      expect(statusesOf(await exchange(requests, 50))).toEqual(requests.map(() => 200));
      expect(seen).toEqual(requests.map(() => 1));
    });

    it('may send them byte by byte', async () => {
      const connection = new RawConnection(world);
      connection.socket.setNoDelay(true);
      for (const byte of Buffer.concat([get('/open?1'), put('/open?2', 4), put('/open?3', 5), get('/nowhere')])) {
        connection.write(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      const responses = [];
      for (let index = 0; index < 4; index += 1) {
        responses.push(await connection.response());
      }
      expect(statusesOf(responses)).toEqual([200, 200, 200, 404]);
      connection.close();
    });

    it('gets refusals, documents and answers without a body in their order, too', async () => {
      const connection = new RawConnection(world);
      connection.write(
        Buffer.concat([
          get('/me'),
          put('/upload', 1_000),
          bytesOf('HEAD /open HTTP/1.1'),
          get('/openapi.json'),
          bytesOf('PUT /open HTTP/1.1', ['Expect: 100-continue', 'Content-Length: 3'], 'abc'),
          get('/open', 'Connection: close'),
          get('/open?never'),
        ]),
      );
      const responses = [
        await connection.response(),
        await connection.response(),
        await connection.response({ hasBody: false }),
        await connection.response(),
        await connection.response(),
        await connection.response(),
      ];
      await connection.untilClosed();
      expect(statusesOf(responses)).toEqual([401, 401, 200, 200, 200, 200]);
      expect([connection.received, downstream.last.url]).toEqual(['', '/open']);
      connection.close();
    });

    it('may ask for another protocol that nobody speaks, and the requests behind are not lost', async () => {
      const wish = get('/open?1', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk');
      const responses = await exchange([wish, get('/open?2'), get('/open?3')], 3);
      expect(statusesOf(responses)).toEqual([200, 200, 200]);
      expect(downstream.requests.map(({ url }) => url)).toEqual(['/open?1', '/open?2', '/open?3']);
    });

    it('may do so behind other requests, and is told that the connection ends there', async () => {
      const responses = await exchange([get('/open?1'), get('/open?2', 'Connection: Upgrade', 'Upgrade: h2c')], 2);
      expect(responses.map(({ status, header }) => [status, header('connection')])).toEqual([
        [200, 'keep-alive'],
        [200, 'close'],
      ]);
    });

    it.each([
      { what: 'a tunnel', bytes: bytesOf('CONNECT elsewhere:443 HTTP/1.1'), status: 400 },
      { what: 'no request at all', bytes: Buffer.from('GARBAGE\r\n\r\n'), status: 400 },
      // In the pieces in which TLS hands it on, it can no longer be told from headers.
      {
        what: 'a far too long target',
        bytes: get(`/open?${'x'.repeat(60_000)}`),
        status: listener === 'TLS' ? 431 : 414,
      },
      { what: 'far too long headers', bytes: get('/open', `A: ${'x'.repeat(60_000)}`), status: 431 },
    ])('has all earlier answers before the one to $what, and the connection ends', async ({ bytes, status }) => {
      downstream.answer = (_req, res) => setImmediate(() => res.end('x'.repeat(100_000)));
      const connection = new RawConnection(world);
      connection.write(Buffer.concat([get('/open?1'), get('/open?2'), bytes, get('/open?never')]));
      const responses = [await connection.response(), await connection.response(), await connection.response()];
      await connection.untilClosed();
      expect(responses.map((response) => response.status)).toEqual([200, 200, status]);
      expect(responses.map(({ body }) => body.length).slice(0, 2)).toEqual([100_000, 100_000]);
      expect([connection.received, downstream.requests.length]).toEqual(['', 2]);
      connection.close();
    });
  });

  describe('a client that sends its requests without waiting and reads nothing', () => {
    it('has few of them answered until it reads', async () => {
      const count = 300;
      downstream.answer = (_req, res) => res.end('x'.repeat(100_000));
      const socket = connectTo(world);
      socket.write(Buffer.concat(Array.from({ length: count }, (_, index) => get(`/open?${index}`))));
      socket.pause();
      let before = -1;
      await until('no more of them reach the downstream', async () => {
        const isStill = before === downstream.requests.length && before > 0;
        before = downstream.requests.length;
        await new Promise((resolve) => setTimeout(resolve, 250));
        return isStill;
      });
      expect(before).toBeLessThan(count / 2);
      let bytes = 0;
      socket.on('data', (chunk) => {
        bytes += chunk.length;
      });
      socket.resume();
      await until('all answers are here', () => bytes > count * 100_000);
      expect(downstream.requests).toHaveLength(count);
      socket.destroy();
    });

    it('and leaves, takes its requests with it', async () => {
      downstream.answer = () => undefined;
      const connection = new RawConnection(world).write(Buffer.concat([get('/open?1'), get('/open?2')]));
      await until('the first is asked', () => downstream.requests.length === 1);
      connection.reset();
      await until('it is cancelled', () => downstream.last.aborted);
      downstream.answer = answerPlainly;
      expect((await world.call('/open?other')).status).toBe(200);
      expect(downstream.requests.map(({ url }) => url)).toEqual(['/open?1', '/open?other']);
    });
  });

  describe('chunks in HTTP/1.0', () => {
    it.each(['keep-alive', 'close'])('are refused, and what follows is no request (%s)', async (persistence) => {
      const connection = new RawConnection(world);
      connection.write(
        Buffer.concat([
          Buffer.from(`PUT /open HTTP/1.0\r\nConnection: ${persistence}\r\nTransfer-Encoding: chunked\r\n\r\n`),
          Buffer.from('0\r\n\r\n'),
          get('/open?smuggled'),
        ]),
      );
      const response = await connection.response();
      await connection.untilClosed();
      expect([response.status, response.header('connection')]).toEqual([400, 'close']);
      expect([connection.received, downstream.requests]).toEqual(['', []]);
      connection.close();
    });
  });
});
