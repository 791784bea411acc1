import { setTimeout as wait } from 'node:timers/promises';
import { median } from './median.ts';
import { readProcessorTimes, shareStolen, type ProcessorTimes, type Span } from './stolen-time.ts';

/** What is measured counts as disturbed when others had more than this share of the time for which processors were wanted. */
export const MAX_STOLEN = 0.02;

/** Seconds before each further attempt: most neighbours are done soon, some take minutes. */
const PAUSES: readonly number[] = [2, 5, 10, 20, 30];

/** How long the pauses and the further attempts of a run may take; the last attempt may exceed it. */
export interface RepeatBudget {
  /** Seconds that are there from the start. */
  readonly reserve: number;
  /** Seconds more for each that is watched, so that the first cases do not spend what the last ones need. */
  readonly perSecond: number;
}

/** How long to wait for a quiet machine, and what tests replace. */
export interface QuietRoundsOptions {
  readonly budget: RepeatBudget;
  readonly tell: (line: string) => void;
  /** Default {@link readProcessorTimes}. */
  readonly readTimes?: () => ProcessorTimes;
  /** Waits so many milliseconds. */
  readonly pause?: (duration: number) => Promise<unknown>;
  /** Milliseconds; default `performance.now`. */
  readonly now?: () => number;
}

/** Runs a part of an attempt for which it matters whether the machine was quiet. */
export type Watch = <Part>(part: () => Promise<Part>) => Promise<Part>;

interface Attempt<Result> {
  readonly result: Result;
  /** From 0 to 1; `undefined` where the kernel does not tell it. */
  readonly stolen: number | undefined;
  /** Milliseconds of the parts that were watched. */
  readonly watched: number;
  readonly isUsable: boolean;
}

/** Measures again what the neighbours of a virtual machine disturbed, and keeps account of how much they took. */
export class QuietRounds {
  readonly #tell: (line: string) => void;
  readonly #readTimes: () => ProcessorTimes;
  readonly #pause: (duration: number) => Promise<unknown>;
  readonly #now: () => number;
  readonly #perSecond: number;
  /** Milliseconds. */
  #budgetLeft: number;
  /** The shares of what counts. */
  readonly #stolen: number[] = [];
  #isTold = true;
  #repeated = 0;

  constructor({
    budget,
    tell,
    readTimes = readProcessorTimes,
    pause = wait,
    now = () => performance.now(),
  }: QuietRoundsOptions) {
    this.#perSecond = budget.perSecond;
    this.#budgetLeft = budget.reserve * 1_000;
    this.#tell = tell;
    this.#readTimes = readTimes;
    this.#pause = pause;
    this.#now = now;
  }

  /**
   * Measures once, and some more times while the machine was disturbed and the budget lasts.
   *
   * @returns what the least disturbed attempt showed
   * @throws {Error} what an attempt throws: a fault is no disturbance
   */
  measure<Result>(attempt: () => Promise<Result>): Promise<Result> {
    return this.measureParts((watch) => watch(attempt));
  }

  /**
   * Does the same where only parts of an attempt count, not what prepares them, such as the start of processes.
   *
   * @param attempt watches each part that counts
   * @param isUsable false for a result that says nothing, of an attempt that is to be made again even if nobody disturbed it
   * @returns what the least disturbed of the usable attempts showed, or of all when none was usable
   * @throws {Error} what an attempt throws: a fault is no disturbance
   */
  async measureParts<Result>(
    attempt: (watch: Watch) => Promise<Result>,
    isUsable: (result: Result) => boolean = () => true,
  ): Promise<Result> {
    let last = await this.#observe(attempt, isUsable);
    let best = last;
    let isRepeated = false;
    this.#budgetLeft += last.watched * this.#perSecond;
    for (const seconds of PAUSES) {
      const fault = findFault(last);
      if (fault === undefined || this.#budgetLeft <= 0) {
        break;
      }
      this.#tell(`${fault}: again in ${seconds} s`);
      const startedAt = this.#now();
      await this.#pause(seconds * 1_000);
      last = await this.#observe(attempt, isUsable);
      this.#budgetLeft -= this.#now() - startedAt;
      best = isBetter(last, best) ? last : best;
      isRepeated = true;
    }
    this.#note(best, isRepeated);
    return best.result;
  }

  async #observe<Result>(
    attempt: (watch: Watch) => Promise<Result>,
    isUsable: (result: Result) => boolean,
  ): Promise<Attempt<Result>> {
    const spans: Span[] = [];
    let watched = 0;
    const result = await attempt(async (part) => {
      const startedAt = this.#now();
      const before = this.#readTimes();
      const shown = await part();
      spans.push({ before, after: this.#readTimes() });
      watched += this.#now() - startedAt;
      return shown;
    });
    return { result, stolen: shareStolen(spans), watched, isUsable: isUsable(result) };
  }

  #note({ stolen }: Attempt<unknown>, isRepeated: boolean): void {
    this.#repeated += isRepeated ? 1 : 0;
    this.#isTold &&= stolen !== undefined;
    this.#stolen.push(stolen ?? 0);
  }

  /** What others took of all that counts, for the table of the machine. */
  describe(): string {
    const stolen = this.#stolen;
    if (stolen.length === 0) {
      return 'not observed';
    }
    if (!this.#isTold) {
      return 'unknown for some rounds, because /proc/stat told no number: they were not measured again for it';
    }
    const disturbed = stolen.filter((share) => share > MAX_STOLEN).length;
    return (
      `median ${inPercent(median(stolen))}, at most ${inPercent(Math.max(...stolen))} of the processors' time in the ` +
      `rounds that count; ${this.#repeated} of ${stolen.length} were measured again, ${disturbed} stayed above ` +
      `${MAX_STOLEN * 100} %`
    );
  }
}

/** Why an attempt should be made again; `undefined` where nothing is known against it. */
function findFault({ stolen = 0, isUsable }: Attempt<unknown>): string | undefined {
  if (stolen > MAX_STOLEN) {
    return `the machine was disturbed (${inPercent(stolen)} stolen)`;
  }
  return isUsable ? undefined : 'what was measured says nothing';
}

/** Being usable counts more than being quiet, and what is known to be quiet more than what is unknown. */
function isBetter(one: Attempt<unknown>, other: Attempt<unknown>): boolean {
  return one.isUsable === other.isUsable ? (one.stolen ?? Infinity) < (other.stolen ?? Infinity) : one.isUsable;
}

function inPercent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
