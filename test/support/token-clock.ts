/** A clock that moves only when it is told to. */
export class Clock {
  // A whole second, so that what tokens and HTTP dates say in seconds is exact.
  #now = Math.floor(Date.now() / 1_000) * 1_000;

  /** Milliseconds since the epoch; bound, so that it can be handed on as a function. */
  readonly now = (): number => this.#now;

  /** Seconds since the epoch, as tokens write it. */
  get seconds(): number {
    return this.#now / 1_000;
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }
}
