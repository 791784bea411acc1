import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Circuit } from '../../src/resilience/circuit-breaker.ts';
import { AnswerReceiver } from '../../src/forward/downstream-answer.ts';
import { until } from '../support/gateway-poll.ts';
import { startGatewayWorld } from '../support/gateway-world.ts';
import { RawConnection } from '../support/raw-request.ts';

const world = await startGatewayWorld({ server: { bodyLimit: '1gb' } });
const { downstream } = world;
afterAll(() => world.close());
beforeEach(() => downstream.reset());

/** Twice as much as no chain of socket buffers between two programs holds: Linux gives one up to 32 MB to receive. */
const MUCH = 256 * 1_024 * 1_024;
const circuit = new Circuit({ failures: 1, openForMs: 0 }, Date.now);
const PIECE = Buffer.alloc(64 * 1_024, 'x');

function connect(...head: readonly string[]): RawConnection {
  return new RawConnection(world.port).send(...head, 'Host: x');
}

/** Waits until a number has stopped to grow. */
async function untilSteady(what: string, read: () => number): Promise<number> {
  let last = -1;
  let unchanged = 0;
  await until(`${what} stands still`, () => {
    unchanged = read() === last ? unchanged + 1 : 0;
    last = read();
    return last > 0 && unchanged >= 20;
  });
  return last;
}

function digest(bytes: string | Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('does a body stream', () => {
  it('the first event of a feed arrives while the feed goes on', async () => {
    let more: (() => void) | undefined;
    downstream.answer = (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('data: first\n\n');
      more = () => res.end('data: second\n\n');
    };
    const connection = connect('GET /open HTTP/1.1');
    await connection.untilReceived('data: first');
    expect(connection.received).not.toContain('second');
    more?.();
    await connection.untilReceived('data: second');
    connection.close();
  });

  it('the head of an answer arrives before any of its body', async () => {
    downstream.answer = (_req, res) => res.flushHeaders();
    const connection = connect('GET /open HTTP/1.1');
    await connection.untilReceived('HTTP/1.1 200 OK');
    connection.close();
  });

  it('the first piece of an upload arrives before the second is sent', async () => {
    let received = '';
    downstream.answer = async (req, res) => {
      for await (const chunk of req) {
        received += String(chunk);
      }
      res.end(received);
    };
    const connection = connect('PUT /open HTTP/1.1', 'Transfer-Encoding: chunked').write('5\r\nfirst\r\n');
    await until('the first piece is there', () => received === 'first');
    connection.write('7\r\n second\r\n0\r\n\r\n');
    expect((await connection.response()).body).toBe('first second');
    connection.close();
  });

  it('both at once: each line is echoed as it comes', async () => {
    downstream.answer = (req, res) => req.pipe(res);
    const connection = connect('PUT /open HTTP/1.1', 'Transfer-Encoding: chunked');
    for (const word of ['one', 'two', 'six']) {
      connection.write(`3\r\n${word}\r\n`);
      await connection.untilReceived(word);
    }
    connection.close();
  });

  it('eight megabytes each way come out the same', async () => {
    const bytes = randomBytes(8 * 1_024 * 1_024);
    downstream.answer = (req, res) => req.pipe(res);
    const response = await world.call('/open', { method: 'PUT', body: bytes });
    expect(digest(Buffer.from(await response.arrayBuffer()))).toBe(digest(bytes));
  });
});

describe('do pieces of any size come out in their order', () => {
  const sizes = [1, 20_000, 3, 8_192, 8_193, 70_000, 2, 9_000, 9_000, 8_000, 8_000, 1, 130_000, 5];
  const pieces = sizes.map((size) => randomBytes(size));
  const all = digest(Buffer.concat(pieces));

  it.each([
    { what: 'all at once', pause: undefined },
    { what: 'one after the other', pause: () => new Promise(setImmediate) },
  ])('$what, in chunks', async ({ pause }) => {
    downstream.answer = async (_req, res) => {
      for (const piece of pieces) {
        res.write(piece);
        await pause?.();
      }
      res.end();
    };
    const response = await world.call('/open', {});
    expect(response.headers.get('transfer-encoding')).toBe('chunked');
    expect(digest(Buffer.from(await response.arrayBuffer()))).toBe(all);
  });

  it('up to the end of the connection, for a caller that knows no chunks', async () => {
    downstream.answer = (_req, res) => {
      pieces.forEach((piece) => res.write(piece));
      setImmediate(() => res.end());
    };
    const connection = new RawConnection(world.port).send('GET /open HTTP/1.0', 'Host: x');
    const { body } = await connection.response();
    expect(digest(Buffer.from(body, 'latin1'))).toBe(all);
    connection.close();
  });
});

it('an application gets the pieces by the write of its own middleware', async () => {
  const seen: string[] = [];
  const front = createServer((_req, res) => {
    const write = res.write.bind(res) as (piece: unknown, ...rest: unknown[]) => boolean;
    res.write = (piece: unknown, ...rest: unknown[]) => {
      seen.push(String(piece));
      return write(piece, ...rest);
    };
    const limits = { circuit, responseTimeout: 1_000, idleTimeout: 1_000, isConnecting: false };
    const receiver = new AnswerReceiver({ downstream: limits, res, onHead: () => undefined, sendAgain: undefined });
    receiver.onHeaders(200, [], () => undefined, 'OK');
    void receiver.sendTo(res, []);
    receiver.onData(Buffer.from('one'));
    receiver.onData(Buffer.from('two'));
    receiver.onComplete();
  }).listen(0, '127.0.0.1');
  await once(front, 'listening');
  const response = await fetch(`http://127.0.0.1:${(front.address() as AddressInfo).port}`);
  expect(await response.text()).toBe('onetwo');
  expect(seen).toEqual(['', 'one', 'two']);
  front.close();
});

it('such middleware that holds the pieces itself is waited for, though nothing waits in the connection', async () => {
  const seen: unknown[] = [];
  const front = createServer((_req, res) => {
    const limits = { circuit, responseTimeout: 1_000, idleTimeout: 1_000, isConnecting: false };
    const receiver = new AnswerReceiver({ downstream: limits, res, onHead: () => undefined, sendAgain: undefined });
    receiver.onHeaders(200, [], () => seen.push('resumed'), 'OK');
    res.write = () => false;
    void receiver.sendTo(res, []);
    seen.length = 0;
    seen.push(receiver.onData(Buffer.from('held')));
    res.emit('drain');
    receiver.onComplete();
  }).listen(0, '127.0.0.1');
  await once(front, 'listening');
  await fetch(`http://127.0.0.1:${(front.address() as AddressInfo).port}`);
  expect(seen).toEqual([false, 'resumed']);
  front.close();
});

it.each([
  { what: 'counts its bytes gets them all', method: 'GET', isStrict: true, body: 'onetwo' },
  { what: 'has no body stays without one', method: 'HEAD', isStrict: false, body: '' },
])('a response that $what', async ({ method, isStrict, body }) => {
  const front = createServer((_req, res) => {
    res.strictContentLength = isStrict;
    const limits = { circuit, responseTimeout: 1_000, idleTimeout: 1_000, isConnecting: false };
    const receiver = new AnswerReceiver({ downstream: limits, res, onHead: () => undefined, sendAgain: undefined });
    receiver.onHeaders(200, [], () => undefined, 'OK');
    void receiver.sendTo(res, ['content-length', '6']);
    receiver.onData(Buffer.from('one'));
    receiver.onData(Buffer.from('two'));
    receiver.onComplete();
  }).listen(0, '127.0.0.1');
  await once(front, 'listening');
  const connection = new RawConnection((front.address() as AddressInfo).port);
  connection.send(`${method} / HTTP/1.1`, 'Host: x', 'Connection: close');
  await once(connection.socket, 'close');
  expect(connection.received.split('\r\n\r\n')[1]).toBe(body);
  front.close();
});

it.each([204, 304])(
  'where middleware turns an answer into a %i, its body does not become the next answer',
  async (status) => {
    const front = createServer((_req, res) => {
      const writeHead = res.writeHead.bind(res) as (...head: unknown[]) => typeof res;
      res.writeHead = (_status: unknown, ...rest: unknown[]) => writeHead(status, ...rest);
      const limits = { circuit, responseTimeout: 1_000, idleTimeout: 1_000, isConnecting: false };
      const receiver = new AnswerReceiver({ downstream: limits, res, onHead: () => undefined, sendAgain: undefined });
      receiver.onHeaders(200, [], () => undefined, 'OK');
      void receiver.sendTo(res, []);
      receiver.onData(Buffer.from('HTTP/1.1 200 OK\r\nx-forged: 1\r\n\r\n'));
      receiver.onComplete();
    }).listen(0, '127.0.0.1');
    await once(front, 'listening');
    const connection = new RawConnection((front.address() as AddressInfo).port);
    connection.send('GET / HTTP/1.1', 'Host: x', 'Connection: close');
    await once(connection.socket, 'close');
    expect(connection.received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*\r\n\r\n$`));
    expect(connection.received).not.toContain('forged');
    front.close();
  },
);

it('what the end of such middleware throws fails its own request, and not the process', async () => {
  const thrown: unknown[] = [];
  const front = createServer((_req, res) => {
    res.end = () => {
      throw new Error('of the middleware');
    };
    const limits = { circuit, responseTimeout: 1_000, idleTimeout: 1_000, isConnecting: false };
    const receiver = new AnswerReceiver({ downstream: limits, res, onHead: () => undefined, sendAgain: undefined });
    receiver.onHeaders(200, [], () => undefined, 'OK');
    receiver.onData(Buffer.from('short'));
    receiver.onComplete();
    try {
      void receiver.sendTo(res, []);
    } catch (error) {
      thrown.push(error);
    }
    res.destroy();
  }).listen(0, '127.0.0.1');
  await once(front, 'listening');
  await expect(fetch(`http://127.0.0.1:${(front.address() as AddressInfo).port}`)).rejects.toThrow();
  expect(thrown).toEqual([new Error('of the middleware')]);
  front.close();
});

describe('does nobody run ahead of a slow reader', () => {
  it('also without a limit for how long it may stop: it is waited for once', async () => {
    const drains: number[] = [];
    const front = createServer((_req, res) => {
      const limits = {
        circuit,
        responseTimeout: 1_000,
        idleTimeout: Number.POSITIVE_INFINITY,
        isConnecting: false,
      };
      const receiver = new AnswerReceiver({ downstream: limits, res, onHead: () => undefined, sendAgain: undefined });
      receiver.onHeaders(200, [], () => undefined, 'OK');
      const countDrains = (): number => res.listenerCount('drain') + (res.socket?.listenerCount('drain') ?? 0);
      const before = countDrains();
      for (let piece = 0; piece < 50; piece += 1) {
        receiver.onData(PIECE);
      }
      void receiver.sendTo(res, []);
      drains.push(countDrains() - before);
    }).listen(0, '127.0.0.1');
    await once(front, 'listening');
    const connection = new RawConnection((front.address() as AddressInfo).port).send('GET / HTTP/1.1', 'Host: x');
    await until('the answer has begun', () => drains.length === 1);
    expect(drains).toEqual([1]);
    connection.close();
    front.close();
  });

  it.each([
    { what: 'an answer with a length', headers: { 'content-length': MUCH } },
    { what: 'an answer in chunks', headers: {} },
  ])('a client that does not read $what holds the downstream', async ({ headers }) => {
    let sent = 0;
    let begin: (() => void) | undefined;
    downstream.answer = (_req, res) => {
      res.writeHead(200, headers);
      res.flushHeaders();
      begin = () => {
        while (sent < MUCH) {
          sent += PIECE.length;
          if (!res.write(PIECE)) {
            return;
          }
        }
        res.end();
      };
      res.on('drain', begin);
    };
    const connection = connect('GET /open HTTP/1.1');
    await connection.untilReceived('HTTP/1.1 200 OK');
    connection.socket.pause();
    begin?.();
    const held = await untilSteady('the downstream', () => sent);
    expect(held).toBeLessThan(MUCH / 2);
    connection.socket.resume();
    await until('the rest comes', () => sent >= MUCH);
    connection.close();
  });

  it('a downstream that does not read holds the client', async () => {
    let upload: IncomingMessage | undefined;
    downstream.answer = (req) => {
      upload = req;
    };
    const connection = connect('PUT /open HTTP/1.1', `Content-Length: ${MUCH}`);
    let sent = 0;
    const pump = (): void => {
      while (sent < MUCH) {
        sent += PIECE.length;
        if (!connection.socket.write(PIECE)) {
          return;
        }
      }
    };
    connection.socket.on('drain', pump);
    pump();
    const held = await untilSteady('the client', () => sent);
    expect(held).toBeLessThan(MUCH / 2);
    upload?.resume();
    await until('the rest goes', () => sent >= MUCH);
    connection.close();
  });
});
