import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { createHttpServer, listen } from '../../src/http/server.ts';
import { until } from '../support/gateway-poll.ts';
import { readProblem, startGatewayWorld } from '../support/gateway-world.ts';
import { RawConnection } from '../support/raw-request.ts';

const PAGE = 'https://app.contoso.com';
const world = await startGatewayWorld({ server: { maxInFlight: 2, cors: { origins: [PAGE] } } });
const { downstream } = world;
afterAll(() => world.close());
afterEach(() => downstream.reset());

/** Lets requests wait at the downstream until they are let go. */
function holdAnswers(): (() => unknown)[] {
  const waiting: (() => unknown)[] = [];
  downstream.answer = (_req, res) => waiting.push(() => res.end('late'));
  return waiting;
}

async function isServed(): Promise<boolean> {
  return (await world.call('/openapi.json')).status === 200;
}

function ask(): RawConnection {
  return new RawConnection(world.port).send('GET /open HTTP/1.1', 'Host: x');
}

describe('more requests than server.maxInFlight', () => {
  it('get 503 at once, and the next one is served as soon as another is over', async () => {
    const waiting = holdAnswers();
    const underWay = [ask(), ask()];
    await until('two are under way', () => waiting.length === 2);
    for (const path of ['/open', '/openapi.json', '/nowhere']) {
      const refused = await world.call(path, { headers: { origin: PAGE } });
      const problem = await readProblem(refused);
      expect([refused.status, problem.code, refused.headers.get('retry-after')]).toEqual([503, 'overloaded', '1']);
      expect(refused.headers.get('access-control-allow-origin')).toBe(PAGE);
      expect(await world.log.of(problem.requestId)).toMatchObject({
        level: 'error',
        code: 'overloaded',
        remedy: expect.stringContaining('server.maxInFlight'),
      });
    }
    waiting.forEach((answer) => answer());
    const responses = await Promise.all(underWay.map((connection) => connection.response()));
    expect(responses.map(({ status }) => status)).toEqual([200, 200]);
    await until('there is room again', isServed);
    underWay.forEach((connection) => connection.close());
  });

  it('do not come any more once a caller left', async () => {
    const waiting = holdAnswers();
    const leaving = [ask(), ask()];
    await until('two are under way', () => waiting.length === 2);
    leaving.forEach((connection) => connection.close());
    await until('there is room again', isServed);
  });

  it('are not made by requests that wait behind another on their connection', async () => {
    const waiting = holdAnswers();
    const pipeline = new RawConnection(world.port).write('GET /open HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(5));
    for (let index = 0; index < 5; index += 1) {
      await until('it is under way', () => waiting.length === index + 1);
      expect(await isServed()).toBe(true);
      waiting[index]?.();
      expect((await pipeline.response()).status).toBe(200);
    }
    pipeline.close();
  });
});

describe('more connections than server.maxConnections', () => {
  it('are closed at once, unanswered, until another one is gone', async () => {
    const { server, connections } = createHttpServer(answerWell, () => undefined, { maxConnections: 3 });
    const { port } = await listen(server, '127.0.0.1', 0, 'port');
    const open = (): RawConnection => new RawConnection(port).send('GET / HTTP/1.1', 'Host: x');
    const taken = [open(), open(), open()];
    await Promise.all(taken.map((connection) => connection.response()));
    const refused = open();
    await until('it is closed', () => refused.isGone);
    expect(refused.received).toBe('');
    expect((await taken[0]?.send('GET / HTTP/1.1', 'Host: x').response())?.status).toBe(200);
    taken[1]?.close();
    await until('it is gone', () => [...connections.all].length === 2);
    const next = open();
    expect((await next.response()).status).toBe(200);
    connections.destroy();
    server.close();
    await until('all are gone', () => [...taken, next].every((connection) => connection.isGone));
  });
});

const answerWell: RequestListener = (_req, res) => {
  res.end('well');
};

/** A connection that had one answer of a server. */
async function serve(keepAliveMs: number): Promise<{ socket: Socket; head: string; stop: () => void }> {
  const { server, connections } = createHttpServer(answerWell, () => undefined, { keepAliveMs });
  const { port } = await listen(server, '127.0.0.1', 0, 'port');
  const socket = connect(port, '127.0.0.1').setEncoding('latin1');
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  const [head] = (await once(socket, 'data')) as [string];
  const stop = (): void => {
    connections.destroy();
    server.close();
  };
  return { socket, head, stop };
}

describe('server.keepAlive', () => {
  it('closes a connection that waits longer for its next request, and says so beforehand', async () => {
    const { socket, head, stop } = await serve(1_000);
    await once(socket.resume(), 'end');
    expect(head).toContain('Keep-Alive: timeout=1');
    stop();
  });

  it('none keeps it open', async () => {
    const { socket, head, stop } = await serve(0);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect([socket.readableEnded, head.includes('Keep-Alive:')]).toEqual([false, false]);
    stop();
  });
});
