import type { BenchCase } from '../case.ts';
import { sideBySide } from '../measure/rounds.ts';
import { startGateway } from '../servers/gateway.ts';
import { startSurroundings } from '../surroundings.ts';
import { compareSmallRequests, describeCpuComparison } from './small-requests.ts';

const USERS = 100;

/** The most CPU of a request with two workers in that of one process. */
const MAX_CPU = 1.05;

/**
 * Every round opens its connections anew. On a core that three processes and the primary share, it takes the primary a second to
 * hand them out, which was a quarter of a usual round; clients keep theirs for longer than that.
 */
const ROUND = { rounds: 3, seconds: 20 } as const;

const ON_KEPT_CONNECTIONS =
  'CPU of a warm small GET, two workers at the same time as one process, 64 connections for each of the three';

const ON_NEW_CONNECTIONS = `${ON_KEPT_CONNECTIONS}, a new one for each request`;

/**
 * What it costs to share the work, on connections that last, and when the primary has to hand out one for each request. All
 * three are on one core at the same time: on two cores one of the workers would share its core, and the caches of that, with
 * the load and the downstream, of which the one process has nothing.
 */
export const workers: BenchCase = {
  name: 'workers',
  question: 'What does a request cost more when two workers share the connections?',
  run: async (context) => {
    const surroundings = await startSurroundings(context, USERS);
    const two = await startGateway(surroundings, { name: 'two workers', workers: 2 });
    const one = await startGateway(surroundings, { name: 'one process' });
    const pace = context.isQuick ? context.pace : { ...context.pace, ...ROUND };
    const requests = { users: USERS, compare: sideBySide };
    const kept = await compareSmallRequests({ ...context, pace }, surroundings, two, [one], requests);
    const short = { ...context, pace: context.shortPace };
    const opened = await compareSmallRequests(short, surroundings, two, [one], { ...requests, closes: true });
    const how = `${pace.rounds} pairs of rounds of ${pace.seconds} s`;
    return [
      ...kept
        .map((comparison) => describeCpuComparison(ON_KEPT_CONNECTIONS, comparison, MAX_CPU))
        .map((row) => ({ ...row, details: `${row.details}; ${how}` })),
      ...opened.map((comparison) => describeCpuComparison(ON_NEW_CONNECTIONS, comparison)),
    ];
  },
};
