import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../support/gateway-poll.ts';
import { describeWithRedis, startRedis, type RedisServer } from '../support/redis-server.ts';
import { makeReplica, PLACE, startReplica, untilConnected, type Replica } from './redis-replica.ts';

/** Another caller each time, so that each call is a look-up, a lock and a store. */
async function callers(replica: Replica, count: number): Promise<void> {
  for (let caller = 0; caller < count; caller += 1) {
    await replica.acquire({ ...PLACE, assertion: `caller ${caller} of ${replica.asked()}` });
  }
}

/** The trouble that was logged: the code of each warning, and `well` for each recovery. */
function troubleOf({ log }: Replica): unknown[] {
  return log.map(({ level, code }) => (level === 'warn' ? code : 'well'));
}

describe('a Redis that is not there', () => {
  it('costs nobody a token, and is logged once with the remedy and without the password', async () => {
    const replica = makeReplica('redis://me:s3cr3t@127.0.0.1:1');
    await replica.store.open();
    await until('it is logged', () => replica.log.length > 0);
    await callers(replica, 20);
    replica.store.close();
    expect([replica.asked(), replica.log.length, JSON.stringify(replica.log)]).toEqual([
      20,
      1,
      expect.not.stringContaining('s3cr3t'),
    ]);
    expect(replica.log).toMatchObject([
      { level: 'warn', redis: 'redis://127.0.0.1:1', code: 'ECONNREFUSED', remedy: expect.stringContaining('port') },
    ]);
  });

  it('costs nobody a token when it accepts connections and says nothing', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const replica = makeReplica(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const connected = once(server, 'connection');
    await replica.store.open();
    await connected;
    await callers(replica, 20);
    replica.store.close();
    server.close();
    expect([replica.asked(), new Set(replica.outcomes)]).toEqual([20, new Set(['error', 'skipped'])]);
  });

  it('is logged when it accepts connections and closes each of them', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const replica = makeReplica(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await replica.store.open();
    await until('it is logged', () => replica.log.length > 0);
    replica.store.close();
    server.close();
    expect(replica.log).toMatchObject([{ level: 'warn', remedy: expect.stringContaining('rediss://') }]);
  });

  it('is not asked any more after five failures', async () => {
    const replica = makeReplica('redis://127.0.0.1:1');
    await callers(replica, 7);
    expect(replica.outcomes).toEqual(['error', 'error', 'error', 'error', 'error', 'skipped', 'skipped']);
  });

  it('is tried again with one look-up a second', async () => {
    const replica = makeReplica('redis://127.0.0.1:1');
    await callers(replica, 6);
    replica.clock.advance(1_000);
    await callers(replica, 3);
    expect(replica.outcomes.slice(-4)).toEqual(['skipped', 'error', 'skipped', 'skipped']);
  });
});

describeWithRedis('a real Redis that fails', () => {
  let server: RedisServer;
  let replica: Replica;
  const url = (): string => `redis://:s3cr3t@127.0.0.1:${server.port}`;
  beforeAll(async () => {
    server = await startRedis({ password: 's3cr3t' });
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    server.cli('flushall');
    replica = await startReplica(url());
  });
  afterEach(() => replica.store.close());

  /** A replica with the patience of a real one. */
  async function startHasty(): Promise<Replica> {
    const hasty = await startReplica(url(), { lookupTimeoutMs: 20 });
    // On a busy machine it may have had its first trouble already.
    hasty.log.length = 0;
    return hasty;
  }

  it('that hangs costs nobody a token, and soon requests no longer wait for it', async () => {
    const hasty = await startHasty();
    server.hang();
    await callers(hasty, 8);
    server.resume();
    expect([hasty.asked(), hasty.outcomes.slice(0, 6)]).toEqual([
      8,
      ['error', 'error', 'error', 'error', 'error', 'skipped'],
    ]);
    hasty.store.close();
    expect(troubleOf(hasty)).toEqual(['TIMEOUT']);
  });

  it('is used again as soon as it answers again', async () => {
    const hasty = await startHasty();
    server.hang();
    await callers(hasty, 6);
    server.resume();
    await until('look-ups work again', async () => {
      hasty.clock.advance(1_000);
      await callers(hasty, 1);
      return hasty.outcomes.at(-1) === 'miss' && troubleOf(hasty).at(-1) === 'well';
    });
    hasty.store.close();
    expect(troubleOf(hasty)).toEqual(['TIMEOUT', 'well']);
  });

  it('is used again after it was killed and restarted, with what it had saved', async () => {
    const token = await replica.acquire();
    await until('the token is stored', () => Number(server.cli('dbsize')) === 1);
    server.cli('save');
    await server.kill();
    await until('it is logged', () => replica.log.length > 0);
    await callers(replica, 10);
    await server.restart();
    await until('it is well again', () => replica.log.length > 1);
    expect([await replica.acquire(), troubleOf(replica).length, troubleOf(replica).at(-1)]).toEqual([token, 2, 'well']);
  });

  it('does not count as failing when it closes an idle connection', async () => {
    server.cli('client', 'kill', 'type', 'normal', 'skipme', 'yes');
    await until('it is connected again', () => / db=/.test(server.cli('client', 'list', 'type', 'normal')));
    await untilConnected(replica);
    expect(replica.log).toEqual([]);
  });

  it.each([
    ['may only be read, as a replica', ['replicaof', '127.0.0.1', '1'], ['replicaof', 'no', 'one'], 'READONLY'],
    [
      'wants more replicas than it has',
      ['config', 'set', 'min-replicas-to-write', '1'],
      ['config', 'set', 'min-replicas-to-write', '0'],
      'NOREPLICAS',
    ],
    ['is full', ['config', 'set', 'maxmemory', '1'], ['config', 'set', 'maxmemory', '0'], 'OOM'],
    [
      'does not let this user write',
      ['acl', 'setuser', 'default', '-@write'],
      ['acl', 'setuser', 'default', '+@write'],
      'NOPERM',
    ],
  ])('fails only for writes when it %s: stored tokens are still found', async (_what, begin, end, code) => {
    const token = await replica.acquire();
    await until('the token is stored', () => Number(server.cli('dbsize')) >= 1);
    server.cli(...begin);
    await callers(replica, 10);
    const found = await replica.acquire();
    server.cli(...end);
    expect([found === token, troubleOf(replica), new Set(replica.outcomes)]).toEqual([
      true,
      [code],
      new Set(['miss', 'hit']),
    ]);
  });

  it.each([
    ['no password', (port: number) => `redis://127.0.0.1:${port}`, 'NOAUTH'],
    ['a wrong password', (port: number) => `redis://:wr0ng@127.0.0.1:${port}`, 'WRONGPASS'],
  ])('that wants another password than %s costs nobody a token', async (_what, address, code) => {
    const stranger = makeReplica(address(server.port));
    await stranger.store.open();
    await until('it is logged', () => stranger.log.length > 0);
    await callers(stranger, 10);
    stranger.store.close();
    expect([stranger.asked(), troubleOf(stranger)]).toEqual([10, [code]]);
  });

  it('is not reported for a gateway that closes its own connection', async () => {
    const stopped = await startReplica(url());
    const request = stopped.acquire();
    stopped.store.close();
    await request;
    await untilConnected(replica);
    expect(stopped.log).toEqual([]);
  });
});
