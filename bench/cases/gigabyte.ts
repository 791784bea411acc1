import type { BenchCase, Row } from '../case.ts';
import { visitWithEach } from '../load/visit.ts';
import { readPeakMemory, readResidentMemory, resetPeakMemory, untilIdle } from '../measure/process-figures.ts';
import { LOAD_CORE, startPinned } from '../servers/child-process.ts';
import { startGateway } from '../servers/gateway.ts';
import type { MeasuredServer } from '../servers/server.ts';
import { runTypeScript } from '../servers/typescript.ts';
import { GIGABYTE, startSurroundings } from '../surroundings.ts';

/** Bytes. */
const AIM = 48 * 1024 * 1024;

/** The memory that a long stream takes. */
export const gigabyte: BenchCase = {
  name: 'gigabyte',
  question: 'How much memory does a stream of 1 GB take, either way?',
  run: async (context) => {
    const surroundings = await startSurroundings(context, 100);
    const { tokensFile } = surroundings.assertions;
    const rows: Row[] = [];
    for (const [direction, path] of [
      ['up', '/upload'],
      ['down', `/bytes/${GIGABYTE}`],
    ] as const) {
      const gateway = await startGateway(surroundings);
      await visitWithEach({ url: `${gateway.origin}/me`, tokensFile, count: 100 });
      rows.push(await measureStream(gateway, direction, path, tokensFile));
      await gateway.process.stop();
    }
    return rows;
  },
};

async function measureStream(
  { origin, process: { pid } }: MeasuredServer,
  direction: 'up' | 'down',
  path: string,
  tokensFile: string,
): Promise<Row> {
  await untilIdle(pid);
  const idle = readResidentMemory(pid);
  resetPeakMemory(pid);
  const startedAt = performance.now();
  const client = await startPinned({
    name: 'the stream',
    core: LOAD_CORE,
    ...runTypeScript('stream.ts', direction, `${origin}${path}`, tokensFile, GIGABYTE),
    stdout: 'pipe',
  });
  const { status, arrived } = JSON.parse(await client.output(120)) as { status: number; arrived: number };
  const seconds = (performance.now() - startedAt) / 1_000;
  if (status !== 200 || arrived !== GIGABYTE) {
    throw new Error(`of 1 GB ${direction}, ${arrived} bytes arrived, with ${status}`);
  }
  const above = readPeakMemory(pid) - idle;
  return {
    figure: `1 GB ${direction}, peak of memory above idle`,
    aim: `≤ ${inMebibytes(AIM)}`,
    seen: inMebibytes(above),
    isMet: above <= AIM,
    details: `idle ${inMebibytes(idle)}; ${Math.round(GIGABYTE / seconds / 1_000_000)} MB/s with the start of the client`,
  };
}

function inMebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MB`;
}
