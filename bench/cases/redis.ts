import { execFileSync } from 'node:child_process';
import type { BenchCase, Row } from '../case.ts';
import { visitWithEach } from '../load/visit.ts';
import { readCpuTime, untilIdle } from '../measure/process-figures.ts';
import type { Watch } from '../measure/quiet-rounds.ts';
import { startGateway } from '../servers/gateway.ts';
import { startRedis } from '../servers/redis.ts';
import { startSurroundings, type Surroundings } from '../surroundings.ts';

/** Users that come first, for the compilers in V8. */
const WARM_UP = 1_000;

/** So few at a time that no look-up waits longer than the gateway gives it. */
const WIDTH = 8;

/** The most look-ups that may come too late, of all users, until the figures say nothing. */
const MAX_LATE_SHARE = 0.25;

/** What the second level costs Redis and the gateway. */
export const redis: BenchCase = {
  name: 'redis',
  question: 'What does a first request cost with a second level in Redis, and what does Redis keep of it?',
  run: async (context) => {
    const count = context.isQuick ? 1_000 : 5_000;
    const surroundings = await startSurroundings(context, WARM_UP + count);
    const measured = await context.quiet.measureParts(
      (watch) => measureReplicas(surroundings, count, watch),
      isOneExchangeEach,
    );
    const { users, exchanges, commands, bytes, costs } = measured;
    if (!isOneExchangeEach(measured)) {
      throw new Error(`${users} users made ${exchanges} exchanges, not one each: Redis was too slow here`);
    }
    const late = exchanges === users ? '' : `; ${exchanges - users} look-ups came too late and were exchanges instead`;
    return [
      row('memory of Redis for a token of 1.5 kB', `${Math.round(bytes / users)} bytes`),
      row(
        'commands to Redis for a user who comes to two replicas',
        (commands / users).toFixed(1),
        'a look-up, a lock, a store and the release of the lock at the first, a look-up at the second; the two commands in the script of the release count' +
          late,
      ),
      row(
        'CPU time of a first request with Redis',
        `${costs.map((one) => one.toFixed(2)).join(' / ')} ms`,
        `${count} users; the first figure with an exchange, the second one with the token found in Redis${late}`,
      ),
    ];
  },
};

/** What users who came to two replicas made of a Redis that was empty. */
interface Replicas {
  readonly users: number;
  readonly exchanges: number;
  readonly commands: number;
  readonly bytes: number;
  /** Milliseconds of CPU time for each user, at the first replica and at the second. */
  readonly costs: readonly number[];
}

/** False where so many look-ups came too late that the figures say nothing. */
function isOneExchangeEach({ users, exchanges }: Replicas): boolean {
  return exchanges >= users && exchanges <= users * (1 + MAX_LATE_SHARE);
}

async function measureReplicas(surroundings: Surroundings, count: number, watch: Watch): Promise<Replicas> {
  const { tokensFile } = surroundings.assertions;
  const server = await startRedis();
  const settings = { tokenCache: { redis: { url: `redis://127.0.0.1:${server.port}` } } };
  const gateways = [await startGateway(surroundings, { settings }), await startGateway(surroundings, { settings })];
  const before = readInfo(server.port);
  const exchangesBefore = await surroundings.entra.countExchanges();
  const costs: number[] = [];
  for (const { process, origin } of gateways) {
    // The first of them asks Entra for each user; the second one finds the tokens in Redis.
    await visitWithEach({ url: `${origin}/me`, tokensFile, count: WARM_UP, width: WIDTH });
    await untilIdle(process.pid);
    const cost = await watch(async () => {
      const cpuBefore = readCpuTime(process.pid);
      await visitWithEach({ url: `${origin}/me`, tokensFile, from: WARM_UP, count, width: WIDTH });
      await untilIdle(process.pid);
      return readCpuTime(process.pid) - cpuBefore;
    });
    costs.push(cost / count);
  }
  const after = readInfo(server.port);
  const exchanges = (await surroundings.entra.countExchanges()) - exchangesBefore;
  await Promise.all([...gateways, server].map(({ process }) => process.stop()));
  return {
    users: WARM_UP + count,
    exchanges,
    commands: after.commands - before.commands,
    bytes: after.bytes - before.bytes,
    costs,
  };
}

function row(figure: string, seen: string, details = ''): Row {
  return { figure, aim: '', seen, details };
}

function readInfo(port: number): { readonly bytes: number; readonly commands: number } {
  const text = execFileSync('redis-cli', ['-p', String(port), 'info', 'everything'], { encoding: 'utf8' });
  const read = (key: string): number => Number(new RegExp(`^${key}:(\\d+)`, 'm').exec(text)?.[1]);
  return { bytes: read('used_memory'), commands: read('total_commands_processed') };
}
