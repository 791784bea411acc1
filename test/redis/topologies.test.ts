import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../support/gateway-poll.ts';
import { describeWithRedis, startRedis, type RedisServer } from '../support/redis-server.ts';
import { startSlowNetwork } from '../support/slow-network.ts';
import { makeReplica, PLACE, startReplica, untilConnected, type Replica } from './redis-replica.ts';
import { startScriptedSentinel, type ScriptedSentinel } from './scripted-sentinel.ts';

const replicas: Replica[] = [];
afterEach(() => {
  for (const { store } of replicas.splice(0)) {
    store.close();
  }
});

async function connect(url: string): Promise<Replica> {
  const replica = await startReplica(url);
  replicas.push(replica);
  return replica;
}

/** What two replicas find at an address: the same token, asked for once. */
async function expectShared(url: string, assertion: string): Promise<void> {
  const [one, other] = [await connect(url), await connect(url)];
  const place = { ...PLACE, assertion };
  const token = await one.acquire(place);
  await until('the other one finds it', async () => (await other.acquire(place)) === token);
  expect([one.asked(), other.outcomes.at(-1)]).toEqual([1, 'hit']);
}

/** What the documentation grants the gateway's user. */
const USER = 'user gateway on >s3cr3t ~obo:* -@all +get +getrange +set +del +eval +info +hello';

describeWithRedis('one server', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis({ config: [USER, 'unixsocket redis.sock'] });
  });
  afterAll(() => server.close());

  it.each([
    ['on a Unix socket', () => `redis+unix://${server.folder}/redis.sock`],
    ['in another database', () => `${server.url}/3`],
  ])('is shared %s', (what, url) => expectShared(url(), what));

  it('is shared by a user that may do no more than the documentation says', async () => {
    await expectShared(`redis://gateway:s3cr3t@127.0.0.1:${server.port}`, 'a user');
  });

  it('keeps what is in one database out of another', async () => {
    const [one, other] = [await connect(server.url), await connect(`${server.url}/2`)];
    await one.acquire();
    await until('it is stored', async () => (await one.acquire()) !== '' && one.outcomes.at(-1) === 'hit');
    await other.acquire();
    expect(other.asked()).toBe(1);
  });
});

describeWithRedis('three Sentinels', () => {
  let primary: RedisServer;
  let standby: RedisServer;
  let sentinels: RedisServer[];
  let url: string;
  beforeAll(async () => {
    const login = ['masterauth s3cr3t', 'repl-diskless-sync-delay 0'];
    primary = await startRedis({ password: 's3cr3t', config: login });
    standby = await startRedis({ password: 's3cr3t', config: [...login, `replicaof 127.0.0.1 ${primary.port}`] });
    const watch = [
      `sentinel monitor mymaster 127.0.0.1 ${primary.port} 2`,
      'sentinel auth-pass mymaster s3cr3t',
      'sentinel down-after-milliseconds mymaster 500',
      'sentinel failover-timeout mymaster 2000',
    ];
    sentinels = await Promise.all([1, 2, 3].map(() => startRedis({ isSentinel: true, config: watch })));
    url = `redis+sentinel://:s3cr3t@${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/mymaster`;
    await until('the Sentinels know each other and the standby', () =>
      sentinels.every((server) => /slaves=1,sentinels=3/.test(server.cli('info', 'sentinel'))),
    );
  }, 60_000);
  afterAll(() => Promise.all([primary, standby, ...sentinels].map((server) => server.close())));

  it('lead to the primary', () => expectShared(url, 'first'));

  it('lead to the standby when the primary dies', async () => {
    const replica = await connect(url);
    await primary.kill();
    await until('it is logged', () => replica.log.length > 0);
    const during = await replica.acquire({ ...PLACE, assertion: 'during' });
    await untilConnected(replica, 40_000);
    expect([during, replica.log.map(({ level }) => level).slice(0, 2)]).toEqual([expect.any(String), ['warn', 'info']]);
    await expectShared(url, 'second');
  }, 60_000);

  it('cost nobody a token when none of them is there', async () => {
    await Promise.all(sentinels.map((server) => server.kill()));
    const replica = makeReplica(url);
    replicas.push(replica);
    await replica.store.open();
    await until('it is logged', () => replica.log.length > 0);
    expect([await replica.acquire(), replica.log.length]).toEqual([expect.any(String), 1]);
  });
});

describeWithRedis('a Sentinel that takes its time', () => {
  let primary: RedisServer;
  let sentinel: ScriptedSentinel;
  beforeAll(async () => {
    primary = await startRedis();
    sentinel = await startScriptedSentinel(primary.port);
  });
  afterAll(() => {
    sentinel.close();
    return primary.close();
  });

  it('leads to the primary also when it tells of another one while it is asked', async () => {
    const replica = await connect(`redis+sentinel://127.0.0.1:${sentinel.port}/mymaster`);
    await until('it waits for news', () => sentinel.subscribers() > 0);
    sentinel.hold();
    primary.cli('client', 'kill', 'type', 'normal', 'skipme', 'yes');
    await until('it asks for the primary', () => sentinel.waiting() > 0);
    sentinel.switchPrimary();
    await until('it knows the news', () => sentinel.subscribers() === 0);
    sentinel.release();
    await untilConnected(replica);
  });
});

describeWithRedis('a cluster of three', () => {
  let nodes: RedisServer[];
  let url: string;
  beforeAll(async () => {
    const config = ['cluster-enabled yes', 'cluster-node-timeout 1000', 'masterauth s3cr3t'];
    const user = `${USER} +cluster|slots +cluster|info`;
    nodes = await Promise.all([1, 2, 3].map(() => startRedis({ password: 's3cr3t', config: [...config, user] })));
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    const login = ['-a', 's3cr3t', '--no-auth-warning'];
    execFileSync('redis-cli', [...login, '--cluster', 'create', ...addresses, '--cluster-yes'], { stdio: 'pipe' });
    await until('all slots are covered', () =>
      nodes.every((server) => server.cli('cluster', 'info').includes('cluster_state:ok')),
    );
    url = `redis+cluster://gateway:s3cr3t@${addresses.slice(0, 2).join(',')}`;
  }, 60_000);
  afterAll(() => Promise.all(nodes.map((server) => server.close())));

  it('keeps tokens on all of its nodes', async () => {
    const [one, other] = [await connect(url), await connect(url)];
    const places = Array.from({ length: 30 }, (_, index) => ({ ...PLACE, assertion: `caller ${index}` }));
    await until(
      'both find the same tokens',
      async () => {
        const tokens = await Promise.all(places.map((place) => one.acquire(place)));
        const found = await Promise.all(places.map((place) => other.acquire(place)));
        return found.join(' ') === tokens.join(' ');
      },
      40_000,
    );
    expect(nodes.map((server) => Number(server.cli('dbsize')) > 0)).toEqual([true, true, true]);
  }, 60_000);

  it('is used through an address that none of its nodes has', async () => {
    const front = await startSlowNetwork(nodes[0]?.port ?? 0, 0);
    try {
      const replica = await connect(`redis+cluster://gateway:s3cr3t@127.0.0.1:${front.port}`);
      expect([await replica.acquire(), replica.log]).toEqual([expect.any(String), []]);
    } finally {
      await front.close();
    }
  });

  it('is logged when it is gone and when it is back, and is used again', async () => {
    const replica = await connect(url);
    await Promise.all(nodes.map((server) => server.kill()));
    await until('it is logged', () => replica.log.length > 0);
    await replica.acquire();
    await Promise.all(nodes.map((server) => server.restart()));
    await untilConnected(replica, 40_000);
    // It comes back node by node, and may go once more meanwhile.
    expect(replica.log.map(({ level }) => level).slice(0, 2)).toEqual(['warn', 'info']);
  }, 60_000);
});

describeWithRedis('a cluster of one', () => {
  let server: RedisServer;
  beforeEach(async () => {
    server = await startRedis({ config: ['cluster-enabled yes', 'cluster-announce-ip 127.0.0.1'] });
  });
  afterEach(() => server.close());

  it.each([
    ['has no slots', -1],
    ['does not cover all slots', 100],
  ])(
    'is logged when it %s, and used once it has them all',
    async (_what, lastSlot) => {
      if (lastSlot >= 0) {
        server.cli('cluster', 'addslotsrange', '0', String(lastSlot));
      }
      const replica = makeReplica(`redis+cluster://127.0.0.1:${server.port}`);
      replicas.push(replica);
      await replica.store.open();
      await until('it is logged', () => replica.log.length > 0);
      server.cli('cluster', 'addslotsrange', String(lastSlot + 1), '16383');
      await untilConnected(replica, 40_000);
      expect(replica.log.map(({ code, level }) => code ?? level)).toEqual(['CLUSTERDOWN', 'info']);
    },
    60_000,
  );
});

describe('a cluster', () => {
  it.each([
    ['nobody listens', '127.0.0.1:1,127.0.0.1:2', /ECONNREFUSED/],
    // A label of more than 63 characters (RFC 1035 §2.3.4) is no question for a resolver, which might be slow.
    ['no host has its name', `${'x'.repeat(64)}.invalid`, /ENOTFOUND|EAI_AGAIN/],
  ])('costs nobody a token when %s, and the log says why', async (_what, hosts, code) => {
    const replica = makeReplica(`redis+cluster://:s3cr3t@${hosts}`);
    replicas.push(replica);
    await replica.store.open();
    await until('it is logged', () => replica.log.length > 0);
    expect(await replica.acquire()).toEqual(expect.any(String));
    expect(replica.log).toMatchObject([{ redis: `redis+cluster://${hosts}`, code: expect.stringMatching(code) }]);
  });
});
