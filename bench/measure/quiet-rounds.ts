import { setTimeout as wait } from 'node:timers/promises';
import { median } from './median.ts';
import { readProcessorTimes, shareStolen, type ProcessorTimes } from './stolen-time.ts';

/** What is measured counts as disturbed when others had more than this share of the time for which processors were wanted. */
export const MAX_STOLEN = 0.02;

/** Seconds before each further attempt: most neighbours are done soon, some take minutes. */
const PAUSES: readonly number[] = [2, 5, 10, 20, 30];

/** How long the pauses and the further attempts of a run may take; the last attempt may exceed it. */
export interface RepeatBudget {
  /** Seconds that are there from the start. */
  readonly reserve: number;
  /** Seconds more for each that is measured, so that the first cases do not spend what the last ones need. */
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

interface Attempt<Result> {
  readonly result: Result;
  /** From 0 to 1. */
  readonly stolen: number;
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
  async measure<Result>(attempt: () => Promise<Result>): Promise<Result> {
    const startedAt = this.#now();
    const attempts = [await this.#observe(attempt)];
    this.#budgetLeft += (this.#now() - startedAt) * this.#perSecond;
    for (const seconds of PAUSES) {
      const { stolen } = attempts.at(-1) as Attempt<Result>;
      if (stolen <= MAX_STOLEN || this.#budgetLeft <= 0) {
        break;
      }
      this.#tell(`the machine was disturbed (${inPercent(stolen)} stolen): again in ${seconds} s`);
      attempts.push(await this.#repeat(attempt, seconds));
    }
    this.#repeated += attempts.length > 1 ? 1 : 0;
    const best = attempts.reduce((least, next) => (next.stolen < least.stolen ? next : least));
    this.#stolen.push(best.stolen);
    return best.result;
  }

  async #repeat<Result>(attempt: () => Promise<Result>, seconds: number): Promise<Attempt<Result>> {
    const startedAt = this.#now();
    await this.#pause(seconds * 1_000);
    const observed = await this.#observe(attempt);
    this.#budgetLeft -= this.#now() - startedAt;
    return observed;
  }

  async #observe<Result>(attempt: () => Promise<Result>): Promise<Attempt<Result>> {
    const before = this.#readTimes();
    const result = await attempt();
    return { result, stolen: shareStolen(before, this.#readTimes()) };
  }

  /** What others took of all that counts, for the table of the machine. */
  describe(): string {
    const stolen = this.#stolen;
    if (stolen.length === 0) {
      return 'not observed';
    }
    const disturbed = stolen.filter((share) => share > MAX_STOLEN).length;
    return (
      `median ${inPercent(median(stolen))}, at most ${inPercent(Math.max(...stolen))} of the processors' time in the ` +
      `rounds that count; ${this.#repeated} of ${stolen.length} were measured again, ${disturbed} stayed above ` +
      `${MAX_STOLEN * 100} %`
    );
  }
}

function inPercent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
