import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { afterAll, expect, it } from '@jest/globals';
import { Pool } from 'undici';
import { Circuit } from '../../src/circuit.ts';
import { AnswerReceiver } from '../../src/forward/downstream-answer.ts';

/** Sends an interim answer for each piece of an upload that it gets. */
const server = createServer((req, res) => {
  req.on('data', () => res.writeProcessing()).on('end', () => res.end());
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const pool = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
afterAll(async () => {
  await pool.destroy();
  server.close();
});

const heads = new EventEmitter();

/** Has no patience at all for a second interim answer. */
class ImpatientReceiver extends AnswerReceiver {
  constructor() {
    const circuit = new Circuit({ failures: 1, openFor: 0 }, Date.now);
    super({ circuit, responseTimeout: 0, idleTimeout: 1_000, onHead: () => undefined });
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
