import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createAppServer, listen, type AppServer, type AppServerOptions } from '../../src/http/server.ts';
import { until } from '../support/gateway-poll.ts';

let started: AppServer | undefined;
afterEach(() => {
  started?.connections.destroy();
  started?.server.close();
});

const LARGE = Buffer.alloc(16_000_000, 'x');

/** A server whose answers are too large for the buffers between it and a caller. */
async function start(options: AppServerOptions): Promise<number> {
  const { app, server } = (started = createAppServer(
    (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    options,
  ));
  app.use((_req, res) => {
    res.end(LARGE);
  });
  await listen(server, '127.0.0.1', 0, 'port');
  return (server.address() as AddressInfo).port;
}

function ask(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  return socket;
}

const countOpen = (): number => [...(started?.connections.all ?? [])].length;

describe('an answer that is complete and that nobody reads', () => {
  it('ends its connection after a while', async () => {
    const socket = ask(await start({ unreadTimeoutMs: 100 }));
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

  it('is left alone while the caller takes something of it now and then', async () => {
    const socket = ask(await start({ unreadTimeoutMs: 2_000 }));
    let bytes = 0;
    let gulp = 0;
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      gulp += chunk.length;
      if (gulp > 4_000_000) {
        gulp = 0;
        socket.pause();
        // Longer in sum than the limit, but never that long without a byte.
        setTimeout(() => socket.resume(), 1_000);
      }
    });
    await until('the whole answer came', () => bytes > LARGE.length, 25_000);
    socket.destroy();
  });

  it('does not count against a connection that waits for its next request', async () => {
    const port = await start({ unreadTimeoutMs: 100, keepAliveMs: 0 });
    const socket = ask(port);
    let bytes = 0;
    socket.on('data', (chunk) => {
      bytes += chunk.length;
    });
    await until('the whole answer came', () => bytes > LARGE.length);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect([countOpen(), socket.readableEnded]).toEqual([1, false]);
    socket.destroy();
  });
});
