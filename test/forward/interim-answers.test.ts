import { EventEmitter, once } from 'node:events';
import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import { Socket, type AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Pool } from 'undici';
import { Circuit } from '../../src/resilience/circuit-breaker.ts';
import { AnswerReceiver } from '../../src/forward/downstream-answer.ts';
import { answerWith } from '../support/gateway-downstream.ts';
import { until } from '../support/gateway-poll.ts';
import { startGatewayWorld } from '../support/gateway-world.ts';
import { RawConnection, rawRequest, type RawResponse } from '../support/raw-request.ts';

/** Sends an interim answer for each piece of an upload that it gets. */
const server = createServer((req, res) => {
  req.on('data', () => res.writeProcessing()).on('end', () => res.end());
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const pool = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
const world = await startGatewayWorld();
const { downstream, wire } = world;
beforeEach(() => downstream.reset());
afterAll(async () => {
  await world.close();
  await pool.destroy();
  server.close();
});

const heads = new EventEmitter();

/** A caller who is not there. */
const nobody = new ServerResponse(new IncomingMessage(new Socket()));

/** Has no patience at all for a second interim answer. */
class ImpatientReceiver extends AnswerReceiver {
  constructor() {
    const circuit = new Circuit({ failures: 1, openForMs: 0 }, Date.now);
    const impatient = { circuit, responseTimeout: 0, idleTimeout: 1_000, isConnecting: true };
    super({ downstream: impatient, res: nobody, onHead: () => undefined, sendAgain: undefined });
  }

  override onHeaders(...head: Parameters<AnswerReceiver['onHeaders']>): boolean {
    const goesOn = super.onHeaders(...head);
    heads.emit('head');
    return goesOn;
  }
}

/** Goes on only when the piece before was answered. */
async function* upload(pieces: number): AsyncGenerator<Buffer> {
  for (let piece = 0; piece < pieces; piece += 1) {
    yield Buffer.from('piece');
    await once(heads, 'head');
  }
}

it('interim answers to an upload that is still under way do not make the answer late', async () => {
  const receiver = new ImpatientReceiver();
  const body = upload(5) as unknown as Readable;
  pool.dispatch({ path: '/', method: 'PUT', body }, receiver);
  expect((await receiver.started).status).toBe(200);
});

/** Lets the downstream say these heads before its answer, and calls it. */
function callWith(before: readonly string[], version = '1.1'): Promise<RawResponse> {
  wire.onConnection = (socket) => {
    socket.once('data', () => {
      socket.end(`${before.join('')}HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nwell`, 'latin1');
    });
  };
  return rawRequest(world.port, [`GET /wire HTTP/${version}`, 'Host: x']);
}

describe('do interim answers of the downstream pass', () => {
  it.each([102, 103, 110])('%d: yes, and the answer after it', async (status) => {
    const response = await callWith([`HTTP/1.1 ${status} \r\nLink: </a>\r\n\r\n`]);
    expect([response.interim, response.status, response.body]).toEqual([[status], 200, 'well']);
  });

  it('100, for which nobody asked: it does no harm, and is between the downstream and the gateway', async () => {
    const unasked = 'HTTP/1.1 100 Continue\r\n\r\n';
    const response = await callWith([unasked, 'HTTP/1.1 103 Early Hints\r\n\r\n', unasked]);
    expect([response.interim, response.status, response.body]).toEqual([[103], 200, 'well']);
  });

  it('several, in their order', async () => {
    const hints = 'HTTP/1.1 103 Early Hints\r\n\r\n';
    expect((await callWith([hints, 'HTTP/1.1 102 Processing\r\n\r\n', hints])).interim).toEqual([103, 102, 103]);
  });

  it('their headers too, by the rules of every answer, and without a length', async () => {
    downstream.answer = (req, res, received) => {
      res.socket?.write(
        'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nLink: </b>\r\nSet-Cookie: a=b\r\nX-Accel-Redirect: /x\r\nContent-Length: 0\r\n\r\n',
      );
      return answerWith(200, [], 'x')(req, res, received);
    };
    const connection = new RawConnection(world.port).send('GET /open HTTP/1.1', 'Host: x');
    await connection.untilReceived('200 OK');
    expect(connection.received.split('\r\n\r\n')[0]).toBe(
      'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nLink: </b>',
    );
    connection.close();
  });

  it('not to a caller of HTTP/1.0, who knows none', async () => {
    const response = await callWith(['HTTP/1.1 103 Early Hints\r\n\r\n'], '1.0');
    expect([response.interim, response.status, response.body]).toEqual([[], 200, 'well']);
  });

  it('a hundred of them; the rest is dropped', async () => {
    const response = await callWith(Array.from({ length: 300 }, () => 'HTTP/1.1 103 Early Hints\r\n\r\n'));
    expect([response.interim.length, response.status]).toEqual([100, 200]);
  });

  it('those for a request that the caller sends after the answer before it', async () => {
    downstream.answer = (_req, res) => {
      res.writeEarlyHints({ link: '</a>; rel=preload' });
      res.end('x');
    };
    const connection = new RawConnection(world.port);
    for (let turn = 0; turn < 2; turn += 1) {
      connection.send('GET /open HTTP/1.1', 'Host: x');
      expect((await connection.response()).interim).toEqual([103]);
    }
    connection.close();
    await until('the connection is gone', () => connection.isGone);
  });
});
