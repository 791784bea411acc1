import type { BenchCase } from '../case.ts';
import { sideBySide } from '../measure/rounds.ts';
import { startGateway } from '../servers/gateway.ts';
import { startOtlpReceiver } from '../servers/otlp-receiver.ts';
import { makeUntracedBuild } from '../servers/untraced-build.ts';
import { startSurroundings } from '../surroundings.ts';
import { compareSmallRequests, describeSideBySide } from './small-requests.ts';

const REQUESTS = { users: 100, compare: sideBySide };

/** How much of the throughput without traces stays, by the share of requests that are sampled. */
const SHARES = [
  { share: '0.01', aim: 0.95 },
  { share: '1', aim: undefined },
] as const;

/** The least throughput with traces off, in that of a build without their code. */
const MIN_WHEN_OFF = 0.99;

/** What it costs to trace, and to be able to. */
export const tracing: BenchCase = {
  name: 'tracing',
  question: 'What does it cost to send traces, and what when none are sent?',
  run: async (context) => {
    const surroundings = await startSurroundings(context, REQUESTS.users);
    const receiver = await startOtlpReceiver();
    const off = await startGateway(surroundings, { name: 'gateway without traces' });
    const untraced = await startGateway(surroundings, {
      name: 'gateway without the code of traces',
      program: await makeUntracedBuild(context.folder),
    });
    const rows = (await compareSmallRequests(context, surroundings, off, [untraced], REQUESTS)).map((comparison) =>
      describeSideBySide('warm small GET, traces off against a build without their code', comparison, MIN_WHEN_OFF),
    );
    await untraced.process.stop();
    for (const { share, aim } of SHARES) {
      const name = `gateway that traces ${Number(share) * 100} %`;
      const env = {
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.origin}/v1/traces`,
        OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
        OTEL_TRACES_SAMPLER_ARG: share,
      };
      const on = await startGateway(surroundings, { name, env });
      const comparisons = await compareSmallRequests(context, surroundings, on, [off], REQUESTS);
      const figure = `warm small GET, ${Number(share) * 100} % traced against no traces`;
      rows.push(...comparisons.map((comparison) => describeSideBySide(figure, comparison, aim)));
    }
    return rows;
  },
};
