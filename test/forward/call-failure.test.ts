import { once } from 'node:events';
import { createServer, IncomingMessage, ServerResponse, type RequestListener } from 'node:http';
import { Socket, type AddressInfo } from 'node:net';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Pool } from 'undici';
import { Circuit } from '../../src/resilience/circuit-breaker.ts';
import { GatewayError } from '../../src/failures.ts';
import { AnswerReceiver } from '../../src/forward/downstream-answer.ts';
import { forward } from '../../src/forward/forward.ts';
import { Downstream } from '../../src/forward/downstream.ts';
import { NO_BODY } from '../../src/request/body.ts';
import { until } from '../support/gateway-poll.ts';

const timeout = { connect: 10_000, response: 20_000, idle: 20_000 };
const closing: (() => Promise<unknown>)[] = [];
afterAll(() => Promise.all(closing.map((close) => close())));

/** A server that ends with the test. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a connection that cannot be made because', () => {
  it.each([
    ['EMFILE', 'overloaded', 0],
    ['ENFILE', 'overloaded', 0],
    ['EADDRNOTAVAIL', 'overloaded', 0],
    ['ECONNREFUSED', 'downstream_unreachable', 1],
    ['ENOTFOUND', 'downstream_unreachable', 1],
  ])('of %s is %s', async (code, failure, failures) => {
    const pool = new Pool('http://127.0.0.1:9', {
      connect: (_options, callback) => callback(Object.assign(new Error('no'), { code }), null),
    });
    const circuit = new Circuit({ failures: 1, openForMs: 1_000 }, () => 0);
    const receiver = new AnswerReceiver({
      downstream: { circuit, responseTimeout: 1_000, idleTimeout: 1_000, isConnecting: false },
      res: new ServerResponse(new IncomingMessage(new Socket())),
      onHead: () => undefined,
      sendAgain: undefined,
    });
    pool.dispatch({ path: '/', method: 'GET' }, receiver);
    const error = await receiver.started.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(GatewayError);
    expect((error as GatewayError).code).toBe(failure);
    expect(circuit.waitMs > 0).toBe(failures > 0);
    await pool.destroy();
  });
});

describe('an answer that cannot be passed on', () => {
  it('lets go of its connection, as soon as the caller has another answer', async () => {
    let isLetGo = false;
    const endless = await serve((_req, res) => {
      res.writeHead(200, { 'x-of': 'downstream' });
      const more = setInterval(() => res.write(Buffer.alloc(100_000)), 1);
      res.once('close', () => {
        clearInterval(more);
        isLetGo = true;
      });
    });
    const downstream = new Downstream(
      'endless',
      { baseUrl: endless, timeout, headLimit: 65_536, connections: { maxAge: undefined } },
      () => 0,
    );
    closing.push(() => downstream.destroy());
    const front = await serve((_req, res) => {
      const call = { downstream, method: 'GET', path: '/', query: '', headers: [], body: NO_BODY };
      void forward(res, { ...call, onHead: () => undefined })
        .then((answer) => answer.sendTo(res, ['x-bad', '\u0000']))
        .catch(() => res.writeHead(500).end());
    });
    expect((await fetch(front)).status).toBe(500);
    await until('the downstream is let go', () => isLetGo);
    await until('nothing is under way', () => downstream.pool.stats.running === 0);
  });
});
