import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createHttpServer, listen, type HttpServer, type HttpServerOptions } from '../../src/http/server.ts';
import { until } from '../support/gateway-poll.ts';
import { openTls, type OpenTls } from '../support/listener-worlds.ts';
import { connectTo, type RawTarget } from '../support/raw-request.ts';

let started: HttpServer | undefined;
afterEach(() => {
  started?.connections.destroy();
  started?.server.close();
});

const LARGE = Buffer.alloc(16_000_000, 'x');

const secure = await openTls();
const LISTENERS: readonly (Partial<OpenTls> & { readonly listener: string })[] = [
  { listener: 'TCP' },
  { listener: 'TLS', ...secure },
];

function ask(target: RawTarget): Socket {
  const socket = connectTo(target);
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  return socket;
}

const countOpen = (): number => [...(started?.connections.all ?? [])].length;

/** A server whose answers are too large for the buffers between it and a caller. */
async function start(options: HttpServerOptions, { tls, ca }: Partial<OpenTls> = {}): Promise<RawTarget> {
  const { server } = (started = createHttpServer(
    (_req, res) => {
      res.end(LARGE);
    },
    (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    { ...options, tls },
  ));
  await listen(server, '127.0.0.1', 0, 'port');
  return { port: (server.address() as AddressInfo).port, ca };
}

describe('an answer that is complete and that nobody reads', () => {
  it.each(LISTENERS)('ends its connection after a while, over $listener', async (over) => {
    const socket = ask(await start({ unreadTimeoutMs: 100 }, over));
    socket.pause();
    await until('it is connected', () => countOpen() === 1);
    await until('it is cut off', () => countOpen() === 0);
    socket.destroy();
  });

  it('ends its connection even where idle connections stay open for ever', async () => {
    const socket = ask(await start({ unreadTimeoutMs: 100, keepAliveMs: 0 }));
    socket.pause();
    await until('it is connected', () => countOpen() === 1);
    await until('it is cut off', () => countOpen() === 0);
    socket.destroy();
  });

  it.each(LISTENERS)(
    'is left alone while the caller takes something of it now and then, over $listener',
    async (over) => {
      const socket = ask(await start({ unreadTimeoutMs: 2_000 }, over));
      let bytes = 0;
      let gulp = 0;
      socket.on('data', (chunk) => {
        bytes += chunk.length;
        gulp += chunk.length;
        if (gulp > 3_000_000) {
          gulp = 0;
          socket.pause();
          // Longer in sum than the limit, but never that long without a byte.
          setTimeout(() => socket.resume(), 500);
        }
      });
      await until('the whole answer came', () => bytes > LARGE.length, 25_000);
      socket.destroy();
    },
  );

  it('does not count against a connection that waits for its next request', async () => {
    const target = await start({ unreadTimeoutMs: 500, keepAliveMs: 0 });
    const socket = ask(target);
    let bytes = 0;
    socket.on('data', (chunk) => {
      bytes += chunk.length;
    });
    await until('the whole answer came', () => bytes > LARGE.length);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect([countOpen(), socket.readableEnded]).toEqual([1, false]);
    socket.destroy();
  });
});
