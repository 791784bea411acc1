import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { readWhole, type BodyReading } from '../src/request-body.ts';

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
