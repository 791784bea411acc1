import type { BenchCase, CaseContext, Row } from '../case.ts';
import { sendAtRate, type FixedRateResult } from '../load/fixed-rate.ts';
import { visitWithEach } from '../load/visit.ts';
import { runWrk } from '../load/wrk.ts';
import { alternate, measureRounds, medianOf, ratioOf, type Comparison, type Pacing } from '../measure/rounds.ts';
import { startGateway } from '../servers/gateway.ts';
import { startBareProxy, startVerifyingHaproxy } from '../servers/peers.ts';
import type { MeasuredServer } from '../servers/server.ts';
import { MEGABYTE, startSurroundings, type Surroundings } from '../surroundings.ts';

const USERS = 100;

/** The share of the gateway's own throughput at which everyone is measured. */
const SHARE = 0.5;

interface Answer {
  readonly figure: string;
  readonly path: string;
  readonly connections: number;
  readonly pace: 'pace' | 'shortPace';
  /** The most of the gateway's p99 in that of HAProxy. */
  readonly maxOfHaproxy?: number;
}

const ANSWERS: readonly Answer[] = [
  { figure: 'a warm small GET', path: '/me', connections: 64, pace: 'pace', maxOfHaproxy: 2 },
  { figure: '4 kB down', path: '/4k', connections: 64, pace: 'shortPace' },
  { figure: '1 MB down', path: `/bytes/${MEGABYTE}`, connections: 16, pace: 'shortPace' },
];

/** How long answers take when there is room left. */
export const latency: BenchCase = {
  name: 'latency',
  question: 'How long do answers take at half of the throughput?',
  run: async (context) => {
    const surroundings = await startSurroundings(context, USERS);
    const { tokensFile } = surroundings.assertions;
    const ours = await startGateway(surroundings);
    const haproxy = await startVerifyingHaproxy(surroundings);
    const peers = [haproxy, await startBareProxy(surroundings)];
    const rows: Row[] = [];
    for (const answer of ANSWERS) {
      await visitWithEach({ url: `${ours.origin}${answer.path}`, tokensFile, count: USERS });
      const paced = { ...context, pace: context[answer.pace] };
      const requestsPerSecond = await findRate(answer, paced, surroundings, ours);
      const comparisons = await alternate(ours, peers, paced, async (server, seconds) => {
        const { path, connections } = answer;
        const options = { server, path, tokensFile, users: USERS, connections, requestsPerSecond, seconds };
        const result = await sendAtRate(options);
        tellRound(context, server, result);
        return result;
      });
      rows.push(
        ...comparisons.map((comparison) => {
          const max = comparison.peer === haproxy ? answer.maxOfHaproxy : undefined;
          return describeLatency(answer.figure, requestsPerSecond, comparison, max);
        }),
      );
    }
    return rows;
  },
};

/** Lets wrk find out what the gateway can do: one round alone could be far from what others show. */
async function findRate(
  { path, connections }: Answer,
  pacing: Pacing,
  { assertions: { tokensFile } }: Surroundings,
  gateway: MeasuredServer,
): Promise<number> {
  const rounds = await measureRounds(gateway, pacing, (server, seconds) =>
    runWrk({ server, path, tokensFile, users: USERS, connections, seconds }),
  );
  return Math.round(medianOf(rounds, ({ requestsPerSecond }) => requestsPerSecond) * SHARE);
}

function tellRound({ tell }: CaseContext, { name }: MeasuredServer, result: FixedRateResult): void {
  tell(`${name}: ${describeRounds([result])}`);
}

function describeLatency(
  figure: string,
  requestsPerSecond: number,
  comparison: Comparison<FixedRateResult>,
  max?: number,
): Row {
  const { peer, ours, peers } = comparison;
  const ratio = ratioOf(comparison, ({ p99 }) => p99);
  return {
    figure: `p99 of ${figure} at half of the gateway's throughput, against ${peer.name}`,
    aim: max === undefined ? '' : `≤ ${max}`,
    seen: ratio.toFixed(2),
    ...(max === undefined ? {} : { isMet: ratio <= max && countMissed([...ours, ...peers]) === 0 }),
    cpuRatio: ratioOf(comparison, ({ cpuPerRequest }) => cpuPerRequest),
    details: `${requestsPerSecond}/s for each: ${describeRounds(ours)}; there ${describeRounds(peers)}`,
  };
}

function describeRounds(rounds: readonly FixedRateResult[]): string {
  const p50 = medianOf(rounds, (round) => round.p50).toFixed(1);
  const p99 = medianOf(rounds, (round) => round.p99).toFixed(1);
  const cpu = Math.round(medianOf(rounds, ({ cpuPerRequest }) => cpuPerRequest));
  const missed = countMissed(rounds);
  const jam = missed === 0 ? '' : `, the rate was not kept in ${missed} of ${rounds.length} rounds`;
  return `p50 ${p50} ms, p99 ${p99} ms, ${cpu} µs of CPU each${jam}`;
}

/** A round in which the rate was not kept says nothing of it. */
function countMissed(rounds: readonly FixedRateResult[]): number {
  return rounds.filter(({ isKept }) => !isKept).length;
}
