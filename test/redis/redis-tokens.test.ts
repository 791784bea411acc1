import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { deriveEntry } from '../../src/redis/seal.ts';
import { until } from '../support/gateway-poll.ts';
import { describeWithRedis, startRedis, type RedisServer } from '../support/redis-server.ts';
import { fromEntra, makeReplica, newToken, PLACE, startReplica, toRequest, type Replica } from './redis-replica.ts';

let server: RedisServer;
let one: Replica;
let other: Replica;

const ENTRY = deriveEntry(PLACE.assertion, {
  clientId: '6e74172b-be56-4843-9ff4-e66a39bb12e3',
  authority: 'https://login.microsoftonline.com',
  downstream: 'graph',
  scopes: PLACE.scopes,
});

/** Waits until what nobody waits for is done: the store, and that the lock is given up. */
async function untilStored(keys = 1): Promise<void> {
  await until('the token is stored', () => server.cli('keys', '*').split('\n').filter(Boolean).length === keys);
}

describe('the gateway’s own token', () => {
  it('is neither looked for in Redis nor put there', async () => {
    const replica = makeReplica('redis://127.0.0.1:1');
    await replica.acquire({ ...PLACE, caller: 'app' });
    expect([replica.asked(), replica.outcomes, replica.log]).toEqual([1, [], []]);
  });
});

describeWithRedis('the second level in a real Redis', () => {
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    server.cli('flushall');
    [one, other] = await Promise.all([startReplica(server.url), startReplica(server.url)]);
  });
  afterEach(() => {
    one.store.close();
    other.store.close();
  });

  describe('the second level', () => {
    it('gives a replica the token that another one asked for', async () => {
      const token = await one.acquire();
      await untilStored();
      expect([await other.acquire(), other.asked(), other.outcomes]).toEqual([token, 0, ['hit']]);
    });

    it('is there for the very first request of a replica that starts', async () => {
      const token = await one.acquire();
      await untilStored();
      const started = makeReplica(server.url);
      await started.store.open();
      const found = await started.acquire();
      started.store.close();
      expect([found, started.outcomes]).toEqual([token, ['hit']]);
    });

    it('keeps a token for as long as it is given out', async () => {
      await one.acquire();
      await untilStored();
      const minutes = Number(server.cli('pttl', ENTRY.tokenKey)) / 60_000;
      expect(Math.round(minutes)).toBe(55);
    });

    it('keeps a token no longer than the caller’s session can last', async () => {
      await one.acquire({ ...PLACE, assertionEndsAt: one.clock.now() + 60_000 });
      await untilStored();
      const leftMs = Number(server.cli('pttl', ENTRY.tokenKey));
      // Some of the minute is over by now; without the session's end the token would stay for longer than that.
      expect([leftMs > 1_000, leftMs <= 60_000]).toEqual([true, true]);
    });

    it('keeps no token that is about to expire', async () => {
      await one.acquire({ ...PLACE, assertionEndsAt: one.clock.now() });
      await until('the lock is gone', () => server.cli('dbsize') === '0');
      expect([await other.acquire(), other.asked()]).toEqual([expect.any(String), 1]);
    });

    it('gives out no token that has ended by the gateway’s own clock', async () => {
      await one.acquire();
      await untilStored();
      other.clock.advance(56 * 60_000);
      await other.acquire();
      expect([other.asked(), other.outcomes]).toEqual([1, ['miss']]);
    });

    it.each([
      ['another caller', { assertion: 'another' }],
      ['another downstream', { downstream: 'orders' }],
      ['other scopes', { scopes: ['https://graph.microsoft.com/Mail.Read'] }],
      ['an agent identity', { agent: '8a7f2f5e-0f5c-4a43-8c7e-2b5b9f3a1c11' }],
    ])('has nothing for %s', async (_who, differs) => {
      await one.acquire();
      await untilStored();
      await other.acquire({ ...PLACE, ...differs });
      expect([other.asked(), other.outcomes]).toEqual([1, ['miss']]);
    });

    it('has nothing for another gateway that shares the Redis', async () => {
      await one.acquire();
      await untilStored();
      const foreign = await startReplica(server.url, { clientId: 'another' });
      await foreign.acquire();
      foreign.store.close();
      expect([foreign.asked(), foreign.outcomes]).toEqual([1, ['miss']]);
    });

    it.each([
      ['is cut off', () => server.cli('setrange', ENTRY.tokenKey, '0', '\u0001')],
      ['is damaged', () => server.cli('setrange', ENTRY.tokenKey, '20', 'damaged')],
      ['is of a later version', () => server.cli('setrange', ENTRY.tokenKey, '0', '\u0002')],
      ['is in clear', () => server.cli('set', ENTRY.tokenKey, '["token",9e15,9e15,9e15]')],
      ['goes on and on', () => server.cli('append', ENTRY.tokenKey, 'x'.repeat(100_000))],
    ])('ignores a value that %s, and replaces it by a good one', async (what, spoil) => {
      await one.acquire();
      await untilStored();
      spoil();
      if (what === 'is cut off') {
        server.cli('eval', "redis.call('set', KEYS[1], redis.call('getrange', KEYS[1], 0, 30))", '1', ENTRY.tokenKey);
      }
      const token = await other.acquire();
      await until('the new token is stored', async () => (await one.acquire()) === token);
      expect([other.asked(), other.outcomes]).toEqual([1, ['unreadable']]);
    });

    it('ignores a value that was swapped with that of another caller', async () => {
      const victim = { ...PLACE, assertion: 'victim' };
      await one.acquire(victim);
      await untilStored();
      server.cli('rename', server.cli('keys', '*'), ENTRY.tokenKey);
      await other.acquire();
      expect([other.asked(), other.outcomes]).toEqual([1, ['unreadable']]);
    });

    it('reads no more of a value than a token can be long', async () => {
      server.cli('setrange', ENTRY.tokenKey, '10000000', 'x');
      const readBytes = (): number => Number(/total_net_output_bytes:(\d+)/.exec(server.cli('info', 'stats'))?.[1]);
      const before = readBytes();
      await other.acquire();
      expect([other.outcomes, readBytes() - before < 1_000_000]).toEqual([['unreadable'], true]);
    });

    it.each([
      ['of another type', ['rpush', ENTRY.tokenKey, 'a']],
      ['that is empty', ['set', ENTRY.tokenKey, '']],
    ])('ignores a key %s, and replaces it by a token', async (_what, command) => {
      server.cli(...command);
      const token = await other.acquire();
      await until('the token is stored', async () => (await one.acquire()) === token);
      expect([other.asked(), other.outcomes, other.log]).toEqual([1, ['miss'], []]);
    });

    it('sets a lifetime for every key', async () => {
      await Promise.all([one.acquire(), other.acquire(), one.acquire({ ...PLACE, assertion: 'another' })]);
      const keys = server.cli('keys', '*').split('\n');
      expect(keys.map((key) => Number(server.cli('pttl', key)) > 0)).toEqual(keys.map(() => true));
    });
  });

  describe('a token that a downstream refused', () => {
    it('is not found again, neither here nor by other replicas', async () => {
      const refused = newToken(one.clock.now());
      await one.renew(refused);
      await untilStored();
      one.store.discard(toRequest(PLACE), refused);
      expect(await one.acquire()).not.toBe(refused.accessToken);
      await until('the others do not find it', async () => (await other.acquire()) !== refused.accessToken);
    });

    it('is not found again here, even when Redis will not delete it', async () => {
      const refused = newToken(one.clock.now());
      await one.renew(refused);
      await untilStored();
      server.cli('config', 'set', 'min-replicas-to-write', '1');
      one.store.discard(toRequest(PLACE), refused);
      const token = await one.acquire();
      server.cli('config', 'set', 'min-replicas-to-write', '0');
      expect(token).not.toBe(refused.accessToken);
    });

    it('is forgotten without the one that has replaced it', async () => {
      const [refused, stronger] = [newToken(one.clock.now()), newToken(one.clock.now())];
      await one.renew(stronger);
      await untilStored();
      one.store.discard(toRequest(PLACE), refused);
      expect([await one.acquire(), await other.acquire()]).toEqual([stronger.accessToken, stronger.accessToken]);
    });
  });

  describe('replicas that want the same token at the same time', () => {
    it('make one exchange', async () => {
      const first = heldEntra(one);
      await until('the first asks', () => first.asked() === 1);
      const second = other.acquire();
      first.answer('token');
      expect([await second, other.asked()]).toEqual([(await first.request).token.accessToken, 0]);
    });

    it('each ask Entra when the one that asked is refused', async () => {
      const first = heldEntra(one);
      await until('the first asks', () => first.asked() === 1);
      const second = other.acquire();
      first.answer('refusal');
      await expect(first.request).rejects.toThrow('refused');
      await second;
      expect(other.asked()).toBe(1);
    });

    it('each ask Entra when the one that asked takes too long', async () => {
      const first = heldEntra(one);
      await until('the first asks', () => first.asked() === 1);
      await other.acquire();
      expect(other.asked()).toBe(1);
      first.answer('token');
      await first.request;
    });

    it('leave no lock behind', async () => {
      await one.acquire();
      await untilStored();
      expect(server.cli('exists', ENTRY.lockKey)).toBe('0');
    });

    it('do not release the lock of another', async () => {
      const first = heldEntra(one);
      await until('the first asks', () => first.asked() === 1);
      server.cli('set', ENTRY.lockKey, 'another', 'PX', '60000');
      first.answer('token');
      await first.request;
      await untilStored(2);
      expect(server.cli('get', ENTRY.lockKey)).toBe('another');
    });
  });
});

/** A replica's request to an Entra that answers when it is told to. */
function heldEntra(replica: Replica) {
  const { promise: outcome, resolve: answer } = deferred<'token' | 'refusal'>();
  let asked = 0;
  replica.answer = async () => {
    asked += 1;
    if ((await outcome) === 'refusal') {
      throw new Error('refused');
    }
    return fromEntra(newToken(replica.clock.now()));
  };
  const request = replica.tokens.acquire(toRequest(PLACE));
  request.catch(() => {});
  return { request, asked: () => asked, answer };
}

function deferred<T>() {
  const parts: { resolve?: (value: T) => void } = {};
  const promise = new Promise<T>((resolve) => (parts.resolve = resolve));
  return { promise, resolve: (value: T) => parts.resolve?.(value) };
}
