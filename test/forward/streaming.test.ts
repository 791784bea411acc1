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
      const before = res.listenerCount('drain');
      for (let piece = 0; piece < 50; piece += 1) {
        receiver.onData(PIECE);
      }
      void receiver.sendTo(res, []);
      drains.push(res.listenerCount('drain') - before);
    }).listen(0, '127.0.0.1');
    await once(front, 'listening');
    const connection = new RawConnection((front.address() as AddressInfo).port).send('GET / HTTP/1.1', 'Host: x');
    await until('the answer has begun', () => drains.length === 1);
    expect(drains).toEqual([1]);
    connection.close();
    front.close();
  });

  it('a client that does not read holds the downstream', async () => {
    let sent = 0;
    let begin: (() => void) | undefined;
    downstream.answer = (_req, res) => {
      res.writeHead(200, { 'content-length': MUCH });
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
