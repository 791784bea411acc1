import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { hasFronts } from '../support/front.ts';
import { until } from '../support/gateway-poll.ts';
import { describeWith } from '../support/installed-program.ts';
import { hasRedis } from '../support/redis-server.ts';
import type { Arrival, Echo } from './echo-api.ts';
import { Client, Load, type Outcome } from './load.ts';
import { hasPrometheus } from './prometheus.ts';
import { startRedisCluster } from './redis-cluster.ts';
import type { Replica, TokenCounts } from './replica.ts';
import { startTopology, type Caller, type Topology } from './topology.ts';

// A dozen processes start here, and nothing is wrong when that takes long.
jest.setTimeout(600_000);
const PATIENCE_MS = 120_000;

const programs = 'nginx, haproxy, openssl, redis-server and prometheus';

describeWith(programs, hasFronts && hasRedis && hasPrometheus, 'three replicas behind nginx and HAProxy', () => {
  let topology: Topology;
  let callers: readonly Caller[];
  let load: Load | undefined;
  beforeAll(async () => {
    topology = await startTopology();
    callers = Array.from({ length: 24 }, () => topology.newCaller());
  });
  afterEach(() => load?.stop());
  afterAll(() => topology?.close());

  /** Lets all call, and begins to count once every replica has met them and serves behind every front. */
  async function startLoad(): Promise<Load> {
    const { fronts, replicas } = topology;
    const started = new Load(
      callers,
      fronts.map(({ port }) => port),
      certificates(),
    );
    load = started;
    await untilServing(started, replicas);
    // A caller that had not met one of the APIs would cost an exchange later.
    await until('each has called both APIs', () => started.fewestServed >= 4, PATIENCE_MS);
    started.count();
    return started;
  }

  /** The authorities of all fronts. */
  function certificates(): string {
    return topology.fronts.map(({ ca }) => ca).join('');
  }

  /** Waits until each of these replicas serves calls that begin from now on, behind every front. */
  async function untilServing(running: Load, replicas: readonly Replica[]): Promise<void> {
    const now = performance.now();
    await until(
      `${replicas.map(({ name }) => name).join()} serve`,
      () => replicas.every(({ name }) => topology.fronts.every(({ port }) => running.servedBy(name, port, now))),
      PATIENCE_MS,
    );
  }

  /** How a call arrived at its API: once, unless somebody sent it again. */
  function arrivalsOf(call: string): readonly Arrival[] {
    return topology.people.arrivals.get(call) ?? topology.records.arrivals.get(call) ?? [];
  }

  /** The calls that an API got more than once. */
  function repeated(outcomes: readonly Outcome[]): string[] {
    return outcomes.filter(({ call }) => arrivalsOf(call).length > 1).map(({ call }) => call);
  }

  /** Calls with the lines of the fronts' logs that name them: the answer of a front (502) does not tell its reason. */
  function explain(outcomes: readonly Outcome[]): object[] {
    const lines = topology.fronts.flatMap(({ log }) => log().split('\n'));
    return outcomes.map((outcome) => {
      const names = new RegExp(`call=${outcome.call}[ &]`);
      return { ...outcome, reasons: lines.filter((line) => names.test(line)) };
    });
  }

  /** Waits until each replica has found in Redis what another one put there. */
  async function untilShared(): Promise<void> {
    const before = await countHits();
    // Whoever meets somebody first asks Entra, and the others find the token: each replica is first in turn.
    const order = [...topology.replicas];
    await until(
      'each replica finds tokens of the others in Redis',
      async () => {
        const { token } = topology.newCaller();
        order.push(...order.splice(0, 1));
        for (const { port } of order) {
          const headers = { authorization: `Bearer ${token}` };
          await (await fetch(`http://127.0.0.1:${port}/people`, { headers })).text();
          // The token is put there after the answer.
          await wait(100);
        }
        return (await countHits()).every((hits, index) => hits > (before[index] ?? 0));
      },
      PATIENCE_MS,
    );
  }

  function readCounts(): Promise<TokenCounts[]> {
    return Promise.all(topology.replicas.map((replica) => replica.readTokenCounts()));
  }

  async function countHits(): Promise<number[]> {
    return (await readCounts()).map(({ hits }) => hits);
  }

  it('lose nothing, and nothing arrives twice, when they are restarted one after the other', async () => {
    const { prometheus } = topology;
    const seesAll = async (): Promise<boolean> =>
      (await prometheus.query('count(process_start_time_seconds)'))[0] === 3;
    // A restart is a change of what it knows.
    await until('Prometheus knows all', seesAll, PATIENCE_MS);
    const running = await startLoad();
    const notStored = total('failures', await readCounts());
    const exits: unknown[] = [];
    for (const replica of topology.replicas) {
      exits.push(await replica.stop());
      await replica.start(topology.redis.url);
      await untilServing(running, [replica]);
    }
    await running.stop();
    const counts = await readCounts();
    expect([exits, explain(running.losses), repeated(running.outcomes)]).toEqual([[0, 0, 0], [], []]);
    // The tokens are all in Redis: Entra is asked only where Redis was too slow, as on a busy machine.
    expect(counts.map(({ hits }) => hits > 0)).toEqual([true, true, true]);
    expect(total('misses', counts)).toBeLessThanOrEqual(notStored);
    expect(counts.filter(({ exchanges, misses, failures }) => exchanges > misses + failures)).toEqual([]);
  });

  it('are seen by Prometheus, each restart as well', async () => {
    const { prometheus } = topology;
    const countStarts = (): Promise<number[]> => prometheus.query('changes(process_start_time_seconds[10m])');
    const isComplete = async (): Promise<boolean> =>
      (await prometheus.query('sum(up)'))[0] === 3 && (await countStarts()).every((starts) => starts > 0);
    await until('all are up, and each restart is seen', isComplete, PATIENCE_MS);
    const starts = await countStarts();
    const failed = await prometheus.query('sum(gateway_http_requests_total{status=~"5.."}) or vector(0)');
    expect([starts, failed]).toEqual([[1, 1, 1], [0]]);
  });

  it('lose only what was under way at a replica that is killed, and send no POST twice', async () => {
    const running = await startLoad();
    const { people, records, fronts, replicas } = topology;
    const clients = fronts.flatMap(({ port }) =>
      Array.from({ length: 10 }, () => new Client(topology.newCaller(), port, certificates())),
    );
    const calls = clients.map((client, index) => client.call(index % 2 === 0 ? 'create' : 'read', '&hold'));
    await until('all are held', () => heldBack().length === calls.length, PATIENCE_MS);

    const victim = mostLoaded();
    const killedAt = performance.now();
    await victim.kill();
    const deadAt = performance.now();
    let isOver = false;
    const answered = Promise.all(calls).finally(() => (isOver = true));
    await until(
      'all are answered',
      () => {
        // What is sent to another replica is held there again.
        people.release();
        records.release();
        return isOver;
      },
      PATIENCE_MS,
    );
    const held = await answered;
    await victim.start(topology.redis.url);
    await untilServing(running, [victim]);
    await running.stop();
    clients.forEach((client) => client.close());

    const wereAtVictim = held.filter(({ call }) => arrivalsOf(call)[0]?.replica === victim.name);
    expect(held.filter(({ loss }) => loss !== undefined)).toEqual(wereAtVictim.filter(({ kind }) => kind === 'create'));
    expect(repeated(held)).toEqual(wereAtVictim.filter(({ kind }) => kind === 'read').map(({ call }) => call));
    const unexplained = running.losses.filter(
      ({ kind, startedAt, endedAt }) => kind === 'read' || startedAt > deadAt || endedAt < killedAt,
    );
    expect(explain(unexplained)).toEqual([]);
    expect(repeated(running.outcomes.filter(({ kind }) => kind !== 'read'))).toEqual([]);

    function heldBack(): readonly Echo[] {
      return [...people.held, ...records.held];
    }

    /** The replica where most of the POSTs are under way. */
    function mostLoaded(): Replica {
      const posts = heldBack().filter(({ method }) => method === 'POST');
      const countOf = ({ name }: Replica): number => posts.filter(({ replica }) => replica === name).length;
      return replicas.toSorted((one, other) => countOf(other) - countOf(one))[0] ?? replicas[0];
    }
  });

  it('lose nothing when the primary Redis dies, and share tokens again once the Sentinels have chosen another', async () => {
    const { redis, replicas } = topology;
    const running = await startLoad();
    await redis.primary.kill();
    await until('there is another primary', () => redis.namePrimary() === redis.standby.port, PATIENCE_MS);
    await untilServing(running, replicas);
    await running.stop();
    expect([explain(running.losses), repeated(running.outcomes)]).toEqual([[], []]);
    await untilShared();
  });

  it('lose nothing when a node of a Redis cluster dies, and share tokens again once it is back', async () => {
    const { replicas } = topology;
    const cluster = await startRedisCluster();
    try {
      for (const replica of replicas) {
        await replica.kill();
        await replica.start(cluster.url);
      }
      await untilShared();
      const running = await startLoad();
      await cluster.nodes[0]?.kill();
      await until('the cluster is down', () => !cluster.isComplete(), PATIENCE_MS);
      await untilServing(running, replicas);
      await cluster.nodes[0]?.restart();
      await until('the cluster is back', () => cluster.isComplete(), PATIENCE_MS);
      await untilServing(running, replicas);
      await running.stop();
      expect([explain(running.losses), repeated(running.outcomes)]).toEqual([[], []]);
      await untilShared();
    } finally {
      await cluster.close();
    }
  });
});

/** The sum of one count of all replicas. */
function total(count: keyof TokenCounts, counts: readonly TokenCounts[]): number {
  return counts.reduce((sum, each) => sum + each[count], 0);
}
