import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { openBody, readWhole, type BodyReading } from '../src/request-body.ts';

const HOUR = 3_600_000;

/** A body that never ends and never pauses. */
function endlessBody(): IncomingMessage {
  return Object.assign(Readable.from(drip()), { headers: {} }) as unknown as IncomingMessage;
}

async function* drip(): AsyncGenerator<Buffer> {
  for (;;) {
    yield await setImmediate(Buffer.of(0));
  }
}

describe('a body that keeps moving', () => {
  it.each<[what: string, rules: Pick<BodyReading, 'deadline' | 'limit'>, failure: string]>([
    ['is not waited for beyond its deadline', { deadline: 20, limit: Number.POSITIVE_INFINITY }, 'request_timeout'],
    ['is read up to its limit when there is no deadline', { limit: 1_000 }, 'payload_too_large'],
  ])('%s', async (_, rules, failure) => {
    const reading = readWhole(endlessBody(), { ...rules, askForBody: () => undefined, idleTimeout: HOUR });
    await expect(reading).rejects.toMatchObject({ failure });
  });
});

describe('a body that nothing is to be checked of', () => {
  const length = ['Content-Length: 10'];
  it.each<[how: string, headers: readonly string[], pieces: readonly string[], arrives: string]>([
    ['arrived with its head goes on in one piece', length, ['0123456789'], 'held'],
    ['comes in two pieces goes on as it comes', length, ['01234', '56789'], 'streamed'],
    ['has no length goes on as it comes', ['Transfer-Encoding: chunked'], ['a\r\n0123456789\r\n0\r\n\r\n'], 'streamed'],
    ['has to be asked for goes on as it comes', [...length, 'Expect: 100-continue'], ['0123456789'], 'streamed'],
  ])('that %s', async (_, headers, pieces, arrives) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const seen = new Promise<[string, string, boolean]>((resolve, reject) => {
      const take = (req: IncomingMessage): void => void describeBody(req).then(resolve, reject);
      server.on('request', take).on('checkContinue', take);
    });
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [first, second] = pieces;
    socket.write(`${['POST / HTTP/1.1', 'Host: x', ...headers].join('\r\n')}\r\n\r\n${first}`);
    if (second !== undefined) {
      await once(server, 'request');
      await setImmediate();
      socket.write(second);
    }
    expect(await seen).toEqual([arrives, '0123456789', true]);
    socket.destroy();
    server.close();
  });
});

/** How it goes on, what it is, and whether it can be sent once more. */
async function describeBody(req: IncomingMessage): Promise<[string, string, boolean]> {
  const body = await openBody(req, { limit: 100, askForBody: () => undefined, idleTimeout: HOUR });
  const sent = body.send();
  const chunks = [];
  for await (const chunk of Buffer.isBuffer(sent) ? [sent] : (sent ?? [])) {
    chunks.push(chunk);
  }
  return [Buffer.isBuffer(sent) ? 'held' : 'streamed', Buffer.concat(chunks).toString(), body.isReplayable];
}
