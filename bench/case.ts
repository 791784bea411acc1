import type { Assertions } from './assertions.ts';
import type { QuietRounds } from './measure/quiet-rounds.ts';
import type { Pace } from './measure/rounds.ts';

/** One line of the table. */
export interface Row {
  readonly figure: string;
  /** Design §12; empty for figures without an aim. */
  readonly aim: string;
  readonly seen: string;
  /** The server's CPU time for one request in that of the peer; left out where no peer is compared. */
  readonly cpuRatio?: number;
  /** Whether the aim is met; left out without an aim. */
  readonly isMet?: boolean;
  /** What the figure is made from. */
  readonly details: string;
}

/** What a case works with. */
export interface CaseContext {
  readonly pace: Pace;
  /** For comparisons without an aim, where a case has many. */
  readonly shortPace: Pace;
  /** Measures again what the neighbours of the machine disturbed. */
  readonly quiet: QuietRounds;
  /** True for a short try, in which counts are smaller too. */
  readonly isQuick: boolean;
  /** The folder of another checkout of the gateway, for the case that compares with one. */
  readonly otherCheckout: string | undefined;
  /** A folder of the run's own, removed at its end. */
  readonly folder: string;
  /** The tokens of at least as many users. */
  readonly assertions: (count: number) => Promise<Assertions>;
  /** Tells the one who waits what happens. */
  readonly tell: (line: string) => void;
}

/** One question of the bench and how it is answered. */
export interface BenchCase {
  readonly name: string;
  readonly question: string;
  readonly run: (context: CaseContext) => Promise<readonly Row[]>;
}
