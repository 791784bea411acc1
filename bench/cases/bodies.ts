import type { BenchCase, CaseContext, Row } from '../case.ts';
import { visitWithEach } from '../load/visit.ts';
import { runWrk } from '../load/wrk.ts';
import { alternate } from '../measure/rounds.ts';
import { startGateway } from '../servers/gateway.ts';
import { startBareProxy, startExpressProxy, startReplyFrom, startVerifyingHaproxy } from '../servers/peers.ts';
import type { MeasuredServer } from '../servers/server.ts';
import { MEGABYTE, startSurroundings, type Surroundings } from '../surroundings.ts';
import { describeComparison, describeRate } from './small-requests.ts';

/** wrk keeps one request for each user in memory, with its body. */
const USERS = 16;

interface Transfer {
  readonly figure: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Bytes. */
  readonly bodySize: number;
  readonly downstream: 'fast' | 'stream';
  /** The least throughput in that of HAProxy. */
  readonly minOfHaproxy: number;
}

const TRANSFERS: readonly Transfer[] = [
  { figure: '4 kB down', method: 'GET', path: '/4k', bodySize: 0, downstream: 'fast', minOfHaproxy: 0.9 },
  { figure: '4 kB up', method: 'POST', path: '/discard', bodySize: 4_096, downstream: 'fast', minOfHaproxy: 0.8 },
  {
    figure: '1 MB down',
    method: 'GET',
    path: `/bytes/${MEGABYTE}`,
    bodySize: 0,
    downstream: 'stream',
    minOfHaproxy: 0.95,
  },
  { figure: '1 MB up', method: 'POST', path: '/upload', bodySize: MEGABYTE, downstream: 'stream', minOfHaproxy: 0.95 },
];

/** The throughput of requests and answers with bodies. */
export const bodies: BenchCase = {
  name: 'bodies',
  question: 'How fast do bodies of 4 kB and 1 MB go through, either way?',
  run: async (context) => {
    const surroundings = await startSurroundings(context, USERS);
    const ours = await startGateway(surroundings);
    const haproxy = await startVerifyingHaproxy(surroundings);
    const others: MeasuredServer[] = [];
    for (const start of [startBareProxy, startReplyFrom, startExpressProxy]) {
      others.push(await start(surroundings));
    }
    const { tokensFile } = surroundings.assertions;
    await visitWithEach({ url: `${ours.origin}/4k`, tokensFile, count: USERS });
    await visitWithEach({ url: `${ours.origin}/bytes/${MEGABYTE}`, tokensFile, count: USERS });
    const rows: Row[] = [];
    for (const transfer of TRANSFERS) {
      rows.push(...(await compareTransfers(context, surroundings, transfer, { ours, haproxy, others })));
    }
    return rows;
  },
};

interface Servers {
  readonly ours: MeasuredServer;
  /** Measured at the full pace, because aims are set against it. */
  readonly haproxy: MeasuredServer;
  readonly others: readonly MeasuredServer[];
}

async function compareTransfers(
  context: CaseContext,
  surroundings: Surroundings,
  transfer: Transfer,
  { ours, haproxy, others }: Servers,
): Promise<Row[]> {
  const { figure, downstream, minOfHaproxy, ...request } = transfer;
  const { tokensFile } = surroundings.assertions;
  const run = async (server: MeasuredServer, seconds: number) => {
    const result = await runWrk({ ...request, server, tokensFile, users: USERS, seconds });
    context.tell(`${figure}, ${server.name}: ${describeRate(result)}`);
    return result;
  };
  const short = { ...context, pace: context.shortPace };
  const alone = await context.quiet.measure(() => run(surroundings.downstream[downstream], short.pace.seconds));
  const comparisons = [
    ...(await alternate(ours, [haproxy], context, run)),
    ...(await alternate(ours, others, short, run)),
  ];
  return comparisons.map((comparison) => {
    const aim = comparison.peer === haproxy ? minOfHaproxy : undefined;
    const row = describeComparison(`${figure}, against ${comparison.peer.name}`, comparison, aim);
    return { ...row, details: `${row.details}; the downstream alone ${Math.round(alone.requestsPerSecond)}/s` };
  });
}
