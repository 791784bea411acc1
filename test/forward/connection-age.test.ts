import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Dispatcher } from 'undici';
import { Downstream } from '../../src/forward/downstream.ts';
import { until } from '../support/gateway-poll.ts';

const TIMEOUT = { connect: 5_000, response: 30_000, idle: 30_000 };

const closing: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

interface Api {
  readonly downstream: Downstream;
  /** Every connection there was. */
  readonly sockets: Socket[];
  /** What happens to requests for /stream. */
  readonly streams: ServerResponse[];
}

/** An API that keeps its connections open, and the gateway's side of it. */
async function startApi(maxAge: number | undefined): Promise<Api> {
  const sockets: Socket[] = [];
  const streams: ServerResponse[] = [];
  const server = createServer({ keepAliveTimeout: 60_000 }, (req, res) => {
    if (req.url === '/stream') {
      res.write('first');
      streams.push(res);
    } else {
      res.end('whole');
    }
  });
  server.on('connection', (socket: Socket) => sockets.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const downstream = new Downstream(
    'api',
    { baseUrl, timeout: TIMEOUT, connections: { maxAge }, headLimit: 16_384 },
    Date.now,
  );
  closing.push(async () => {
    await downstream.destroy();
    server.closeAllConnections();
    server.close();
  });
  return { downstream, sockets, streams };
}

async function get({ downstream }: Api, path = '/'): Promise<string> {
  const { body } = await Dispatcher.prototype.request.call(downstream.pool, { method: 'GET', path });
  const text = await body.text();
  // The connection is free a moment after its answer is complete.
  await new Promise((resolve) => setImmediate(resolve));
  return text;
}

describe('a connection to a downstream', () => {
  it('is used again while it is young', async () => {
    const api = await startApi(60_000);
    await get(api);
    await get(api);
    expect(api.sockets).toHaveLength(1);
  });

  it('ends at its age when it is idle, and the next request gets a new one', async () => {
    const api = await startApi(50);
    await get(api);
    await until('the connection is closed', () => api.sockets[0]?.destroyed === true);
    expect(await get(api)).toBe('whole');
    expect(api.sockets).toHaveLength(2);
  });

  it('carries a stream to its end, but nothing after it', async () => {
    const api = await startApi(50);
    const stream = get(api, '/stream');
    await until('the stream began', () => api.streams.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(api.sockets[0]?.destroyed).toBe(false);
    api.streams[0]?.end(', last');
    expect(await stream).toBe('first, last');
    expect(await get(api)).toBe('whole');
    expect(api.sockets).toHaveLength(2);
    await until('the old one is closed', () => api.sockets[0]?.destroyed === true);
  });

  it('is dropped without a request lost, however many there are', async () => {
    const api = await startApi(20);
    const worker = async (): Promise<string[]> => {
      const answers: string[] = [];
      while (answers.length < 200) {
        answers.push(await get(api));
      }
      return answers;
    };
    const answers = await Promise.all([worker(), worker(), worker(), worker()]);
    expect(new Set(answers.flat())).toEqual(new Set(['whole']));
    expect(answers.flat()).toHaveLength(800);
  });

  it('has no age with none', async () => {
    const api = await startApi(undefined);
    await get(api);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await get(api);
    expect(api.sockets).toHaveLength(1);
  });
});
