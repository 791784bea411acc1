/** When a circuit opens and for how long. */
export interface CircuitRules {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** Milliseconds for which it stays open. */
  readonly openFor: number;
}

/**
 * Stops calling a server that fails every time, so that callers are answered at once instead of waiting. After a while
 * one call is let through; its outcome closes the circuit or opens it again.
 */
export class Circuit {
  readonly #rules: CircuitRules;
  readonly #monotonicMs: () => number;
  #failures = 0;
  #openUntil = 0;

  /** @param monotonicMs milliseconds on a clock that nobody sets */
  constructor(rules: CircuitRules, monotonicMs: () => number) {
    this.#rules = rules;
    this.#monotonicMs = monotonicMs;
  }

  /** Milliseconds to wait before a call is worth it; 0 lets the call through, and then only this one until it ends. */
  waitBeforeCall(): number {
    const now = this.#monotonicMs();
    if (this.#failures < this.#rules.failures) {
      return 0;
    }
    if (now < this.#openUntil) {
      return this.#openUntil - now;
    }
    this.#openUntil = now + this.#rules.openFor;
    return 0;
  }

  recordSuccess(): void {
    this.#failures = 0;
  }

  recordFailure(): void {
    this.#failures += 1;
    if (this.#failures >= this.#rules.failures) {
      this.#openUntil = this.#monotonicMs() + this.#rules.openFor;
    }
  }
}
