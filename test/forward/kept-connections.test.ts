import type { Socket } from 'node:net';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../support/gateway-poll.ts';
import { readProblem, startGatewayWorld } from '../support/gateway-world.ts';
import { rawRequest } from '../support/raw-request.ts';

const world = await startGatewayWorld();
const { wire } = world;
afterAll(() => world.close());

/** A request line that the downstream got, and how many came on its connection before. */
interface Got {
  readonly line: string;
  readonly before: number;
}

let got: Got[] = [];
let open: Socket[] = [];
/** What becomes of a request that is not the first on its connection. */
let onLater: (socket: Socket) => void = (socket) => socket.destroy();

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell';

beforeEach(() => {
  got = [];
  for (const socket of open) {
    socket.destroy();
  }
  open = [];
  onLater = (socket) => socket.destroy();
  wire.onConnection = (socket) => {
    let before = 0;
    open.push(socket);
    socket.setEncoding('latin1').on('data', (text: string) => {
      const line = /^([A-Z]+ \S+) HTTP/.exec(text)?.[1];
      if (line !== undefined) {
        got.push({ line, before });
        before += 1;
        if (before === 1) {
          socket.write(OK);
        } else {
          onLater(socket);
        }
      }
    });
  };
});

/** Makes connections that the gateway keeps. */
async function keepConnections(count: number): Promise<void> {
  const answers: (() => void)[] = [];
  const usual = wire.onConnection;
  wire.onConnection = (socket) => {
    const write = socket.write.bind(socket);
    let isHeld = true;
    socket.write = ((...args: Parameters<typeof write>) => {
      if (!isHeld) {
        return write(...args);
      }
      isHeld = false;
      answers.push(() => write(...args));
      return true;
    }) as typeof socket.write;
    usual(socket);
  };
  const calls = Array.from({ length: count }, () => world.call('/wire').then((response) => response.text()));
  await until('all wait for their answers', () => answers.length === count);
  wire.onConnection = usual;
  for (const answer of answers) {
    answer();
  }
  await Promise.all(calls);
  got = [];
}

function send(method: string, body = ''): ReturnType<typeof rawRequest> {
  const framing = body === '' ? [] : [`Content-Length: ${body.length}`];
  return rawRequest(world.port, [`${method} /wire HTTP/1.1`, 'Host: x', ...framing], body);
}

describe('is a request sent once more when a kept connection turns out dead', () => {
  it.each([
    { method: 'GET', body: '' },
    { method: 'HEAD', body: '' },
    { method: 'OPTIONS', body: '' },
    { method: 'PUT', body: '' },
    { method: 'PUT', body: 'a body' },
    { method: 'DELETE', body: '' },
  ])('$method with the body "$body": yes, on a new connection', async ({ method, body }) => {
    await keepConnections(1);
    expect((await send(method, body)).status).toBe(200);
    expect(got).toEqual([
      { line: `${method} /wire`, before: 1 },
      { line: `${method} /wire`, before: 0 },
    ]);
  });

  it('also where it was reset', async () => {
    await keepConnections(1);
    onLater = (socket) => socket.resetAndDestroy();
    expect((await send('GET')).status).toBe(200);
  });

  it('twenty of them at once, each by itself', async () => {
    await keepConnections(20);
    const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await send('GET')).status));
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(got.filter(({ before }) => before === 0)).toHaveLength(20);
  });

  it('one after the other, though the other kept ones are dead as well', async () => {
    await keepConnections(5);
    for (let turn = 0; turn < 5; turn += 1) {
      expect((await send('GET')).status).toBe(200);
    }
  });

  it.each(['POST', 'PATCH'])('%s: never', async (method) => {
    await keepConnections(1);
    const response = await send(method, 'a body');
    expect([response.status, got.length]).toEqual([502, 1]);
  });

  it('not where an answer had begun', async () => {
    await keepConnections(1);
    onLater = (socket) => socket.end('HTTP/1.1 2');
    expect([(await send('GET')).status, got.length]).toEqual([502, 1]);
  });

  it('not on a connection that was made for the request', async () => {
    wire.onConnection = (socket) => {
      socket.once('data', () => {
        got.push({ line: '', before: 0 });
        socket.destroy();
      });
    };
    expect([(await send('GET')).status, got.length]).toEqual([502, 1]);
  });

  it('not a second time', async () => {
    await keepConnections(1);
    const usual = wire.onConnection;
    wire.onConnection = (socket) => {
      usual(socket);
      socket.write = () => socket.destroy().destroyed;
    };
    const response = await world.call('/wire');
    expect([response.status, (await readProblem(response)).code, got.length]).toEqual([
      502,
      'downstream_unreachable',
      2,
    ]);
  });

  it('not while the rest of its body is still to come', async () => {
    await keepConnections(1);
    const response = await rawRequest(
      world.port,
      ['PUT /wire HTTP/1.1', 'Host: x', 'Transfer-Encoding: chunked'],
      '5\r\nbegun\r\n',
    );
    expect([response.status, got.length]).toEqual([502, 1]);
  });

  it('not for a caller who left', async () => {
    await keepConnections(1);
    let waiting: Socket | undefined;
    onLater = (socket) => {
      waiting = socket;
    };
    const controller = new AbortController();
    const call = world.call('/wire', { signal: controller.signal });
    await until('the request waits', () => waiting !== undefined);
    controller.abort();
    await expect(call).rejects.toThrow();
    await until('the call is given up', () => waiting?.destroyed === true);
    expect(got).toHaveLength(1);
  });
});
