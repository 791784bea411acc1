import { join } from 'node:path';
import type { BenchCase } from '../case.ts';
import { sideBySide } from '../measure/rounds.ts';
import { startGateway } from '../servers/gateway.ts';
import { startSurroundings } from '../surroundings.ts';
import { compareSmallRequests, describeSideBySide } from './small-requests.ts';

const USERS = 100;

/** What it costs to keep the log. */
export const log: BenchCase = {
  name: 'log',
  question: 'What does it cost when the log goes to a file?',
  run: async (context) => {
    const surroundings = await startSurroundings(context, USERS);
    const toFile = await startGateway(surroundings, {
      name: 'gateway with its log in a file',
      logFile: join(context.folder, 'gateway.log'),
    });
    const toNowhere = await startGateway(surroundings, { name: 'gateway with its log in /dev/null' });
    const requests = { users: USERS, compare: sideBySide };
    const comparisons = await compareSmallRequests(context, surroundings, toFile, [toNowhere], requests);
    return comparisons.map((comparison) =>
      describeSideBySide('warm small GET, log to a file against /dev/null', comparison),
    );
  },
};
