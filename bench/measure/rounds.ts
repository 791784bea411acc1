import type { MeasuredServer } from '../servers/server.ts';
import { median } from './median.ts';
import { untilIdle } from './process-figures.ts';
import type { QuietRounds } from './quiet-rounds.ts';

/** How long and how often everything is measured. */
export interface Pace {
  readonly rounds: number;
  /** Seconds of one round. */
  readonly seconds: number;
  /** Seconds of load on each server before the first round, for the compilers in V8; 0 for none. */
  readonly warmUpSeconds: number;
}

/** How rounds are measured. */
export interface Pacing {
  readonly pace: Pace;
  /** Measures a pair of rounds again that the neighbours of the machine disturbed. */
  readonly quiet: QuietRounds;
}

/** What the rounds of one peer showed. */
export interface Comparison<Result> {
  readonly peer: MeasuredServer;
  readonly peers: readonly Result[];
  /** The round of the gateway beside each of the peer's: after it, or at the same time. */
  readonly ours: readonly Result[];
}

/** Measures one server for some seconds. */
type Measure<Result> = (server: MeasuredServer, seconds: number) => Promise<Result>;

/** A way to measure the gateway beside each of its peers. */
export type Compare = <Result>(
  ours: MeasuredServer,
  peers: readonly MeasuredServer[],
  pacing: Pacing,
  measure: Measure<Result>,
) => Promise<Comparison<Result>[]>;

/**
 * Measures the gateway and its peers in turn: a peer, the gateway, the next peer, the gateway, … Each has its core to
 * itself, as in service. What the machine does meets both sides of a pair only if it lasts.
 */
export const alternate: Compare = async (ours, peers, pacing, measure) => {
  const { pace } = pacing;
  const measureAlone = await warmUp([ours, ...peers], pace, measure);
  return compareRounds(peers, pacing, async (peer) => [
    await measureAlone(peer, pace.seconds),
    await measureAlone(ours, pace.seconds),
  ]);
};

/**
 * Measures the gateway and each of its peers at the same time, on the core that they share: whatever the machine does
 * meets both sides alike. Only the CPU time of a request can be compared, since each gets a part of the core.
 */
export const sideBySide: Compare = async (ours, peers, pacing, measure) => {
  const { pace } = pacing;
  const servers = [ours, ...peers];
  await warmUp(servers, pace, measure);
  return compareRounds(peers, pacing, async (peer) => {
    await untilAllIdle(servers);
    return Promise.all([measureAlive(peer, pace.seconds, measure), measureAlive(ours, pace.seconds, measure)]);
  });
};

/**
 * Measures each server once for the time of the warm-up, in which each of its workers gets as much as a single process.
 *
 * @returns measures one of them while all others are idle
 */
async function warmUp<Result>(
  servers: readonly MeasuredServer[],
  { warmUpSeconds }: Pace,
  measure: Measure<Result>,
): Promise<Measure<Result>> {
  const measureAlone: Measure<Result> = async (server, seconds) => {
    await untilAllIdle(servers);
    return measureAlive(server, seconds, measure);
  };
  if (warmUpSeconds > 0) {
    for (const server of servers) {
      await measureAlone(server, warmUpSeconds * (server.workers ?? 1));
    }
  }
  return measureAlone;
}

async function untilAllIdle(servers: readonly MeasuredServer[]): Promise<void> {
  await Promise.all(servers.map(({ process }) => untilIdle(process.pid)));
}

/** @throws {Error} when the server has ended */
async function measureAlive<Result>(
  server: MeasuredServer,
  seconds: number,
  measure: Measure<Result>,
): Promise<Result> {
  const result = await measure(server, seconds);
  server.process.demandAlive();
  return result;
}

/** @param measurePair gives what the peer showed, and what the gateway did */
async function compareRounds<Result>(
  peers: readonly MeasuredServer[],
  { pace, quiet }: Pacing,
  measurePair: (peer: MeasuredServer) => Promise<readonly [Result, Result]>,
): Promise<Comparison<Result>[]> {
  const comparisons = peers.map((peer) => ({ peer, peers: [] as Result[], ours: [] as Result[] }));
  for (let round = 0; round < pace.rounds; round += 1) {
    for (const { peer, peers: theirs, ours } of comparisons) {
      const [their, our] = await quiet.measure(() => measurePair(peer));
      theirs.push(their);
      ours.push(our);
    }
  }
  return comparisons;
}

/** The median of one figure of all rounds. */
export function medianOf<Result>(rounds: readonly Result[], figure: (round: Result) => number): number {
  return median(rounds.map(figure));
}

/** The median of the ratios of each pair of rounds, ours to the peer's. */
export function ratioOf<Result>({ peers, ours }: Comparison<Result>, figure: (round: Result) => number): number {
  return median(ours.map((round, index) => figure(round) / figure(peers[index] as Result)));
}
