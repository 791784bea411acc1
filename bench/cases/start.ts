import type { BenchCase } from '../case.ts';
import { median } from '../measure/rounds.ts';
import { startGateway } from '../servers/gateway.ts';
import { startSurroundings } from '../surroundings.ts';

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
      const { process } = await startGateway(surroundings, { pauseBetween: 2 });
      times.push(performance.now() - process.startedAt);
      await process.stop();
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
