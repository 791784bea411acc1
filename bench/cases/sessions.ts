import { setTimeout as pause } from 'node:timers/promises';
import type { BenchCase, CaseContext, Row } from '../case.ts';
import { visitWithEach } from '../load/visit.ts';
import { runWrk } from '../load/wrk.ts';
import { readResidentMemory, untilIdle } from '../measure/process-figures.ts';
import { alternate } from '../measure/rounds.ts';
import { startGateway } from '../servers/gateway.ts';
import type { MeasuredServer } from '../servers/server.ts';
import { startSurroundings, type Surroundings } from '../surroundings.ts';
import { describeComparison, describeRate } from './small-requests.ts';

const FEW = 100;
const MANY = [20_000, 100_000];
const MANY_QUICK = [1_000, 4_000];

/** The aims of design §12 are for this many. */
const AIMED = 100_000;

const MEGA = 1_000_000;

/** With {@link AIMED} sessions, in that with {@link FEW}. */
const MIN_THROUGHPUT = 0.95;

/** Bytes that are resident with {@link AIMED} sessions. */
const MAX_MEMORY = 350 * MEGA;

/** V8 can give back memory of a process that nobody calls; seconds until it is read once more. */
const REST_SECONDS = 30;

/** A gateway whose sessions are all there. */
interface FilledGateway {
  readonly server: MeasuredServer;
  readonly sessions: number;
  /** Bytes before and after the sessions came. */
  readonly memory: { readonly idle: number; readonly filled: number };
}

/** What many sessions cost in speed and in memory. */
export const sessions: BenchCase = {
  name: 'sessions',
  question: 'What do many sessions cost in throughput and in memory?',
  run: async (context) => {
    const counts = context.isQuick ? MANY_QUICK : MANY;
    context.tell('makes the tokens, which takes a minute the first time');
    const surroundings = await startSurroundings(context, Math.max(...counts));
    const few = await fillGateway(context, surroundings, FEW);
    const rows: Row[] = [];
    for (const count of counts) {
      const many = await fillGateway(context, surroundings, count);
      const throughput = await compareThroughput(context, surroundings, many, few);
      const underLoad = readResidentMemory(many.server.process.pid);
      const isLargest = count === Math.max(...counts);
      const later = { underLoad, rested: isLargest ? await rest(many.server) : undefined };
      rows.push(...[throughput, describeMemory(many, few, later)].map((row) => tellSize(row, context)));
      await many.server.process.stop();
    }
    return rows;
  },
};

async function fillGateway({ tell }: CaseContext, surroundings: Surroundings, count: number): Promise<FilledGateway> {
  const server = await startGateway(surroundings, { name: `gateway with ${count} sessions` });
  const { pid } = server.process;
  await untilIdle(pid);
  const idle = readResidentMemory(pid);
  const before = await surroundings.entra.countExchanges();
  await visitWithEach({ url: `${server.origin}/me`, tokensFile: surroundings.assertions.tokensFile, count });
  const exchanges = (await surroundings.entra.countExchanges()) - before;
  if (exchanges !== count) {
    throw new Error(`${count} users made ${exchanges} exchanges, not one each`);
  }
  await untilIdle(pid);
  const memory = { idle, filled: readResidentMemory(pid) };
  tell(`${server.name}: ${inMegabytes(memory.idle)} before, ${inMegabytes(memory.filled)} after`);
  return { server, sessions: count, memory };
}

async function compareThroughput(
  context: CaseContext,
  { assertions: { tokensFile } }: Surroundings,
  many: FilledGateway,
  few: FilledGateway,
): Promise<Row> {
  const pace = many.sessions === AIMED || context.isQuick ? context.pace : context.shortPace;
  const [comparison] = await alternate(many.server, [few.server], { ...context, pace }, async (server, seconds) => {
    const users = server === many.server ? many.sessions : FEW;
    const result = await runWrk({ server, path: '/me', tokensFile, users, seconds });
    context.tell(`${server.name}: ${describeRate(result)}`);
    return result;
  });
  if (comparison === undefined) {
    throw new Error('nothing was compared');
  }
  return describeComparison(
    `warm small GET, ${many.sessions} sessions against ${FEW}`,
    comparison,
    many.sessions === AIMED ? MIN_THROUGHPUT : undefined,
  );
}

/** The resident bytes of a gateway that nobody called for a while. */
async function rest({ process: { pid } }: MeasuredServer): Promise<number> {
  await pause(REST_SECONDS * 1_000);
  return readResidentMemory(pid);
}

/** Bytes that are resident after the rounds of load. */
interface LaterMemory {
  readonly underLoad: number;
  /** After a rest, in which nobody called; `undefined` without one. */
  readonly rested: number | undefined;
}

function describeMemory({ sessions: count, memory }: FilledGateway, few: FilledGateway, later: LaterMemory): Row {
  const { idle, filled } = memory;
  const { underLoad, rested } = later;
  // What the first requests alone make of the heap belongs to no session.
  const each = Math.round((filled - few.memory.filled) / (count - FEW));
  const most = Math.max(filled, underLoad);
  return {
    figure: `resident memory with ${count} sessions, each with one downstream token of 1.5 kB`,
    aim: count === AIMED ? `≤ ${inMegabytes(MAX_MEMORY)}` : '',
    seen: inMegabytes(most),
    ...(count === AIMED ? { isMet: most <= MAX_MEMORY } : {}),
    details:
      `${inMegabytes(idle)} before the first, ${inMegabytes(filled)} after the last, ` +
      `${inMegabytes(underLoad)} after the rounds of load` +
      (rested === undefined ? '' : `, ${inMegabytes(rested)} after ${REST_SECONDS} s more without requests`) +
      `; ${each} bytes for each session more than ${FEW}`,
  };
}

function tellSize(row: Row, { isQuick }: CaseContext): Row {
  return isQuick ? { ...row, details: `${row.details}; a full run has ${MANY.join(' and ')} sessions` } : row;
}

function inMegabytes(bytes: number): string {
  return `${Math.round(bytes / MEGA)} MB`;
}
