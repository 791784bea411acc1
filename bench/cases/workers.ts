import type { BenchCase } from '../case.ts';
import { sideBySide } from '../measure/rounds.ts';
import { startGateway } from '../servers/gateway.ts';
import { startSurroundings } from '../surroundings.ts';
import { compareSmallRequests, describeCpuComparison } from './small-requests.ts';

const USERS = 100;

/** The most CPU of a request with two workers in that of one process. */
const MAX_CPU = 1.05;

const FIGURE =
  'CPU of a warm small GET, two workers at the same time as one process, 64 connections for each of the three';

/**
 * What it costs to share the work. All three are on one core at the same time: on two cores one of the workers would share
 * its core, and the caches of that, with the load and the downstream, of which the one process has nothing.
 */
export const workers: BenchCase = {
  name: 'workers',
  question: 'What does a request cost more when two workers share the connections?',
  run: async (context) => {
    const surroundings = await startSurroundings(context, USERS);
    const two = await startGateway(surroundings, { name: 'two workers', workers: 2 });
    const one = await startGateway(surroundings, { name: 'one process' });
    const requests = { users: USERS, compare: sideBySide };
    const comparisons = await compareSmallRequests(context, surroundings, two, [one], requests);
    return comparisons.map((comparison) => describeCpuComparison(FIGURE, comparison, MAX_CPU));
  },
};
