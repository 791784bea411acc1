import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createHttpServer, listen } from '../../src/http/server.ts';
import { answerPlainly } from '../support/gateway-downstream.ts';
import { startListenerWorlds } from '../support/listener-worlds.ts';
import { connectTo, RawConnection } from '../support/raw-request.ts';

const worlds = await startListenerWorlds();

describe.each(worlds)('over $listener', ({ world }) => {
  const { downstream } = world;
  afterAll(() => world.close());
  beforeEach(() => downstream.reset());

  /** A request with a token, line by line. */
  function lines(first: string, ...more: string[]): string[] {
    return [first, 'Host: x', `Authorization: Bearer ${world.token('adele')}`, ...more];
  }

  describe('a client that asks for a tunnel', () => {
    it('and resets the connection does not take the gateway down', async () => {
      for (let attempt = 0; attempt < 5; attempt += 1) {
        const connection = new RawConnection(world).send('CONNECT elsewhere:443 HTTP/1.1', 'Host: elsewhere:443');
        await connection.untilReceived('HTTP/1.1');
        connection.reset();
      }
      expect((await world.call('/open')).status).toBe(200);
    });

    it('and keeps its side open is cut off all the same', async () => {
      const socket = connectTo(world, { allowHalfOpen: true });
      socket.write('CONNECT elsewhere:443 HTTP/1.1\r\nHost: elsewhere:443\r\n\r\n');
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      await once(socket, 'end');
      expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 400 /);
      socket.destroy();
    });
  });

  describe('a connection on which nothing happens', () => {
    it('is closed once it was idle for long enough', async () => {
      const { server } = createHttpServer(
        (_req, res) => {
          res.end('well');
        },
        () => undefined,
      );
      server.keepAliveTimeout = 50;
      const { port } = await listen(server, '127.0.0.1', 0, 'port');
      const socket = connect(port, '127.0.0.1');
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      socket.resume();
      await once(socket, 'end');
      expect(socket.readableEnded).toBe(true);
      server.close();
    });
  });

  describe('a header that Node shows the first line of', () => {
    it.each(['Content-Type: text/plain', 'User-Agent: a', 'From: a', 'Referer: a'])(
      'is refused twice: %s',
      async (line) => {
        const connection = new RawConnection(world).send(...lines('GET /open HTTP/1.1', line, line));
        expect((await connection.response()).status).toBe(400);
        expect(downstream.requests).toEqual([]);
        connection.close();
      },
    );

    it('cannot be dropped by Connection when it says what the body is', async () => {
      const connection = new RawConnection(world);
      connection.send(
        ...lines('PUT /open HTTP/1.1', 'Content-Type: text/plain', 'Connection: content-type', 'Content-Length: 2'),
      );
      connection.write('hi');
      expect((await connection.response()).status).toBe(200);
      expect(downstream.last.rawHeaders.map((text) => text.toLowerCase())).toContain('content-type');
      connection.close();
    });
  });

  describe('a body that nobody waits for', () => {
    it('is read to its end, so that the answer is not lost and the connection lives', async () => {
      downstream.answer = (_req, res) => {
        res.writeHead(409, { 'content-length': 2 }).end('no');
      };
      const connection = new RawConnection(world);
      connection.send(...lines('PUT /open HTTP/1.1', 'Content-Length: 9000000'));
      connection.write(Buffer.alloc(1_000_000));
      expect((await connection.response()).status).toBe(409);
      downstream.answer = answerPlainly;
      connection.write(Buffer.alloc(8_000_000));
      connection.send(...lines('GET /open HTTP/1.1'));
      expect((await connection.response()).status).toBe(200);
      connection.close();
    });
  });

  describe('a coding that only one of two servers would take off', () => {
    it('is refused', async () => {
      const connection = new RawConnection(world);
      connection.send(...lines('PUT /open HTTP/1.1', 'Transfer-Encoding: gzip, chunked'));
      connection.write('0\r\n\r\n');
      expect((await connection.response()).status).toBe(400);
      expect(downstream.requests).toEqual([]);
      connection.close();
    });
  });
});
