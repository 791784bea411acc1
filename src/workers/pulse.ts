/** Milliseconds between two questions to a worker whether it still answers. */
export const PULSE_INTERVAL_MS = 1_000;

/**
 * How long a worker has been silent. It is told of time by whoever asks the worker, once in each interval: time that the
 * asking process itself slept through, because it was stopped or busy or the whole machine was asleep, is no silence of
 * the worker, so that no tick counts for more than two intervals.
 */
export class Pulse {
  #silentMs = 0;
  #at: number;

  /** @param now milliseconds of a monotonic clock */
  constructor(now: number) {
    this.#at = now;
  }

  /**
   * Goes on to another moment.
   *
   * @param now milliseconds of the same clock
   * @returns milliseconds of silence
   */
  tick(now: number): number {
    this.#silentMs += Math.min(now - this.#at, 2 * PULSE_INTERVAL_MS);
    this.#at = now;
    return this.#silentMs;
  }

  /** The worker answered. */
  hear(): void {
    this.#silentMs = 0;
  }
}
