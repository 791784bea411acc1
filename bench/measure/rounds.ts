import type { MeasuredServer } from '../servers/server.ts';
import { untilIdle } from './process-figures.ts';

/** How long and how often everything is measured. */
export interface Pace {
  readonly rounds: number;
  /** Seconds of one round. */
  readonly seconds: number;
  /** Seconds of load on each server before the first round, for the compilers in V8; 0 for none. */
  readonly warmUpSeconds: number;
}

/** What the rounds of one peer showed. */
export interface Comparison<Result> {
  readonly peer: MeasuredServer;
  readonly peers: readonly Result[];
  /** The rounds of the gateway that followed each of the peer's. */
  readonly ours: readonly Result[];
}

/**
 * Measures the gateway and its peers in turn: a peer, the gateway, the next peer, the gateway, … Whatever the machine
 * does meanwhile meets both sides of each pair.
 */
export async function alternate<Result>(
  ours: MeasuredServer,
  peers: readonly MeasuredServer[],
  pace: Pace,
  measure: (server: MeasuredServer, seconds: number) => Promise<Result>,
): Promise<Comparison<Result>[]> {
  const servers = [ours, ...peers];
  const measureAlone = async (server: MeasuredServer, seconds: number): Promise<Result> => {
    await Promise.all(servers.map(({ process }) => untilIdle(process.pid)));
    const result = await measure(server, seconds);
    server.process.demandAlive();
    return result;
  };
  if (pace.warmUpSeconds > 0) {
    for (const server of servers) {
      await measureAlone(server, pace.warmUpSeconds);
    }
  }
  const comparisons = peers.map((peer) => ({ peer, peers: [] as Result[], ours: [] as Result[] }));
  for (let round = 0; round < pace.rounds; round += 1) {
    for (const comparison of comparisons) {
      comparison.peers.push(await measureAlone(comparison.peer, pace.seconds));
      comparison.ours.push(await measureAlone(ours, pace.seconds));
    }
  }
  return comparisons;
}

/** The middle of the values, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The median of one figure of all rounds. */
export function medianOf<Result>(rounds: readonly Result[], figure: (round: Result) => number): number {
  return median(rounds.map(figure));
}

/** The median of the ratios of each pair of rounds, ours to the peer's. */
export function ratioOf<Result>({ peers, ours }: Comparison<Result>, figure: (round: Result) => number): number {
  return median(ours.map((round, index) => figure(round) / figure(peers[index] as Result)));
}
