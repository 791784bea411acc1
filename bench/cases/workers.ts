import type { BenchCase } from '../case.ts';
import { startGateway } from '../servers/gateway.ts';
import { startSurroundings } from '../surroundings.ts';
import { compareSmallRequests, describeCpuComparison } from './small-requests.ts';

const USERS = 100;

/** The most CPU of a request with two workers in that of one process. */
const MAX_CPU = 1.05;

const FIGURE = 'CPU of a warm small GET, two workers on two cores against one on one core';

/** What it costs to share the work. */
export const workers: BenchCase = {
  name: 'workers',
  question: 'What does a request cost more when two workers share two cores?',
  run: async (context) => {
    const surroundings = await startSurroundings(context, USERS);
    const two = await startGateway(surroundings, { name: 'two workers on two cores', workers: 2 });
    const one = await startGateway(surroundings, { name: 'one process on one core' });
    const comparisons = await compareSmallRequests(context, surroundings, two, [one], { users: USERS });
    return comparisons.map((comparison) => {
      const row = describeCpuComparison(FIGURE, comparison, MAX_CPU);
      const load = 'the load and the downstream share a core with one of the two workers, so only the CPU counts here';
      return { ...row, details: `${row.details}; ${load}` };
    });
  },
};
