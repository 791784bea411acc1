/** What a circuit has to know of a failure. */
export interface EntraFailure {
  /** Whose exchange failed: a value that is the same for the same caller, whatever token the caller comes with. */
  readonly caller: unknown;
  /** Until when Entra asked to wait, if it did; milliseconds since the epoch. */
  readonly retryAt: number | undefined;
}

/** Failures in a row that open the circuit, and how many callers they must come from. */
const FAILURES = 10;
const CALLERS = 3;

/** Milliseconds after which a failure no longer counts. */
const WINDOW = 60_000;

/** Milliseconds for which it stays open, when Entra names no time, and the longest when it does. */
const OPEN_FOR = 5_000;
const LONGEST = 5 * 60_000;

/**
 * Stops asking Entra while it fails everyone. One caller who is throttled opens nothing. Once the time is over, one
 * exchange is let through as a probe; its outcome closes the circuit or opens it again.
 */
export class EntraCircuit {
  readonly #now: () => number;
  /** The last failures without a success between them, oldest first. */
  #failures: (EntraFailure & { readonly at: number })[] = [];
  #openUntil: number | undefined;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** True while it is closed and nothing failed lately, so that a failure may be a mishap that a second try mends. */
  get isCalm(): boolean {
    const now = this.#now();
    return this.#openUntil === undefined && this.#failures.every(({ at }) => now - at >= WINDOW);
  }

  /**
   * Milliseconds until it is worth asking. 0 lets this exchange through, and while the circuit is open no other until
   * its outcome is recorded.
   */
  waitBeforeCall(): number {
    const now = this.#now();
    if (this.#openUntil === undefined) {
      return 0;
    }
    if (now < this.#openUntil) {
      return this.#openUntil - now;
    }
    // This one is the probe; should its outcome never come, the next one is.
    this.#openUntil = now + OPEN_FOR;
    return 0;
  }

  /** Entra gave an answer that means something, be it a refusal. */
  recordAnswer(): void {
    this.#failures = [];
    this.#openUntil = undefined;
  }

  /** Entra was throttling, down, slow or talked nonsense. */
  recordFailure({ caller, retryAt }: EntraFailure): void {
    const at = this.#now();
    const recent = this.#failures.filter((failure) => at - failure.at < WINDOW);
    this.#failures = [...recent, { caller, retryAt, at }].slice(-FAILURES);
    const callers = new Set(this.#failures.map((failure) => failure.caller));
    if (this.#openUntil !== undefined || (this.#failures.length === FAILURES && callers.size >= CALLERS)) {
      this.#openUntil = at + this.#timeToStayOpen(at);
    }
  }

  /**
   * A time that Entra named counts when it named one each time: then it is not about one caller. The earliest does,
   * because somebody was told to come back then.
   */
  #timeToStayOpen(now: number): number {
    const times = this.#failures.map(({ retryAt }) => retryAt ?? 0);
    const ahead = times.filter((time) => time > now);
    return times.includes(0) || ahead.length === 0 ? OPEN_FOR : Math.min(LONGEST, Math.min(...ahead) - now);
  }
}
