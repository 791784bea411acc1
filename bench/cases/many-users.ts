import type { BenchCase } from '../case.ts';
import { startGateway } from '../servers/gateway.ts';
import { startOboSample } from '../servers/peers.ts';
import { demandSecurity, startSurroundings } from '../surroundings.ts';
import { compareSmallRequests, describeComparison } from './small-requests.ts';

const USERS = 4_000;

/** A second of the sample's way brings only some dozen answers; rounds are at least this long. */
const MIN_SECONDS = 10;

/** The throughput beside MSAL's own cache when it holds many users. */
export const manyUsers: BenchCase = {
  name: 'many-users',
  question: 'What is left of both when the cache holds thousands of users?',
  run: async (context) => {
    const users = context.isQuick ? 1_000 : USERS;
    const surroundings = await startSurroundings(context, users);
    const ours = await startGateway(surroundings);
    const peer = await startOboSample(surroundings);
    await demandSecurity(ours, surroundings);
    await demandSecurity(peer, surroundings);
    const { rounds, seconds } = context.pace;
    const pace = { rounds, seconds: Math.max(MIN_SECONDS, seconds), warmUpSeconds: MIN_SECONDS };
    const comparisons = await compareSmallRequests({ ...context, pace }, surroundings, ours, [peer], users);
    return comparisons.map((comparison) =>
      describeComparison(
        `warm small GET of ${users} users, against ${peer.name}`,
        comparison,
        users === USERS ? 400 : undefined,
      ),
    );
  },
};
