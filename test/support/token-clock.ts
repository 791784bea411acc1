/** The two clocks of a machine, which move only when they are told to. */
export class Clock {
  // A whole second, so that what tokens and HTTP dates say in seconds is exact.
  #now = Math.floor(Date.now() / 1_000) * 1_000;
  #monotonicMs = 1_000;

  /** Milliseconds since the epoch; bound, so that it can be handed on as a function. */
  readonly now = (): number => this.#now;

  /** Milliseconds on the clock that nobody sets; bound as well. */
  readonly monotonicMs = (): number => this.#monotonicMs;

  /** Seconds since the epoch, as tokens write it. */
  get seconds(): number {
    return this.#now / 1_000;
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
    this.#monotonicMs += milliseconds;
  }

  /** Somebody sets the time of day: forward, or back when negative. */
  setBy(milliseconds: number): void {
    this.#now += milliseconds;
  }
}
