/** Milliseconds between two questions to a worker whether it still answers. */
export const PULSE_INTERVAL_MS = 1_000;

/**
 * Measures how long a worker has been silent. The process that asks the worker calls it once in each interval. Time
 * that this process itself slept through, because it was stopped or busy or the whole machine was asleep, is no silence
 * of the worker, so no call counts for more than two intervals.
 */
export class Pulse {
  #silentMs = 0;
  #at: number;

  /** @param now milliseconds of a monotonic clock */
  constructor(now: number) {
    this.#at = now;
  }

  /**
   * Moves the clock on.
   *
   * @param now milliseconds of the same clock
   * @returns milliseconds of silence
   */
  tick(now: number): number {
    this.#silentMs += Math.min(now - this.#at, 2 * PULSE_INTERVAL_MS);
    this.#at = now;
    return this.#silentMs;
  }

  /** Notes that the worker answered. */
  hear(): void {
    this.#silentMs = 0;
  }
}
