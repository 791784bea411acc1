import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { startEmulator, type Emulator } from '../../dev/emulator/emulator.ts';
import { GATEWAY_CLIENT_ID, HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import { answerChallenge, answerInTurn, answerPlainly, valuesOf } from '../support/gateway-downstream.ts';
import { until } from '../support/gateway-poll.ts';
import { startGatewayWorld, type GatewayWorld } from '../support/gateway-world.ts';
import { describeWithRedis, startRedis, type RedisServer } from '../support/redis-server.ts';

const CLAIMS = Buffer.from('{"access_token":{"nbf":{"essential":true,"value":"1"}}}').toString('base64');

/** What must not be read in Redis, besides the tokens and the people. */
const NAMES = [
  HOME_TENANT_ID,
  GATEWAY_CLIENT_ID,
  'eyJhbGci',
  'Bearer',
  'accessToken',
  'graph',
  'orders',
  'User.Read',
  '.default',
  'adele',
  'guest',
  'claims',
  'scope',
];

describeWithRedis('gateways with a second level in Redis', () => {
  let redis: RedisServer;
  let emulator: Emulator;
  let worlds: GatewayWorld[];
  let mortal: RedisServer | undefined;
  beforeAll(async () => {
    [redis, emulator] = await Promise.all([startRedis(), startEmulator()]);
  });
  afterAll(() => Promise.all([redis.close(), emulator.close()]));
  beforeEach(() => {
    redis.cli('flushall');
    emulator.resetSwitches();
    emulator.exchanges.length = 0;
    worlds = [];
  });
  afterEach(async () => {
    await Promise.all(worlds.map((world) => world.close()));
    await mortal?.close();
    mortal = undefined;
  });

  /** A gateway that is connected; a busy machine must not look to it like a Redis in trouble. */
  async function startReplica(url = redis.url): Promise<GatewayWorld> {
    const world = await startGatewayWorld({ emulator, tokenCache: { redis: { url } }, redisLookupTimeoutMs: 2_000 });
    worlds.push(world);
    await until('its look-ups are answered', async () => {
      await world.call('/me', { token: world.token('adele', { lifetimeSeconds: 100 + emulator.exchanges.length }) });
      return (await metric(world, 'miss')) > 0;
    });
    emulator.exchanges.length = 0;
    return world;
  }

  /** Calls with a token until what was stored for it can be found by others. */
  async function callAndStore(world: GatewayWorld, token: string, path = '/me'): Promise<void> {
    await untilUnlocked();
    const before = Number(redis.cli('dbsize'));
    await world.call(path, { token });
    await untilUnlocked();
    expect(Number(redis.cli('dbsize'))).toBe(before + 1);
  }

  /** Waits until all that was asked for is stored: a lock lives for two seconds, and a token for longer. */
  function untilUnlocked(): Promise<void> {
    return until('no lock is left', () => {
      const keys = redis.cli('keys', '*').split('\n').filter(Boolean);
      return keys.every((key) => Number(redis.cli('pttl', key)) > 2_000);
    });
  }

  it('know a caller again by the very first request after a restart', async () => {
    const before = await startReplica();
    const token = before.token('adele');
    await callAndStore(before, token);
    await before.gateway.stop();
    emulator.exchanges.length = 0;
    const after = await startGatewayWorld({
      emulator,
      tokenCache: { redis: { url: redis.url } },
      redisLookupTimeoutMs: 2_000,
    });
    worlds.push(after);
    const response = await after.call('/me', { token });
    expect([response.status, emulator.exchanges.length]).toEqual([200, 0]);
    expect(await after.log.of(response.headers.get('x-request-id'))).toMatchObject({ token: 'redis' });
  });

  it('then have the token in memory', async () => {
    const [one, other] = [await startReplica(), await startReplica()];
    const token = one.token('adele');
    await callAndStore(one, token);
    await other.call('/me', { token });
    const hits = await metric(other, 'hit');
    const { headers } = await other.call('/me', { token });
    expect(await other.log.of(headers.get('x-request-id'))).toMatchObject({ token: 'session' });
    expect([hits, await metric(other, 'hit')]).toEqual([1, 1]);
  });

  it('give each person the own token, whoever asked first', async () => {
    const [one, other] = [await startReplica(), await startReplica()];
    const tokens = ['adele', 'guest'].map((user) => one.token(user));
    for (const token of tokens) {
      await callAndStore(one, token);
    }
    for (const token of tokens) {
      await other.call('/me', { token });
    }
    const sent = [one, other].map(({ downstream }) =>
      downstream.requests.slice(-2).map(({ rawHeaders }) => valuesOf(rawHeaders, 'authorization')),
    );
    expect(sent[0]).toEqual(sent[1]);
    expect(sent[0]?.[0]).not.toEqual(sent[0]?.[1]);
  });

  it('make one exchange for a hundred first calls on two of them', async () => {
    const [one, other] = [await startReplica(), await startReplica()];
    emulator.switches.entra = 'slow';
    emulator.switches.delayMs = 300;
    const token = one.token('adele');
    const calls = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? one : other).call('/me', { token }));
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(emulator.exchanges).toHaveLength(1);
  });

  it('do not share a refusal: each hears Entra itself', async () => {
    const [one, other] = [await startReplica(), await startReplica()];
    emulator.switches.refuse = { error: 'invalid_grant', error_codes: [65001] };
    const token = one.token('adele');
    const responses = await Promise.all([one.call('/me', { token }), other.call('/me', { token })]);
    expect([responses.map(({ status }) => status), emulator.exchanges.length]).toEqual([[403, 403], 2]);
  });

  it('do not find a token again that a downstream refused, but the one that has replaced it', async () => {
    const one = await startReplica();
    const token = one.token('adele');
    await callAndStore(one, token);
    const challenge = answerChallenge(`Bearer error="insufficient_claims", claims="${CLAIMS}"`);
    one.downstream.requests.length = 0;
    one.downstream.answer = answerInTurn(challenge, answerPlainly);
    await one.call('/me', { token });
    const [, stronger] = one.downstream.requests.map(({ rawHeaders }) => valuesOf(rawHeaders, 'authorization'));
    await until('a new replica finds it', async () => {
      const replica = await startReplica();
      await replica.call('/me', { token });
      return valuesOf(replica.downstream.last.rawHeaders, 'authorization')[0] === stronger?.[0];
    });
  });

  it('do not find a token again that a downstream refused for no reason', async () => {
    const one = await startReplica();
    const token = one.token('adele');
    await callAndStore(one, token);
    one.downstream.answer = answerInTurn((_req, res) => res.writeHead(401).end(), answerPlainly);
    const first = await one.call('/me', { token });
    emulator.exchanges.length = 0;
    const second = await one.call('/me', { token });
    expect([first.status, second.status, emulator.exchanges.length]).toEqual([502, 200, 1]);
  });

  it('keep the tokens of apps to themselves', async () => {
    const world = await startReplica();
    redis.cli('flushall');
    await world.call('/orders', { token: emulator.issueAccessToken({ app: 'daemon' }) });
    expect([emulator.exchanges.length, redis.cli('dbsize')]).toEqual([1, '0']);
  });

  it('go on when Redis is killed, and use it again when it is back', async () => {
    mortal = await startRedis();
    const { url, cli, kill, restart } = mortal;
    const world = await startReplica(url);
    await kill();
    const during = await world.call('/me', { token: world.token('adele') });
    await until('the gateway has noticed', () => world.log.text.includes('in Redis fails'));
    await restart();
    await until('it is well again', () => world.log.text.includes('works again'));
    const token = world.token('adele', { lifetimeSeconds: 200 });
    await world.call('/me', { token });
    await until('the token is stored', () => cli('dbsize') === '1');
    const ready = await fetch(`${world.managementUrl}/readyz`);
    expect([during.status, ready.status]).toEqual([200, 200]);
  });

  it('are ready without it', async () => {
    const world = await startGatewayWorld({ emulator, tokenCache: { redis: { url: 'redis://127.0.0.1:1' } } });
    worlds.push(world);
    const response = await world.call('/me', { token: world.token('adele') });
    expect([response.status, (await fetch(`${world.managementUrl}/readyz`)).status]).toEqual([200, 200]);
  });

  it('leave no token and no name in Redis, neither in memory nor in a dump', async () => {
    const world = await startReplica();
    const tokens = ['adele', 'guest'].map((user) => world.token(user));
    for (const token of tokens) {
      await callAndStore(world, token);
      await callAndStore(world, token, '/orders');
    }
    redis.cli('save');
    const keys = redis.cli('keys', '*').split('\n');
    const values = keys.map((key) => redis.cli('--no-raw', 'dump', key));
    const rdb = await readFile(join(redis.folder, 'dump.rdb'), 'latin1');
    const everything = [...keys, ...values, rdb].join('\n').toLowerCase();
    const sent = world.downstream.requests.flatMap(({ rawHeaders }) => valuesOf(rawHeaders, 'authorization'));
    const people = tokens.flatMap((token) => {
      const { oid, name, preferred_username: login } = readPayload(token);
      return [oid, name, login].filter((value) => value !== undefined);
    });
    const parts = [...tokens, ...sent.map((value) => value.replace('Bearer ', ''))].flatMap((token) =>
      token.split('.'),
    );
    const secrets = [...people, ...parts, ...NAMES, emulator.origin, new URL(emulator.origin).host];
    expect(secrets.length).toBeGreaterThan(30);
    expect(secrets.filter((secret) => everything.includes(secret.toLowerCase()))).toEqual([]);
    expect(keys.filter((key) => !/^obo:[\w-]{43}$/.test(key))).toEqual([]);
  });
});

function readPayload(token: string): { oid?: string; name?: string; preferred_username?: string } {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as object;
}

async function metric(world: GatewayWorld, outcome: string): Promise<number> {
  const page = await (await fetch(`${world.managementUrl}/metrics`)).text();
  const line = `gateway_token_cache_total{level="redis",outcome="${outcome}"} `;
  return Number(
    page
      .split('\n')
      .find((candidate) => candidate.startsWith(line))
      ?.slice(line.length) ?? 0,
  );
}
