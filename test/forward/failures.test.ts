import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../support/gateway-poll.ts';
import { answerPlainly, answerWith } from '../support/gateway-downstream.ts';
import { readProblem, startGatewayWorld } from '../support/gateway-world.ts';
import { RawConnection, rawRequest } from '../support/raw-request.ts';

const world = await startGatewayWorld();
const { downstream, wire } = world;
afterAll(() => world.close());
beforeEach(() => downstream.reset());

/** Lets the downstream `wire` answer each request with these bytes and then do something with the socket. */
function answerBytes(bytes: string, then: (socket: Socket) => void = (socket) => socket.end()): void {
  wire.onConnection = (socket) => {
    socket.once('data', () => socket.write(bytes, 'latin1', () => then(socket)));
  };
}

describe('what if the downstream', () => {
  it.each([
    { what: 'hangs up at once', bytes: '', code: 'downstream_unreachable' },
    {
      what: 'hangs up in the middle of the head',
      bytes: 'HTTP/1.1 200 OK\r\nContent-',
      code: 'downstream_unreachable',
    },
    { what: 'does not speak HTTP', bytes: 'SSH-2.0-OpenSSH_9.2\r\n' },
    {
      what: 'announces two different lengths',
      bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    },
    { what: 'has a wrong status line', bytes: 'HTTP/1.1 OK\r\n\r\n' },
    { what: 'has a blank in a header name', bytes: 'HTTP/1.1 200 OK\r\nA B: c\r\n\r\n' },
    { what: 'has a control character in a value', bytes: 'HTTP/1.1 200 OK\r\nA: b\u0000c\r\n\r\n' },
    { what: 'sends a head without end', bytes: `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(100_000)}\r\n\r\n` },
  ])('$what: 502 and nothing of it', async ({ bytes, code = 'downstream_invalid_response' }) => {
    answerBytes(bytes);
    const response = await world.call('/wire');
    const problem = await readProblem(response);
    expect([response.status, problem.code]).toEqual([502, code]);
    expect(JSON.stringify(problem)).not.toMatch(/SSH|HPE|127\.0\.0\.1|UND_ERR/);
  });

  it('sends a head of 60 kB: it passes', async () => {
    const lines = Array.from({ length: 60 }, (_, index) => `X-Line-${index}: ${'y'.repeat(1_000)}`);
    answerBytes(`HTTP/1.1 200 OK\r\n${lines.join('\r\n')}\r\nContent-Length: 4\r\n\r\nwell`);
    const response = await rawRequest(world.port, ['GET /wire HTTP/1.1', 'Host: x']);
    expect([response.status, response.body, response.header('x-line-59')?.length]).toEqual([200, 'well', 1_000]);
  });

  it('resets the connection: 502', async () => {
    wire.onConnection = (socket) => {
      socket.once('data', () => socket.resetAndDestroy());
    };
    expect((await world.call('/wire')).status).toBe(502);
  });

  it.each([
    { what: 'never answers', answer: () => undefined },
    {
      what: 'sends one interim answer',
      answer: (_req: unknown, res: ServerResponse) => res.writeProcessing(),
    },
    {
      what: 'sends interim answers without end',
      answer: (_req: unknown, res: ServerResponse) => {
        const more = setInterval(() => res.writeProcessing(), 20);
        res.once('close', () => clearInterval(more));
      },
    },
  ])('$what: 504', async ({ answer }) => {
    downstream.answer = answer;
    const response = await world.call('/hasty');
    expect([response.status, (await readProblem(response)).code]).toEqual([504, 'downstream_timeout']);
    await until('the call is given up', () => downstream.last.aborted);
  });

  it('does not read the upload: 504, because that is not the caller’s fault', async () => {
    downstream.answer = () => undefined;
    const connection = new RawConnection(world.port);
    connection.send('PUT /hasty HTTP/1.1', 'Host: x', 'Content-Length: 9000000').write(Buffer.alloc(9_000_000));
    expect((await connection.response()).status).toBe(504);
    connection.close();
  });

  it.each([
    {
      what: 'in the middle of an announced length',
      bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart',
    },
    {
      what: 'in the middle of a chunked body',
      bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n',
    },
    {
      what: 'with a broken chunk',
      bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\nzz\r\n',
    },
  ])('breaks off $what: the caller’s connection breaks too, never a short 200', async ({ bytes }) => {
    answerBytes(bytes);
    const text = world.call('/wire').then((response) => response.text());
    await expect(text).rejects.toThrow();
  });

  it('breaks off in the middle of a chunked body: the last chunk is not sent', async () => {
    answerBytes('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n', (socket) => {
      setImmediate(() => socket.destroy());
    });
    const connection = new RawConnection(world.port).send('GET /wire HTTP/1.1', 'Host: x');
    await connection.untilClosed();
    expect(connection.received.endsWith('0\r\n\r\n')).toBe(false);
  });

  it('falls silent in the middle of a body: the caller’s connection breaks', async () => {
    downstream.answer = (_req, res) => {
      res.writeHead(200, { 'content-length': 100 }).write('part');
    };
    const response = await world.call('/hasty');
    await expect(response.text()).rejects.toThrow('terminated');
    await until('the call is given up', () => downstream.last.aborted);
  });

  it('closes without an announced length: that is the end of the body', async () => {
    answerBytes('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nwhole');
    expect(await (await world.call('/wire')).text()).toBe('whole');
  });

  it('sends more than it announced: only what it announced passes', async () => {
    answerBytes('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npartHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nevil!');
    const first = await world.call('/wire');
    expect(await first.text()).toBe('part');
    answerBytes('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext');
    expect(await (await world.call('/wire')).text()).toBe('next');
  });

  it('answers before it has the whole upload: the answer passes', async () => {
    downstream.answer = (_req, res) => {
      res.writeHead(403, { 'content-length': 2, connection: 'close' }).end('no');
    };
    const connection = new RawConnection(world.port);
    connection.send('PUT /open HTTP/1.1', 'Host: x', 'Content-Length: 100000').write('begun');
    const response = await connection.response();
    expect([response.status, response.body]).toEqual([403, 'no']);
    connection.close();
  });

  it('switches protocols though nobody asked: the caller’s connection is no tunnel', async () => {
    answerBytes('HTTP/1.1 101 Switching Protocols\r\nUpgrade: evil\r\nConnection: upgrade\r\n\r\n');
    const response = await world.call('/wire');
    expect([response.status, (await readProblem(response)).code]).toEqual([502, 'downstream_invalid_response']);
  });
});

describe('what if the caller leaves', () => {
  it('before the answer: the downstream’s work is cancelled', async () => {
    downstream.answer = () => undefined;
    const connection = new RawConnection(world.port).send('GET /open HTTP/1.1', 'Host: x');
    await until('the downstream is asked', () => downstream.requests.length === 1);
    connection.close();
    await until('the downstream is left', () => downstream.last.aborted);
  });

  it('in the middle of the answer: the same', async () => {
    downstream.answer = (_req, res) => res.write('part');
    const connection = new RawConnection(world.port).send('GET /open HTTP/1.1', 'Host: x');
    await connection.untilReceived('part');
    connection.close();
    await until('the downstream is left', () => downstream.last.aborted);
  });

  it('in the middle of its upload: the downstream gets no short body for a whole one', async () => {
    const ends: boolean[] = [];
    downstream.answer = (req) => {
      req
        .resume()
        .on('end', () => ends.push(true))
        .on('error', () => ends.push(false));
    };
    const connection = new RawConnection(world.port);
    connection.send('PUT /open HTTP/1.1', 'Host: x', 'Transfer-Encoding: chunked').write('4\r\npart\r\n');
    await until('the downstream is asked', () => downstream.requests.length === 1);
    connection.close();
    await until('the upload ends', () => ends.length > 0);
    expect(ends).toEqual([false]);
  });

  it('in the middle of a body that has to be checked: nothing is sent on', async () => {
    const id = 'left-in-the-body';
    const connection = new RawConnection(world.port);
    connection.send(
      'POST /orders HTTP/1.1',
      'Host: x',
      'Content-Type: application/json',
      'Content-Length: 100',
      `X-Request-Id: ${id}`,
      `Authorization: Bearer ${world.token('adele')}`,
    );
    connection.write('{"customer":');
    connection.socket.end();
    connection.socket.destroySoon();
    expect(await world.log.of(id)).toMatchObject({ status: expect.any(Number), callerGone: true });
    expect(downstream.requests).toEqual([]);
  });
});

describe('what if the downstream cannot be reached again and again', () => {
  it('callers hear so at once after fifty times, until it had time to come back', async () => {
    const own = await startGatewayWorld();
    own.stopClocks();
    const statuses = await Promise.all(Array.from({ length: 50 }, async () => (await own.call('/gone')).status));
    expect(statuses).toEqual(Array.from({ length: 50 }, () => 502));

    const back = createServer((_req, res) => res.end('back')).listen(own.gonePort, '127.0.0.1');
    await once(back, 'listening');
    const again = await own.call('/gone');
    expect([again.status, (await readProblem(again)).code, again.headers.get('retry-after')]).toEqual([
      503,
      'downstream_unavailable',
      '2',
    ]);
    expect((await own.call('/open')).status).toBe(200);

    own.advance(2_000);
    expect(await (await own.call('/gone')).text()).toBe('back');
    back.close();
    back.closeAllConnections();
    await own.close();
  });

  it('calls that break on the way do not count as that', async () => {
    wire.onConnection = (socket) => socket.destroy();
    const statuses = await Promise.all(Array.from({ length: 60 }, async () => (await world.call('/wire')).status));
    answerBytes('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell');
    expect([new Set(statuses), (await world.call('/wire')).status]).toEqual([new Set([502]), 200]);
  });

  it('a status of 5xx does not count as that', async () => {
    downstream.answer = answerWith(503);
    const statuses = await Promise.all(Array.from({ length: 60 }, async () => (await world.call('/open')).status));
    downstream.answer = answerPlainly;
    expect([new Set(statuses), (await world.call('/open')).status]).toEqual([new Set([503]), 200]);
  });
});
