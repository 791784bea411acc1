import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { setImmediate, setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { BodyMemory } from '../../src/request/body-memory.ts';
import { openBody, readToSend, readWhole, type BodyReading } from '../../src/request/body.ts';

const HOUR = 3_600_000;

/** How a body is read of which a test says no more, with memory enough and a request that is never over. */
const READING = {
  limit: 100,
  askForBody: () => undefined,
  idleTimeout: HOUR,
  memory: new BodyMemory(1_000_000),
  get lifetime() {
    return new PassThrough();
  },
};

/** A body that never ends and never pauses; slower than what is given more time for its bytes. */
function endlessBody(): IncomingMessage {
  return Object.assign(Readable.from(drip()), { headers: {} }) as unknown as IncomingMessage;
}

async function* drip(): AsyncGenerator<Buffer> {
  for (;;) {
    yield await wait(1, Buffer.of(0));
  }
}

describe('a body that keeps moving', () => {
  it.each<[what: string, rules: Pick<BodyReading, 'deadlineMs' | 'limit'>, code: string]>([
    ['is not waited for beyond its deadline', { deadlineMs: 20, limit: Number.POSITIVE_INFINITY }, 'request_timeout'],
    ['is read up to its limit when there is no deadline', { limit: 1_000 }, 'payload_too_large'],
  ])('%s', async (_, rules, code) => {
    const reading = readWhole(endlessBody(), { ...READING, ...rules });
    await expect(reading).rejects.toMatchObject({ code });
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
  const body = await openBody(req, READING);
  const sent = body.send();
  const chunks = [];
  for await (const chunk of Buffer.isBuffer(sent) ? [sent] : (sent ?? [])) {
    chunks.push(chunk);
  }
  return [Buffer.isBuffer(sent) ? 'held' : 'streamed', Buffer.concat(chunks).toString(), body.isReplayable];
}

/** A body whose pieces a test gives one by one. */
function piecewise(): { req: IncomingMessage; body: PassThrough } {
  const body = new PassThrough();
  return { req: Object.assign(body, { headers: {} }) as unknown as IncomingMessage, body };
}

describe('the memory of all held bodies', () => {
  it('is counted from the first byte until the request is over, and given back once', async () => {
    const memory = new BodyMemory(1_000);
    const lifetime = new PassThrough();
    const { req, body } = piecewise();
    const whole = readWhole(req, { ...READING, memory, lifetime });
    body.write('01234');
    await setImmediate();
    expect(memory.held).toBe(5);
    body.end('56789');
    expect((await whole).toString()).toBe('0123456789');
    expect(memory.held).toBe(10);
    lifetime.destroy();
    await once(lifetime, 'close');
    lifetime.emit('close');
    expect(memory.held).toBe(0);
  });

  it.each([
    ['only until it is sent where it is too large to be sent again', 70_000, 'until sent'],
    ['until the request is over where it can be sent again', 60_000, 'until over'],
  ])('is taken by a body whose answer may be endless %s', async (_when, length, held) => {
    const memory = new BodyMemory(100_000);
    const lifetime = new PassThrough();
    const { req, body } = piecewise();
    body.end('x'.repeat(length));
    const { bytes, outgoing } = await readToSend(req, { ...READING, limit: 80_000, memory, lifetime });
    expect([bytes.length, memory.held]).toEqual([length, length]);
    const sent = outgoing.send() ?? [];
    const pieces = Buffer.isBuffer(sent) ? [sent] : [];
    if (!Buffer.isBuffer(sent)) {
      for await (const piece of sent) {
        pieces.push(piece);
      }
    }
    expect([Buffer.concat(pieces).length, outgoing.isReplayable]).toEqual([length, held === 'until over']);
    expect(memory.held).toBe(held === 'until over' ? length : 0);
    lifetime.destroy();
    await once(lifetime, 'close');
    expect(memory.held).toBe(0);
  });

  it.each<
    [
      how: string,
      end: (body: PassThrough, lifetime: PassThrough) => unknown,
      rules: Partial<BodyReading>,
      error: object,
    ]
  >([
    ['hangs up', (body) => body.destroy(), {}, { name: 'CallerGone' }],
    ['sends too much', (body) => body.write('x'.repeat(100)), {}, { code: 'payload_too_large' }],
    ['sends nothing more', () => undefined, { idleTimeout: 20 }, { code: 'request_timeout' }],
    ['does not come to an end', () => undefined, { deadlineMs: 20 }, { code: 'request_timeout' }],
  ])('is given back when the caller %s', async (_, end, rules, error) => {
    const memory = new BodyMemory(1_000);
    const lifetime = new PassThrough();
    const { req, body } = piecewise();
    const whole = readWhole(req, { ...READING, ...rules, memory, lifetime });
    body.write('01234');
    await setImmediate();
    end(body, lifetime);
    await expect(whole).rejects.toMatchObject(error);
    expect(memory.held).toBe(0);
    lifetime.destroy();
    await once(lifetime, 'close');
    expect(memory.held).toBe(0);
  });

  it('is not taken for a caller that is gone already', async () => {
    const memory = new BodyMemory(1_000);
    const lifetime = new PassThrough().destroy();
    await once(lifetime, 'close');
    await expect(readWhole(piecewise().req, { ...READING, memory, lifetime })).rejects.toThrow();
    expect(memory.held).toBe(0);
  });

  it('that is full is left by the body that has been arriving for the longest, not by the newcomer', async () => {
    const memory = new BodyMemory(100);
    const [slow, slower, quick] = [piecewise(), piecewise(), piecewise()];
    const first = readWhole(slow.req, { ...READING, memory });
    const second = readWhole(slower.req, { ...READING, memory });
    slow.body.write('x'.repeat(60));
    slower.body.write('x'.repeat(40));
    await setImmediate();
    const third = readWhole(quick.req, { ...READING, memory });
    quick.body.end('x'.repeat(50));
    await expect(first).rejects.toMatchObject({ code: 'overloaded', facts: { retryAfter: 1 } });
    expect((await third).length).toBe(50);
    expect(memory.held).toBe(90);
    slower.body.end();
    expect((await second).length).toBe(40);
  });

  it('that is full of complete bodies has no room for another', async () => {
    const memory = new BodyMemory(100);
    const [held, refused] = [piecewise(), piecewise()];
    held.body.end('x'.repeat(80));
    expect((await readWhole(held.req, { ...READING, memory })).length).toBe(80);
    const second = readWhole(refused.req, { ...READING, memory });
    refused.body.write('x'.repeat(40));
    await expect(second).rejects.toMatchObject({ code: 'overloaded' });
    expect(memory.held).toBe(80);
  });

  it('that is full lets a stream pass, which then cannot be sent again', async () => {
    const memory = new BodyMemory(10);
    const { req, body } = piecewise();
    const outgoing = await openBody(req, { ...READING, memory });
    body.end('x'.repeat(50));
    const chunks = [];
    for await (const chunk of outgoing.send() as AsyncIterable<Buffer>) {
      chunks.push(chunk);
    }
    expect([Buffer.concat(chunks).length, outgoing.isReplayable, memory.held]).toEqual([50, false, 0]);
  });

  it('is not wasted by a caller that sends single bytes', async () => {
    const memory = new BodyMemory(1_000_000);
    const { req, body } = piecewise();
    const whole = readWhole(req, { ...READING, limit: 10_000, memory });
    for (let sent = 0; sent < 1_000; sent += 1) {
      body.write(String(sent % 10));
      await setImmediate();
    }
    body.end();
    expect((await whole).toString()).toBe('0123456789'.repeat(100));
    expect(memory.held).toBeLessThan(2_100);
  });

  it('is not taken where the process has no memory left, and no other body has to make room for that', async () => {
    const memory = new BodyMemory(10_000_000, (bytes) => bytes < 300_000);
    const [small, large] = [piecewise(), piecewise()];
    const first = readWhole(small.req, { ...READING, memory });
    small.body.write('x');
    await setImmediate();
    const second = readWhole(large.req, { ...READING, limit: 1_000_000, memory });
    large.body.end('x'.repeat(300_000));
    const remedy = expect.stringContaining('memory limit');
    await expect(second).rejects.toMatchObject({ code: 'overloaded', facts: { retryAfter: 1, log: { remedy } } });
    expect(memory.held).toBe(1);
    small.body.end();
    expect((await first).length).toBe(1);
  });

  it('says so before something large is made of a body', () => {
    const memory = new BodyMemory(1_000, (bytes) => bytes < 100);
    memory.demandRoom(99);
    expect(() => memory.demandRoom(100)).toThrow(expect.objectContaining({ code: 'overloaded' }));
  });
});
