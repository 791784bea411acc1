import type { BenchCase } from '../case.ts';
import type { Pace } from '../measure/rounds.ts';
import { startGateway } from '../servers/gateway.ts';
import { startOboSample } from '../servers/peers.ts';
import { demandSecurity, startSurroundings } from '../surroundings.ts';
import { compareSmallRequests, describeComparison } from './small-requests.ts';

const USERS = 4_000;

const USERS_QUICK = 500;

/** A second of the sample's way brings only some dozen answers. */
const PACE: Pace = { rounds: 3, seconds: 8, warmUpSeconds: 8, leadInSeconds: 2 };

/** So few that what is unfinished at the end of a round hardly counts: with 64 it would be two seconds of work there. */
const CONNECTIONS = 16;

/** The throughput beside MSAL's own cache when it holds many users. */
export const manyUsers: BenchCase = {
  name: 'many-users',
  question: 'What is left of both when the cache holds thousands of users?',
  run: async (context) => {
    const users = context.isQuick ? USERS_QUICK : USERS;
    const surroundings = await startSurroundings(context, users);
    const ours = await startGateway(surroundings);
    const peer = await startOboSample(surroundings);
    await demandSecurity(ours, surroundings);
    await demandSecurity(peer, surroundings);
    const pace = context.isQuick ? context.pace : PACE;
    const paced = { ...context, pace };
    const comparisons = await compareSmallRequests(paced, surroundings, ours, [peer], {
      users,
      connections: CONNECTIONS,
    });
    return comparisons.map((comparison) => {
      const aim = context.isQuick ? undefined : 400;
      const row = describeComparison(`warm small GET of ${users} users, against ${peer.name}`, comparison, aim);
      const how = context.isQuick
        ? `a full run has ${USERS} users`
        : `${pace.rounds} pairs of rounds of ${pace.seconds} s with ${CONNECTIONS} connections`;
      return { ...row, details: `${row.details}; ${how}` };
    });
  },
};
