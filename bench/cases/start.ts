import type { BenchCase } from '../case.ts';
import { median } from '../measure/median.ts';
import type { Watch } from '../measure/quiet-rounds.ts';
import { startGateway } from '../servers/gateway.ts';
import { startSurroundings, type Surroundings } from '../surroundings.ts';

/** Milliseconds. */
const AIM = 500;

/** The time from the start of the process to its first `/readyz` with 200. */
export const start: BenchCase = {
  name: 'start',
  question: 'How long does it take from the start until the gateway is ready?',
  run: async (context) => {
    const surroundings = await startSurroundings(context, 100);
    const times: number[] = [];
    for (let round = 0; round < context.pace.rounds; round += 1) {
      times.push(await context.quiet.measureParts((watch) => startOnce(surroundings, watch)));
    }
    const time = median(times);
    return [
      {
        figure: 'start to ready',
        aim: `≤ ${AIM / 1_000} s`,
        seen: `${Math.round(time)} ms`,
        isMet: time <= AIM,
        details: `${times.length} starts: ${times.map((one) => Math.round(one)).join(', ')} ms`,
      },
    ];
  },
};

/** The milliseconds of one start. */
async function startOnce(surroundings: Surroundings, watch: Watch): Promise<number> {
  const { process } = await watch(() => startGateway(surroundings, { pauseBetween: 2 }));
  const time = performance.now() - process.startedAt;
  await process.stop();
  return time;
}
