import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { BenchCase, Row } from '../case.ts';
import { sideBySide } from '../measure/rounds.ts';
import { startGateway } from '../servers/gateway.ts';
import { listNodes } from '../servers/node-runtime.ts';
import { demandSecurity, startSurroundings } from '../surroundings.ts';
import { compareSmallRequests, describeCpuComparison } from './small-requests.ts';

const USERS = 100;

/** This build beside another one, and beside itself, which shows what differs without a reason. */
export const compare: BenchCase = {
  name: 'compare',
  question: 'What does a request cost in that of another build?',
  run: async (context) => {
    const other = findProgram(context.otherCheckout);
    const surroundings = await startSurroundings(context, USERS);
    const rows: Row[] = [];
    for (const node of listNodes()) {
      const around = { ...surroundings, node };
      const ours = await startGateway(around, { name: 'this build' });
      const itself = await startGateway(around, { name: 'this build itself' });
      const theirs = await startGateway(around, { name: 'the other build', program: other });
      const servers = [ours, itself, theirs];
      for (const server of servers) {
        await demandSecurity(server, around);
      }
      const requests = { users: USERS, compare: sideBySide };
      const comparisons = await compareSmallRequests(context, around, ours, [itself, theirs], requests);
      rows.push(
        ...comparisons.map((comparison) =>
          describeCpuComparison(`CPU of a warm small GET on ${node.name}, against ${comparison.peer.name}`, comparison),
        ),
      );
      await Promise.all(servers.map(({ process }) => process.stop()));
    }
    return rows;
  },
};

function findProgram(checkout = ''): string {
  const program = join(resolve(checkout), 'dist', 'main.js');
  if (checkout === '' || !existsSync(program)) {
    throw new Error('compare needs another checkout that is built: npm run bench -- compare --with <its folder>');
  }
  return program;
}
