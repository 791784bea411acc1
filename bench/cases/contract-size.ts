import type { BenchCase, CaseContext, Row } from '../case.ts';
import { readResidentMemory, untilIdle } from '../measure/process-figures.ts';
import { median } from '../measure/median.ts';
import type { Watch } from '../measure/quiet-rounds.ts';
import { startGateway } from '../servers/gateway.ts';
import type { Route } from '../servers/server.ts';
import { startSurroundings, type Surroundings } from '../surroundings.ts';

const COUNTS = [10, 1_000, 5_000];

/** What a large contract costs a process. */
export const contractSize: BenchCase = {
  name: 'contract-size',
  question: 'What does a large contract cost in time until ready and in memory?',
  run: async (context) => {
    const surroundings = await startSurroundings(context, 100);
    const rows: Row[] = [];
    for (const count of COUNTS) {
      rows.push(await startWith(count, context, surroundings));
    }
    return rows;
  },
};

async function startWith(count: number, { shortPace, quiet }: CaseContext, surroundings: Surroundings): Promise<Row> {
  const origin = surroundings.downstream.fast.origin;
  const routes = Array.from({ length: count }, (_, index): Route => ({
    method: 'post',
    path: `/r${index}`,
    origin,
    isBodyChecked: true,
  }));
  const starts: Start[] = [];
  for (let round = 0; round < shortPace.rounds; round += 1) {
    starts.push(await quiet.measureParts((watch) => startOnce({ ...surroundings, routes }, watch)));
  }
  const times = starts.map(({ time }) => time);
  const memory = starts.map(({ bytes }) => bytes);
  return {
    figure: `start to ready and memory with ${count} operations, each with a schema for its body`,
    aim: '',
    seen: `${Math.round(median(times))} ms, ${Math.round(median(memory) / 1_000_000)} MB`,
    details: `${times.length} starts: ${times.map((one) => Math.round(one)).join(', ')} ms`,
  };
}

interface Start {
  /** Milliseconds until it was ready. */
  readonly time: number;
  /** Resident bytes once it is idle. */
  readonly bytes: number;
}

async function startOnce(surroundings: Surroundings, watch: Watch): Promise<Start> {
  const { process } = await watch(() => startGateway(surroundings, { pauseBetween: 2 }));
  const time = performance.now() - process.startedAt;
  await untilIdle(process.pid);
  const bytes = readResidentMemory(process.pid);
  await process.stop();
  return { time, bytes };
}
