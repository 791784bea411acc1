import type { MeasuredServer } from '../servers/server.ts';
import { median } from './median.ts';
import { untilIdle } from './process-figures.ts';
import type { QuietRounds, Watch } from './quiet-rounds.ts';

/** How long and how often everything is measured. */
export interface Pace {
  readonly rounds: number;
  /** Seconds of one round. */
  readonly seconds: number;
  /** Seconds of load on each server before the first round, for the compilers in V8; 0 for none. */
  readonly warmUpSeconds: number;
  /** Seconds of the same load on a server just before each of its rounds in turn, which do not count; 0 for none. */
  readonly leadInSeconds: number;
}

/** How rounds are measured, and what tests replace. */
export interface Pacing {
  readonly pace: Pace;
  /** Measures a pair of rounds again that the neighbours of the machine disturbed. */
  readonly quiet: QuietRounds;
  /** Waits until a process is done with what came before; default {@link untilIdle}. */
  readonly settle?: (pid: number) => Promise<void>;
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
 *
 * A peer waits for the rounds of all others, the gateway for one. V8 gives back memory of a process that waits, so each
 * gets some load that does not count before its round: else who waits longer would begin colder.
 */
export const alternate: Compare = async (ours, peers, pacing, measure) => {
  const takeTurn = await warmUp([ours, ...peers], pacing, measure);
  return compareRounds(peers, pacing, async (peer, watch) => [
    await takeTurn(peer, watch),
    await takeTurn(ours, watch),
  ]);
};

/** Measures a server that has no peer: as many rounds as in turn, each of them as there. */
export async function measureRounds<Result>(
  server: MeasuredServer,
  pacing: Pacing,
  measure: Measure<Result>,
): Promise<Result[]> {
  const takeTurn = await warmUp([server], pacing, measure);
  const rounds: Result[] = [];
  while (rounds.length < pacing.pace.rounds) {
    rounds.push(await pacing.quiet.measureParts((watch) => takeTurn(server, watch)));
  }
  return rounds;
}

/**
 * Measures the gateway and each of its peers at the same time, on the core that they share: whatever the machine does
 * meets both sides alike. Only the CPU time of a request can be compared, since each gets a part of the core.
 *
 * Where there are several, a peer waits for the rounds of the others and the gateway for none, so that both get some load
 * that does not count before.
 */
export const sideBySide: Compare = async <Result>(
  ours: MeasuredServer,
  peers: readonly MeasuredServer[],
  pacing: Pacing,
  measure: Measure<Result>,
) => {
  const { seconds, leadInSeconds } = pacing.pace;
  const servers = [ours, ...peers];
  await warmUp(servers, pacing, measure);
  return compareRounds(peers, pacing, async (peer, watch) => {
    const measureBoth = async (duration: number): Promise<[Result, Result]> => {
      await settleAll(servers, pacing);
      return Promise.all([measureAlive(peer, duration, measure), measureAlive(ours, duration, measure)]);
    };
    if (peers.length > 1 && leadInSeconds > 0) {
      await measureBoth(leadInSeconds);
    }
    return watch(() => measureBoth(seconds));
  });
};

/** Measures one server while all others are idle. */
type TakeTurn<Result> = (server: MeasuredServer, watch: Watch) => Promise<Result>;

/**
 * Measures each server once for the time of the warm-up, in which each of its workers gets as much as a single process.
 * One in native code has no compilers to warm up.
 *
 * @returns measures one of them after its lead-in
 */
async function warmUp<Result>(
  servers: readonly MeasuredServer[],
  pacing: Pacing,
  measure: Measure<Result>,
): Promise<TakeTurn<Result>> {
  const { seconds, warmUpSeconds, leadInSeconds } = pacing.pace;
  const putUnderLoad: Measure<void> = async (server, duration) => {
    if (duration > 0) {
      await settleAll(servers, pacing);
      await measureAlive(server, duration, measure);
    }
  };
  for (const server of servers.filter(({ isNative }) => isNative !== true)) {
    await putUnderLoad(server, warmUpSeconds * (server.workers ?? 1));
  }
  return async (server, watch) => {
    await putUnderLoad(server, leadInSeconds);
    await settleAll(servers, pacing);
    return watch(() => measureAlive(server, seconds, measure));
  };
}

async function settleAll(servers: readonly MeasuredServer[], { settle = untilIdle }: Pacing): Promise<void> {
  await Promise.all(servers.map(({ process }) => settle(process.pid)));
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
  measurePair: (peer: MeasuredServer, watch: Watch) => Promise<readonly [Result, Result]>,
): Promise<Comparison<Result>[]> {
  const comparisons = peers.map((peer) => ({ peer, peers: [] as Result[], ours: [] as Result[] }));
  for (let round = 0; round < pace.rounds; round += 1) {
    for (const { peer, peers: theirs, ours } of comparisons) {
      const [their, our] = await quiet.measureParts((watch) => measurePair(peer, watch));
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
