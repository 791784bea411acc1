import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../support/gateway-poll.ts';
import { describeWithRedis, startRedis, type RedisServer } from '../support/redis-server.ts';
import { makeReplica, PLACE, startReplica, untilConnected, type Replica } from './redis-replica.ts';

const folder = mkdtempSync(join(tmpdir(), 'redis-login-'));
const userFile = join(folder, 'user');
const passwordFile = join(folder, 'password');
afterAll(() => rmSync(folder, { recursive: true }));

const RIGHTS = '~obo:* -@all +get +getrange +set +del +eval +info +hello +cluster|slots +cluster|info';
const USER = `user gateway on >old ${RIGHTS}`;

const replicas: Replica[] = [];
beforeEach(() => {
  writeFileSync(userFile, 'gateway\n');
  writeFileSync(passwordFile, 'old\n');
});
afterEach(() => {
  for (const { store } of replicas.splice(0)) {
    store.close();
  }
});

function keep(replica: Replica): Replica {
  replicas.push(replica);
  return replica;
}

/** The events and the trouble of the log. */
function toldBy({ log }: Replica): unknown[] {
  return log.map(({ event, code, key }) => event ?? code ?? key ?? 'well');
}

describeWithRedis('a login in files', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis({ password: 's3cr3t', config: [USER] });
  });
  afterAll(() => server.close());
  beforeEach(() => {
    server.cli('acl', 'setuser', 'gateway', 'on', 'resetpass', '>old');
  });

  const url = (): string => `redis://127.0.0.1:${server.port}`;

  it.each<[string, () => string, object]>([
    ['user and password', url, { userFile, passwordFile }],
    ['the password, with the user in the address', () => `redis://gateway@127.0.0.1:${server.port}`, { passwordFile }],
    ['the user, with the password in the address', () => `redis://:old@127.0.0.1:${server.port}`, { userFile }],
  ])('opens Redis: %s', async (_what, address, loginFiles) => {
    const replica = keep(await startReplica(address(), { loginFiles }));
    expect(replica.log).toEqual([]);
  });

  it('is read again when a connection is made again, and the log has the event', async () => {
    const replica = keep(await startReplica(url(), { loginFiles: { userFile, passwordFile } }));
    writeFileSync(passwordFile, 'new\n');
    server.cli('acl', 'setuser', 'gateway', 'resetpass', '>new');
    server.cli('client', 'kill', 'user', 'gateway');
    await until('it is connected again', () => / user=gateway /.test(server.cli('client', 'list')));
    await untilConnected(replica);
    const changes = replica.log.filter(({ event }) => event !== undefined);
    // A machine that is busy may connect once before the file is read; that Redis refuses it is told, and passes.
    expect(changes).toMatchObject([{ event: 'credential.changed', key: 'tokenCache.redis.passwordFile' }]);
  });

  it('is read again after Redis refused the old one', async () => {
    const replica = keep(await startReplica(url(), { loginFiles: { userFile, passwordFile } }));
    server.cli('acl', 'setuser', 'gateway', 'resetpass', '>new');
    server.cli('client', 'kill', 'user', 'gateway');
    await until('it is refused', () => toldBy(replica).includes('WRONGPASS'));
    writeFileSync(passwordFile, 'new\n');
    await untilConnected(replica);
    await until('it is well', () => toldBy(replica).at(-1) === 'well');
    expect(toldBy(replica)).toEqual(['WRONGPASS', 'credential.changed', 'well']);
  });

  it('can be another user', async () => {
    server.cli('acl', 'setuser', 'other', 'on', '>old', ...RIGHTS.split(' '));
    const replica = keep(await startReplica(url(), { loginFiles: { userFile, passwordFile } }));
    writeFileSync(userFile, 'other');
    server.cli('acl', 'deluser', 'gateway');
    await until('it is connected again', () => / user=other /.test(server.cli('client', 'list')));
    await untilConnected(replica);
    server.cli('acl', 'setuser', 'gateway', 'on', '>old', ...RIGHTS.split(' '));
  });

  it('stays while its file is gone, and the log says what to do', async () => {
    const replica = keep(await startReplica(url(), { loginFiles: { userFile, passwordFile } }));
    rmSync(passwordFile);
    server.cli('client', 'kill', 'user', 'gateway');
    await until('it is connected again', () => / user=gateway /.test(server.cli('client', 'list')));
    await untilConnected(replica);
    expect(replica.log).toMatchObject([
      { level: 'warn', key: 'tokenCache.redis.passwordFile', remedy: expect.any(String) },
    ]);
  });

  it('that is wrong costs nobody a token, and is not shown', async () => {
    writeFileSync(passwordFile, 'wr0ng');
    const replica = keep(makeReplica(url(), { loginFiles: { userFile, passwordFile } }));
    await replica.store.open();
    await until('it is logged', () => replica.log.length > 0);
    expect([await replica.acquire(), JSON.stringify(replica.log)]).toEqual([
      expect.any(String),
      expect.not.stringContaining('wr0ng'),
    ]);
    expect(replica.log).toMatchObject([{ code: 'WRONGPASS', remedy: expect.stringContaining('passwordFile') }]);
  });
});

describeWithRedis('a login in files for Sentinels', () => {
  let primary: RedisServer;
  let sentinel: RedisServer;
  const sentinelPasswordFile = join(folder, 'sentinel');
  beforeAll(async () => {
    primary = await startRedis({ password: 's3cr3t', config: [USER] });
    const watch = [`sentinel monitor mymaster 127.0.0.1 ${primary.port} 1`, 'sentinel auth-pass mymaster s3cr3t'];
    sentinel = await startRedis({ isSentinel: true, password: 'watch', config: watch });
  }, 60_000);
  afterAll(() => Promise.all([primary.close(), sentinel.close()]));

  it('opens both, and is read again until the Sentinels take it', async () => {
    writeFileSync(sentinelPasswordFile, 'not yet');
    const replica = keep(
      makeReplica(`redis+sentinel://127.0.0.1:${sentinel.port}/mymaster`, {
        loginFiles: { userFile, passwordFile, sentinelPasswordFile },
      }),
    );
    await replica.store.open();
    await until('it is refused', () => replica.log.length > 0);
    writeFileSync(sentinelPasswordFile, 'watch\n');
    await untilConnected(replica);
    expect(toldBy(replica).filter((told) => told === 'credential.changed')).toHaveLength(1);
  }, 60_000);
});

describeWithRedis('a login in files for a cluster', () => {
  let nodes: RedisServer[];
  beforeAll(async () => {
    const config = ['cluster-enabled yes', 'cluster-node-timeout 1000', 'masterauth s3cr3t', USER];
    nodes = await Promise.all([1, 2, 3].map(() => startRedis({ password: 's3cr3t', config })));
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    const login = ['-a', 's3cr3t', '--no-auth-warning'];
    execFileSync('redis-cli', [...login, '--cluster', 'create', ...addresses, '--cluster-yes'], { stdio: 'pipe' });
    await until('all slots are covered', () =>
      nodes.every((server) => server.cli('cluster', 'info').includes('cluster_state:ok')),
    );
  }, 60_000);
  afterAll(() => Promise.all(nodes.map((server) => server.close())));

  it('opens all nodes, and the new one does when their connections are made again', async () => {
    const url = `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
    const replica = keep(await startReplica(url, { loginFiles: { userFile, passwordFile } }));
    writeFileSync(passwordFile, 'new');
    for (const server of nodes) {
      server.cli('acl', 'setuser', 'gateway', 'resetpass', '>new');
      server.cli('client', 'kill', 'user', 'gateway');
    }
    await until(
      'all nodes are connected again',
      async () => {
        await replica.acquire({ ...PLACE, assertion: String(replica.asked()) });
        return nodes.every((server) => / user=gateway /.test(server.cli('client', 'list')));
      },
      40_000,
    );
    await untilConnected(replica, 40_000);
    expect(toldBy(replica)).toContain('credential.changed');
  }, 90_000);
});

describe('a login in files that are gone', () => {
  it('costs nobody a token', async () => {
    const replica = keep(makeReplica('redis://127.0.0.1:1', { loginFiles: { passwordFile: join(folder, 'missing') } }));
    await replica.store.open();
    expect(await replica.acquire()).toEqual(expect.any(String));
  });
});
