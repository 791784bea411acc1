import type { BenchCase } from '../case.ts';
import { visitWithEach } from '../load/visit.ts';
import { readCpuTime, untilIdle } from '../measure/process-figures.ts';
import { startGateway } from '../servers/gateway.ts';
import { startSurroundings } from '../surroundings.ts';

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
    const { process, origin } = await startGateway(surroundings);
    const visits = { url: `${origin}/me`, tokensFile: surroundings.assertions.tokensFile };
    const measureVisits = async (from: number): Promise<number> => {
      await untilIdle(process.pid);
      const before = readCpuTime(process.pid);
      await visitWithEach({ ...visits, from, count });
      await untilIdle(process.pid);
      return readCpuTime(process.pid) - before;
    };
    await visitWithEach({ ...visits, count: WARM_UP, times: 2 });
    const first = await measureVisits(WARM_UP);
    const second = await measureVisits(WARM_UP);
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
