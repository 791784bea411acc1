import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { EntraLogin } from '../../src/redis/entra-login.ts';
import { planToken } from '../../src/session/downstream-token.ts';
import { until } from '../support/gateway-poll.ts';
import { describeWithRedis, startRedis, type RedisServer } from '../support/redis-server.ts';
import { makeReplica, PLACE, untilConnected, type Replica } from './redis-replica.ts';

const OID = '5e0f1a2b-0002-4c00-9b00-0000000000b7';
const OTHER_OID = '5e0f1a2b-0002-4c00-9b00-0000000000b8';
const RIGHTS = '~obo:* -@all +get +getrange +set +del +eval +info +hello +cluster|slots +cluster|info'.split(' ');

/** An Entra that gives tokens of an hour, and counts them. */
function startEntra(now: () => number) {
  const state = { given: 0, isDown: false, oid: OID };
  return {
    state,
    tokenOf: (number: number) =>
      `e30.${Buffer.from(JSON.stringify({ oid: state.oid, number })).toString('base64url')}.x`,
    async fetchToken() {
      if (state.isDown) {
        throw new Error('Entra is down');
      }
      state.given += 1;
      return planToken(this.tokenOf(state.given), now(), { expiresIn: 3_600, refreshIn: undefined });
    },
  };
}

type Entra = ReturnType<typeof startEntra>;

/** Lets Redis know a token as the password of the identity, as Azure's knows it by its signature. */
function admit(server: RedisServer, token: string, user = OID): void {
  server.cli('acl', 'setuser', user, 'on', 'resetpass', `>${token}`, ...RIGHTS);
}

/** The connections of an identity, by their numbers. */
function connectionsOf(server: RedisServer, user = OID): string[] {
  const lines = server.cli('client', 'list', 'type', 'normal').split('\n');
  return lines.filter((line) => line.includes(`user=${user} `)).map((line) => /^id=(\d+)/.exec(line)?.[1] ?? '');
}

const open: Replica[] = [];
afterEach(() => open.splice(0).forEach(({ store }) => store.close()));

/** A replica that logs in by Entra. */
function makeEntraReplica(url: string, objectId?: string): { readonly replica: Replica; readonly entra: Entra } {
  let entra: Entra | undefined;
  const replica = makeReplica(url, {
    entra: { objectId },
    fetchToken: () => (entra as Entra).fetchToken(),
    renewalIntervalMs: 20,
  });
  entra = startEntra(replica.clock.now);
  open.push(replica);
  return { replica, entra };
}

const HOUR_MS = 3_600_000;

describe('a login by Entra', () => {
  it.each([
    ['the one of the token', undefined, OID],
    ['the one of gateway.yaml', 'a62d8a2a-0000-4000-8000-000000000001', 'a62d8a2a-0000-4000-8000-000000000001'],
  ])('has an object id as its user: %s', async (_what, objectId, username) => {
    const entra = startEntra(() => 0);
    const login = new EntraLogin({ objectId, now: () => 0, fetchToken: () => entra.fetchToken() });
    await login.renew();
    expect(login.login).toEqual({ username, password: entra.tokenOf(1) });
  });

  it('asks for a token once, however many connections want it, and again before it ends', async () => {
    let now = 0;
    const entra = startEntra(() => now);
    const login = new EntraLogin({ now: () => now, fetchToken: () => entra.fetchToken() });
    await Promise.all([login.renew(), login.renew()]);
    await login.renew();
    const early = entra.state.given;
    now = HOUR_MS - 300_000;
    await login.renew();
    expect([early, entra.state.given, login.login.password]).toEqual([1, 2, entra.tokenOf(2)]);
  });

  it('stays as it was while Entra gives no token, which the log says once, and once that it is over', async () => {
    let now = 0;
    const lines: object[] = [];
    const log = { warn: (line: object) => void lines.push(line), info: (line: object) => void lines.push(line) };
    const entra = startEntra(() => now);
    const login = new EntraLogin({ now: () => now, fetchToken: () => entra.fetchToken(), log });
    await login.renew();
    entra.state.isDown = true;
    now = HOUR_MS;
    await login.renew();
    await login.renew();
    const during = login.login.password;
    entra.state.isDown = false;
    await login.renew();
    expect([during, login.login.password]).toEqual([entra.tokenOf(1), entra.tokenOf(2)]);
    expect(lines).toEqual([
      { key: 'tokenCache.redis.entra', reason: expect.any(String), remedy: expect.any(String) },
      { key: 'tokenCache.redis.entra' },
    ]);
  });
});

describeWithRedis('a Redis that knows identities of Entra', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis({ password: 's3cr3t' });
  });
  afterAll(() => server.close());
  beforeEach(() => void server.cli('acl', 'setuser', OID, 'reset'));

  const url = (): string => `redis://127.0.0.1:${server.port}`;
  it('takes the token as the password of the object id', async () => {
    const { replica, entra } = makeEntraReplica(url());
    admit(server, entra.tokenOf(1));
    await replica.store.open();
    await untilConnected(replica);
    expect([connectionsOf(server).length, replica.log]).toEqual([1, []]);
  });

  it('gets the new token on the same connection before the old one ends', async () => {
    const { replica, entra } = makeEntraReplica(url());
    admit(server, entra.tokenOf(1));
    await replica.store.open();
    await untilConnected(replica);
    const before = connectionsOf(server);
    // Another user shows which token the connection has.
    entra.state.oid = OTHER_OID;
    admit(server, entra.tokenOf(2), OTHER_OID);
    replica.clock.advance(HOUR_MS - 300_000);
    await until('it has the new token', () => connectionsOf(server, OTHER_OID).length > 0);
    await untilConnected(replica);
    expect([connectionsOf(server, OTHER_OID), replica.log]).toEqual([before, []]);
  });

  it('keeps the connection when it refuses the new token', async () => {
    const { replica, entra } = makeEntraReplica(url());
    admit(server, entra.tokenOf(1));
    await replica.store.open();
    await untilConnected(replica);
    const before = connectionsOf(server);
    replica.clock.advance(HOUR_MS - 300_000);
    await until('the new token is there', () => entra.state.given === 2);
    await untilConnected(replica);
    expect(connectionsOf(server)).toEqual(before);
  });

  it('is used as soon as Entra gives a token, when it gave none at the start', async () => {
    const { replica, entra } = makeEntraReplica(url());
    admit(server, entra.tokenOf(1));
    entra.state.isDown = true;
    await replica.store.open();
    await until('it is logged', () => replica.log.length > 0);
    const during = await replica.acquire();
    entra.state.isDown = false;
    await untilConnected(replica);
    expect([during, connectionsOf(server).length]).toEqual([expect.any(String), 1]);
    expect(replica.log[0]).toMatchObject({ level: 'warn', key: 'tokenCache.redis.entra' });
  });

  it('costs nobody a token when the object id is another one, and the log says what to do', async () => {
    const { replica, entra } = makeEntraReplica(url(), 'a62d8a2a-0000-4000-8000-000000000001');
    admit(server, entra.tokenOf(1));
    await replica.store.open();
    await until('it is logged', () => replica.log.length > 0);
    expect(await replica.acquire()).toEqual(expect.any(String));
    expect(replica.log).toMatchObject([{ code: 'WRONGPASS', remedy: expect.stringContaining('entra') }]);
    expect(JSON.stringify(replica.log)).not.toContain(entra.tokenOf(1));
  });
});

describeWithRedis('a cluster that knows identities of Entra', () => {
  let nodes: RedisServer[];
  beforeAll(async () => {
    nodes = await Promise.all(
      [1, 2, 3].map(() =>
        startRedis({
          password: 's3cr3t',
          config: ['cluster-enabled yes', 'cluster-node-timeout 1000', 'masterauth s3cr3t'],
        }),
      ),
    );
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    const login = ['-a', 's3cr3t', '--no-auth-warning'];
    execFileSync('redis-cli', [...login, '--cluster', 'create', ...addresses, '--cluster-yes'], { stdio: 'pipe' });
    await until('all slots are covered', () =>
      nodes.every((server) => server.cli('cluster', 'info').includes('cluster_state:ok')),
    );
  }, 60_000);
  afterAll(() => Promise.all(nodes.map((server) => server.close())));

  it('gets the new token at each of its nodes', async () => {
    const { replica, entra } = makeEntraReplica(`redis+cluster://127.0.0.1:${nodes[0]?.port}`);
    nodes.forEach((server) => admit(server, entra.tokenOf(1)));
    await replica.store.open();
    await untilConnected(replica);
    const places = Array.from({ length: 20 }, (_, index) => ({ ...PLACE, assertion: `caller ${index}` }));
    await Promise.all(places.map((place) => replica.acquire(place)));
    const before = nodes.map((server) => connectionsOf(server));
    entra.state.oid = OTHER_OID;
    nodes.forEach((server) => admit(server, entra.tokenOf(2), OTHER_OID));
    replica.clock.advance(HOUR_MS - 300_000);
    const hasNewToken = (server: RedisServer): boolean => connectionsOf(server, OTHER_OID).length > 0;
    await until('each node has the new token', () => nodes.every(hasNewToken));
    nodes.forEach((server, index) =>
      expect(before[index]).toEqual(expect.arrayContaining(connectionsOf(server, OTHER_OID))),
    );
    expect(replica.log.filter(({ code }) => code === 'WRONGPASS' || code === 'NOAUTH')).toEqual([]);
  }, 60_000);
});
