import type { BenchCase } from '../case.ts';
import { visitWithEach } from '../load/visit.ts';
import { readCpuTime, untilIdle } from '../measure/process-figures.ts';
import type { Watch } from '../measure/quiet-rounds.ts';
import { startGateway } from '../servers/gateway.ts';
import { startSurroundings, type Surroundings } from '../surroundings.ts';

/** Users that come first, for the compilers in V8. */
const WARM_UP = 2_000;

/** Milliseconds. */
const AIM = 0.35;

/** The CPU time of one exchange. */
export const exchange: BenchCase = {
  name: 'exchange',
  question: 'What does the first request of a user cost more than the next one?',
  run: async (context) => {
    const count = context.isQuick ? 2_000 : 8_000;
    const surroundings = await startSurroundings(context, WARM_UP + count);
    const { first, second } = await context.quiet.measureParts((watch) => measureUsers(surroundings, count, watch));
    const each = (first - second) / count;
    return [
      {
        figure: 'CPU time of one exchange, with the verification of the token',
        aim: `≤ ${AIM} ms`,
        seen: `${each.toFixed(2)} ms`,
        isMet: each <= AIM,
        details: `${count} users: ${(first / count).toFixed(2)} ms for the first request of each, ${(second / count).toFixed(2)} ms for the second`,
      },
    ];
  },
};

/** What all users cost together, in milliseconds of CPU time. */
interface UsersCost {
  readonly first: number;
  readonly second: number;
}

/** Lets users come twice to a gateway that does not know them. */
async function measureUsers(surroundings: Surroundings, count: number, watch: Watch): Promise<UsersCost> {
  const { process, origin } = await startGateway(surroundings);
  const visits = { url: `${origin}/me`, tokensFile: surroundings.assertions.tokensFile };
  const measureVisits = async (): Promise<number> => {
    await untilIdle(process.pid);
    return watch(async () => {
      const before = readCpuTime(process.pid);
      await visitWithEach({ ...visits, from: WARM_UP, count });
      await untilIdle(process.pid);
      return readCpuTime(process.pid) - before;
    });
  };
  await visitWithEach({ ...visits, count: WARM_UP, times: 2 });
  const cost = { first: await measureVisits(), second: await measureVisits() };
  await process.stop();
  return cost;
}
