import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { findFreePort } from '../../dev/ports.ts';
import { until } from '../support/gateway-poll.ts';
import { describeWithRedis, startRedis, type RedisServer } from '../support/redis-server.ts';
import { rowOf, startCheckWorld } from './check-world.ts';
import { makeCertificate } from './make-certificate.ts';
import { runMain } from './run-main.ts';

const world = await startCheckWorld();
afterAll(() => world.close());

const READABLE = 'Redis: readable';
const WRITABLE = 'Redis: writable';

async function checkRedis(url: string, deadlineMs = 5_000) {
  return world.rowsOf({ tokenCache: { redis: { url } } }, { deadlineMs });
}

describe('the second level in Redis', () => {
  it('is not spoken of when there is none', async () => {
    expect((await world.rowsOf()).filter(({ check }) => check.startsWith('Redis'))).toEqual([]);
  });

  it.each(['redis://:s3cr3t@127.0.0.1:1', 'redis+cluster://127.0.0.1:1', 'redis+sentinel://127.0.0.1:1/mymaster'])(
    'fails when nobody listens at %s, without showing the password',
    async (url) => {
      const row = rowOf(await checkRedis(url), READABLE);
      expect(row).toMatchObject({ status: 'fail', key: 'tokenCache.redis.url', remedy: expect.any(String) });
      expect(JSON.stringify(row)).not.toContain('s3cr3t');
    },
  );

  it('fails when it says nothing', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const row = rowOf(await checkRedis(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`, 500), READABLE);
    server.close();
    expect(row).toMatchObject({ status: 'fail', found: expect.stringContaining('(TIMEOUT)') });
  });

  it('is warned of without TLS to another machine', async () => {
    expect(rowOf(await checkRedis('redis://:s3cr3t@no-such-host.invalid'), 'Redis: transport')).toMatchObject({
      status: 'warn',
      found: 'redis://no-such-host.invalid without TLS',
    });
  });
});

describeWithRedis('a Redis that knows identities of Entra', () => {
  const check = 'Redis: Entra login';
  /** The object id of the gateway's service principal at the emulator. */
  const oid = '5e0f1a2b-0001-4c00-9b00-0000000000a1';
  let server: RedisServer;
  beforeAll(async () => {
    // Azure's Redis judges the token; this one takes any from this user.
    server = await startRedis({ password: 's3cr3t', config: [`user ${oid} on nopass ~obo:* +@all`] });
  });
  afterAll(() => server.close());

  it.each<[string, object, readonly unknown[]]>([
    ['the object id of the token', {}, ['ok', 'ok', 'ok']],
    ['the object id of another identity', { objectId: 'a62d8a2a-0000-4000-8000-000000000001' }, ['ok', 'fail']],
  ])('is opened by a token of Entra with %s', async (_what, entra, statuses) => {
    const rows = await world.rowsOf({ tokenCache: { redis: { url: `redis://127.0.0.1:${server.port}`, entra } } });
    const found = rows.filter(({ check: name }) => name.startsWith('Redis: '));
    expect(found.map(({ status }) => status)).toEqual(statuses);
    expect(rowOf(rows, check)).toMatchObject({ status: 'ok' });
  });

  it('is not tried when Entra gives no token, and the key is named', async () => {
    const rows = await world.rowsOf({
      identity: { credential: { secret: 'wrong' } },
      tokenCache: { redis: { url: `redis://127.0.0.1:${server.port}`, entra: {} } },
    });
    expect(rowOf(rows, check)).toMatchObject({ status: 'fail', key: 'tokenCache.redis.entra' });
    expect(rows.filter(({ check: name }) => name === READABLE)).toEqual([]);
  });
});

describeWithRedis('a real Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis({ password: 's3cr3t' });
  });
  afterAll(() => server.close());

  it('is readable and writable, and nothing is left in it', async () => {
    const url = `redis://:s3cr3t@127.0.0.1:${server.port}`;
    const rows = await checkRedis(url);
    expect([
      rowOf(rows, READABLE),
      rowOf(rows, WRITABLE),
      rowOf(rows, 'Redis: transport'),
      server.cli('dbsize'),
    ]).toEqual([
      expect.objectContaining({
        // On a busy machine it is far, and this is a warning.
        status: expect.stringMatching(/ok|warn/),
        found: expect.stringMatching(/ in \d+ ms$/),
      }),
      { status: 'ok', check: WRITABLE, found: `redis://127.0.0.1:${server.port} takes tokens` },
      undefined,
      '0',
    ]);
  });

  it.each([
    ['no password', '', 'NOAUTH'],
    ['a wrong password', ':wr0ng@', 'WRONGPASS'],
    ['a user that it does not know', 'nobody:s3cr3t@', 'WRONGPASS'],
  ])('that gets %s is not readable', async (_what, login, code) => {
    const row = rowOf(await checkRedis(`redis://${login}127.0.0.1:${server.port}`), READABLE);
    expect(row).toMatchObject({
      status: 'fail',
      found: `redis://127.0.0.1:${server.port} cannot be read (${code})`,
      remedy: expect.stringContaining('password'),
    });
  });

  it.each([
    ['is a replica', ['replicaof', '127.0.0.1', '1'], ['replicaof', 'no', 'one'], 'READONLY', 'primary'],
    ['is full', ['config', 'set', 'maxmemory', '1'], ['config', 'set', 'maxmemory', '0'], 'OOM', 'maxmemory'],
  ])('that %s is readable and not writable', async (_what, begin, end, code, remedy) => {
    server.cli(...begin);
    const rows = await checkRedis(`redis://:s3cr3t@127.0.0.1:${server.port}`);
    server.cli(...end);
    expect(rowOf(rows, WRITABLE)).toMatchObject({
      status: 'fail',
      found: `redis://127.0.0.1:${server.port} refuses writes (${code})`,
      remedy: expect.stringContaining(remedy),
    });
  });
});

const files = { cert: world.pathOf('redis.pem'), key: world.pathOf('redis.key') };
const describeWithTls = makeCertificate(files, 1) ? describeWithRedis : describe.skip;

describeWithTls('a real Redis with TLS and a certificate of its own (made with openssl)', () => {
  let server: RedisServer;
  let cluster: RedisServer;
  let url: string;
  let clusterUrl: string;
  beforeAll(async () => {
    const ports = [await findFreePort(), await findFreePort()];
    const configs = ports.map((port) => [
      `tls-port ${port}`,
      `tls-cert-file ${files.cert}`,
      `tls-key-file ${files.key}`,
      'tls-auth-clients no',
      `tls-ca-cert-file ${files.cert}`,
    ]);
    server = await startRedis({ config: configs[0] ?? [] });
    cluster = await startRedis({
      config: [...(configs[1] ?? []), 'cluster-enabled yes', 'tls-cluster yes', 'cluster-announce-ip 127.0.0.1'],
    });
    cluster.cli('cluster', 'addslotsrange', '0', '16383');
    await until('all slots are covered', () => cluster.cli('cluster', 'info').includes('cluster_state:ok'));
    url = `rediss://localhost:${ports[0]}`;
    clusterUrl = `rediss+cluster://localhost:${ports[1]}`;
  });
  afterAll(() => Promise.all([server.close(), cluster.close()]));

  it('is not trusted, and the remedy is named', async () => {
    expect(rowOf(await checkRedis(url), READABLE)).toMatchObject({
      status: 'fail',
      found: expect.stringContaining('DEPTH_ZERO_SELF_SIGNED_CERT'),
      remedy: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    });
  });

  it.each([
    ['a server', () => url],
    ['a cluster that names its nodes by addresses, which the certificate does not have', () => clusterUrl],
  ])(
    'is trusted once the remedy is applied: %s',
    async (_what, urlOf) => {
      const file = await world.writeConfig({ tokenCache: { redis: { url: urlOf() } } });
      const out = await runMain(['check', '--config', file], { NODE_EXTRA_CA_CERTS: files.cert });
      expect(out).toContain(`${urlOf()} takes tokens`);
    },
    30_000,
  );
});
