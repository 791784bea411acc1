import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createHttpServer } from '../../src/http/server.ts';
import { until } from '../support/gateway-poll.ts';
import { startListenerWorlds } from '../support/listener-worlds.ts';
import { RawConnection } from '../support/raw-request.ts';

const worlds = await startListenerWorlds();

async function isAlive(connection: RawConnection): Promise<boolean> {
  connection.send('GET /open HTTP/1.1', 'Host: x');
  return (await connection.response()).status === 200;
}

describe.each(worlds)('over $listener', ({ world }) => {
  const { downstream } = world;
  const bearer = `Authorization: Bearer ${world.token('adele')}`;
  afterAll(() => world.close());
  beforeEach(() => downstream.reset());

  describe('does a connection go on after', () => {
    it.each([
      { what: 'a challenge', lines: ['GET /me HTTP/1.1', 'Host: x'], status: 401 },
      { what: 'a wrong path', lines: ['GET /nowhere HTTP/1.1', 'Host: x'], status: 404 },
      { what: 'a wrong method', lines: ['DELETE /me HTTP/1.1', 'Host: x'], status: 405 },
      { what: 'two Authorization lines', lines: ['GET /me HTTP/1.1', 'Host: x', bearer, bearer], status: 400 },
      { what: 'a downstream that cannot be reached', lines: ['GET /gone HTTP/1.1', 'Host: x'], status: 502 },
    ])('$what', async ({ lines, status }) => {
      const connection = new RawConnection(world).send(...lines);
      expect([(await connection.response()).status, await isAlive(connection)]).toEqual([status, true]);
      connection.close();
    });

    it('a refusal of a request whose body came along', async () => {
      const connection = new RawConnection(world);
      connection.send('PUT /upload HTTP/1.1', 'Host: x', 'Content-Length: 500000').write(Buffer.alloc(500_000, 'x'));
      expect([(await connection.response()).status, await isAlive(connection)]).toEqual([401, true]);
      connection.close();
    });

    it('a body whose bytes look like a request: they are a body', async () => {
      const body = 'GET /open?smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
      const connection = new RawConnection(world);
      connection.send('PUT /upload HTTP/1.1', 'Host: x', `Content-Length: ${body.length}`).write(body);
      expect([(await connection.response()).status, await isAlive(connection)]).toEqual([401, true]);
      expect(downstream.requests.map(({ url }) => url)).toEqual(['/open']);
      connection.close();
    });

    it('a hundred good calls, one after another', async () => {
      const connection = new RawConnection(world);
      for (let index = 0; index < 100; index += 1) {
        connection.send(`GET /open?${index} HTTP/1.1`, 'Host: x');
        await connection.response();
      }
      expect([downstream.requests.length, connection.isClosed]).toEqual([100, false]);
      connection.close();
    });

    it('not when the client asks to close it', async () => {
      const connection = new RawConnection(world).send('GET /open HTTP/1.1', 'Host: x', 'Connection: close');
      expect((await connection.response()).header('connection')).toBe('close');
      await connection.untilClosed();
      connection.close();
    });
  });

  /** Announces a body and waits to be asked for it. */
  function ask(path: string, ...more: readonly string[]): RawConnection {
    const head = [`PUT ${path} HTTP/1.1`, 'Host: x', 'Expect: 100-continue', 'Content-Length: 3'];
    return new RawConnection(world).send(...head, ...more);
  }

  describe('a client that asks before it sends its body', () => {
    it('is told to go on once it is let in', async () => {
      const connection = ask('/upload', bearer);
      await connection.untilReceived('HTTP/1.1 100 Continue');
      connection.write('abc');
      const response = await connection.response();
      expect([response.status, response.interim, downstream.last.body.toString()]).toEqual([200, [100], 'abc']);
      connection.close();
    });

    it.each([
      { what: 'a token', path: '/upload', more: [], status: 401 },
      { what: 'a good token', path: '/upload', more: ['Authorization: Bearer x'], status: 401 },
      { what: 'a path', path: '/nowhere', more: [], status: 404 },
      { what: 'the method', path: '/me', more: [], status: 405 },
    ])('is not asked for it while it lacks $what, and the connection ends', async ({ path, more, status }) => {
      const connection = ask(path, ...more);
      const response = await connection.response();
      expect([response.status, response.interim, response.header('connection')]).toEqual([status, [], 'close']);
      await connection.untilClosed();
      connection.close();
    });

    it('is not asked for it while it lacks the scope', async () => {
      const weak = `Authorization: Bearer ${world.token('adele', { scopes: ['Orders.Read'] })}`;
      const response = await ask('/upload', weak).response();
      expect([response.status, response.interim]).toEqual([403, []]);
    });

    it('Expect does not reach the downstream', async () => {
      const connection = ask('/open').write('abc');
      await connection.response();
      expect(downstream.last.rawHeaders.map((part) => part.toLowerCase())).not.toContain('expect');
      connection.close();
    });

    it('another expectation is refused', async () => {
      const connection = new RawConnection(world).send('PUT /open HTTP/1.1', 'Host: x', 'Expect: miracles');
      expect([(await connection.response()).status, downstream.requests]).toEqual([400, []]);
      connection.close();
    });
  });

  describe('a client that sends its head too slowly', () => {
    it('hears 408 and is cut off', async () => {
      const faults: string[] = [];
      const { server } = createHttpServer(
        () => undefined,
        (socket, fault) => {
          faults.push(fault);
          socket.end(`HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n`);
        },
      );
      expect(server.headersTimeout).toBeLessThan(createServer().headersTimeout);
      // The real times are half a minute; what is tested is what happens when they are over.
      Object.assign(server, { headersTimeout: 30, connectionsCheckingInterval: 10 });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
      const connection = new RawConnection((server.address() as AddressInfo).port).write('GET /open HTTP/1.1\r\nHo');
      expect((await connection.response()).status).toBe(408);
      await until('it is cut off', () => connection.isGone);
      expect(faults).toEqual(['request_timeout']);
      await new Promise((resolve) => server.close(resolve));
    });
  });
});
