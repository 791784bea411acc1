import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase, CaseContext, Row } from '../case.ts';
import { holdConnections, type HoldOptions } from '../load/hold.ts';
import { visitWithEach } from '../load/visit.ts';
import { readResidentMemory, untilIdle } from '../measure/process-figures.ts';
import { median } from '../measure/median.ts';
import { startGateway } from '../servers/gateway.ts';
import { startSurroundings, type Surroundings } from '../surroundings.ts';

const USERS = 100;

/** Each visits so often before anything is measured, because first requests make a heap that belongs to no caller. */
const WARM_UP_VISITS = 50;

/** Bytes of a body that never becomes complete. */
const HELD_BYTES = 1_000_000;

/** One thing that callers make the gateway keep. */
interface Burden {
  readonly figure: string;
  /** Two counts: their difference is what counts, so that what the first one brings in is left out. */
  readonly counts: readonly [few: number, many: number];
  readonly isAnswered: boolean;
  readonly makeBytes: (token: string) => Buffer;
}

const BURDENS: readonly Burden[] = [
  {
    figure: 'memory of an idle connection',
    counts: [500, 3_500],
    isAnswered: true,
    makeBytes: (token) => writeHead('GET /me', token),
  },
  {
    figure: 'memory of a request whose downstream has not answered yet',
    counts: [500, 2_500],
    isAnswered: false,
    makeBytes: (token) => writeHead('GET /held', token),
  },
  {
    figure: 'memory of 1 MB of a body that is held to be checked',
    counts: [10, 50],
    isAnswered: false,
    makeBytes: (token) =>
      Buffer.concat([
        writeHead('POST /checked', token, ['content-type: application/json', `content-length: ${HELD_BYTES + 1}`]),
        Buffer.from(`"${'x'.repeat(HELD_BYTES - 1)}`),
      ]),
  },
];

/** What callers cost in memory, and a request in bytes of the log. */
export const callers: BenchCase = {
  name: 'callers',
  question: 'What memory does a connection, a request and a body take, and what a request in the log?',
  run: async (context) => {
    const surroundings = await startSurroundings(context, USERS);
    const rows: Row[] = [];
    for (const burden of BURDENS) {
      rows.push(await weigh(burden, context, surroundings));
    }
    return [...rows, await weighLog(context, surroundings)];
  },
};

async function weigh(burden: Burden, context: CaseContext, surroundings: Surroundings): Promise<Row> {
  const { figure, counts } = burden;
  const [few, many] = counts;
  const weights: number[] = [];
  for (let round = 0; round < context.shortPace.rounds; round += 1) {
    const memory = [await fill(burden, few, surroundings), await fill(burden, many, surroundings)] as const;
    weights.push((memory[1] - memory[0]) / (many - few));
  }
  const kilobytes = median(weights) / 1_000;
  return {
    figure,
    aim: '',
    seen: `${kilobytes.toFixed(kilobytes < 100 ? 1 : 0)} kB`,
    details: `resident memory with ${many} less that with ${few}, median of ${weights.length} pairs of processes: ${weights.map((one) => (one / 1_000).toFixed(1)).join(', ')} kB`,
  };
}

/** The resident memory of a fresh gateway that has so much to keep, in bytes above that before. */
async function fill({ isAnswered, makeBytes }: Burden, count: number, surroundings: Surroundings): Promise<number> {
  const { tokensFile, first } = surroundings.assertions;
  const { process, origin } = await startGateway(surroundings);
  await visitWithEach({ url: `${origin}/me`, tokensFile, count: USERS, times: WARM_UP_VISITS });
  await untilIdle(process.pid);
  const before = readResidentMemory(process.pid);
  const options: HoldOptions = { origin, count, bytes: makeBytes(first), isAnswered };
  const held = await holdConnections(options);
  await untilIdle(process.pid);
  const after = readResidentMemory(process.pid);
  held.release();
  await process.stop();
  return after - before;
}

async function weighLog({ folder }: CaseContext, surroundings: Surroundings): Promise<Row> {
  const logFile = join(folder, 'callers.log');
  const { tokensFile } = surroundings.assertions;
  const { process, origin } = await startGateway(surroundings, { logFile });
  await visitWithEach({ url: `${origin}/me`, tokensFile, count: USERS, times: WARM_UP_VISITS });
  await untilIdle(process.pid);
  const bytes = statSync(logFile).size;
  const lines = readFileSync(logFile, 'utf8').split('\n').length - 1;
  await process.stop();
  return {
    figure: 'bytes of the log for a request',
    aim: '',
    seen: `${Math.round(bytes / lines)} bytes`,
    details: `${lines} lines; callers without a user agent and without traceparent, which add up to 200 and 45 bytes`,
  };
}

function writeHead(start: string, token: string, more: readonly string[] = []): Buffer {
  const lines = [`${start} HTTP/1.1`, 'host: 127.0.0.1', `authorization: Bearer ${token}`, ...more, '', ''];
  return Buffer.from(lines.join('\r\n'));
}
