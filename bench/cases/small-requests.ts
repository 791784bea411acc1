import type { CaseContext, Row } from '../case.ts';
import { visitWithEach } from '../load/visit.ts';
import { runWrk, type WrkResult } from '../load/wrk.ts';
import { alternate, medianOf, ratioOf, type Compare, type Comparison } from '../measure/rounds.ts';
import type { MeasuredServer } from '../servers/server.ts';
import type { Surroundings } from '../surroundings.ts';

/** Who sends the requests, and how servers are compared. */
export interface SmallRequests {
  readonly users: number;
  /** For each process that serves; default 64. */
  readonly connections?: number;
  /** True for a new connection for each request; default false. */
  readonly closes?: boolean;
  /** Default {@link alternate}. */
  readonly compare?: Compare;
}

/** Lets all users come by once, and then measures `GET /me`. */
export async function compareSmallRequests(
  context: CaseContext,
  surroundings: Surroundings,
  ours: MeasuredServer,
  peers: readonly MeasuredServer[],
  { users, connections: each = 64, closes, compare = alternate }: SmallRequests,
): Promise<Comparison<WrkResult>[]> {
  const { tokensFile } = surroundings.assertions;
  for (const { name, origin } of [ours, ...peers]) {
    context.tell(`${users} users come to ${name} for the first time`);
    await visitWithEach({ url: `${origin}/me`, tokensFile, count: users });
  }
  return compare(ours, peers, context, async (server, seconds) => {
    const connections = each * (server.workers ?? 1);
    const result = await runWrk({ server, path: '/me', tokensFile, users, connections, closes, seconds });
    context.tell(`${server.name}: ${describeRate(result)}`);
    return result;
  });
}

/** A row of the table: the ratio of the throughputs, with both and their latencies. */
export function describeComparison(figure: string, comparison: Comparison<WrkResult>, aim?: number): Row {
  const ratio = compareRates(comparison);
  return {
    figure,
    aim: aim === undefined ? '' : `≥ ${formatAim(aim)}`,
    seen: ratio.toFixed(2),
    ...(aim === undefined ? {} : { isMet: ratio >= aim }),
    cpuRatio: compareCpu(comparison),
    details: describeBoth(comparison),
  };
}

/** A row of the table: the ratio of the CPU times for a request, with the throughputs that belong to them. */
export function describeCpuComparison(figure: string, comparison: Comparison<WrkResult>, maxRatio?: number): Row {
  const cpuRatio = compareCpu(comparison);
  return {
    figure,
    aim: maxRatio === undefined ? '' : `≤ ${maxRatio}`,
    seen: cpuRatio.toFixed(2),
    ...(maxRatio === undefined ? {} : { isMet: cpuRatio <= maxRatio }),
    cpuRatio,
    details: describeBoth(comparison),
  };
}

/**
 * A row of the table for servers that were measured at the same time: the ratio of the throughputs that each would have
 * with a whole core, as the CPU times for a request give it.
 */
export function describeSideBySide(figure: string, comparison: Comparison<WrkResult>, minRatio?: number): Row {
  const cpuRatio = compareCpu(comparison);
  const ratio = 1 / cpuRatio;
  return {
    figure,
    aim: minRatio === undefined ? '' : `≥ ${minRatio}`,
    seen: ratio.toFixed(2),
    ...(minRatio === undefined ? {} : { isMet: ratio >= minRatio }),
    cpuRatio,
    details: `at the same time, by the CPU: ${describeBoth(comparison)}`,
  };
}

/** The gateway's throughput in that of the peer. */
export function compareRates(comparison: Comparison<WrkResult>): number {
  return ratioOf(comparison, ({ requestsPerSecond }) => requestsPerSecond);
}

function compareCpu(comparison: Comparison<WrkResult>): number {
  return ratioOf(comparison, ({ cpuPerRequest }) => cpuPerRequest);
}

/** An aim that is itself made from what was measured has more digits than count. */
function formatAim(aim: number): string {
  return String(Number(aim.toFixed(2)));
}

function describeBoth({ ours, peers }: Comparison<WrkResult>): string {
  return `${describeRounds(ours)}; there ${describeRounds(peers)}`;
}

function describeRounds(rounds: readonly WrkResult[]): string {
  return describeRate({
    requestsPerSecond: medianOf(rounds, (round) => round.requestsPerSecond),
    p50: medianOf(rounds, (round) => round.p50),
    p99: medianOf(rounds, (round) => round.p99),
    cpuPerRequest: medianOf(rounds, (round) => round.cpuPerRequest),
  });
}

/** The throughput, the latencies and the CPU time in words; a share far below 100 % says that something else was the limit. */
export function describeRate({ requestsPerSecond, p50, p99, cpuPerRequest }: WrkResult): string {
  const times = `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
  const share = Math.round((requestsPerSecond * cpuPerRequest) / 10_000);
  return `${Math.round(requestsPerSecond)}/s (${times}, ${Math.round(cpuPerRequest)} µs of CPU each, ${share} % of its core)`;
}
