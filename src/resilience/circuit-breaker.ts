import type { Clock } from './clock.ts';

/** When a circuit opens and for how long. */
export interface CircuitRules {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** How long it stays open before one call is let through. */
  readonly openForMs: number;
}

/** What a circuit does with calls: lets them through, waits for the outcome of the next one, or stops them. */
export type CircuitState = 'closed' | 'half-open' | 'open';

/** A circuit as those who watch the gateway see it. */
export interface WatchedCircuit {
  readonly name: string;
  readonly state: CircuitState;
  /** How often it opened; an open circuit that stays open after a call does not count again. */
  readonly openings: number;
}

/**
 * Stops calling a server that fails every time, so that callers are answered at once instead of waiting. After a while
 * one call is let through; its outcome closes the circuit or opens it again.
 */
export class Circuit {
  readonly #rules: CircuitRules;
  readonly #monotonicMs: Clock;
  #failures = 0;
  #openUntil = 0;
  #openings: number;

  /** @param openings how often a circuit of the same name has opened before; default 0 */
  constructor(rules: CircuitRules, monotonicMs: Clock, openings = 0) {
    this.#rules = rules;
    this.#monotonicMs = monotonicMs;
    this.#openings = openings;
  }

  /** Makes a closed circuit for another server in the place of this one; the count of openings goes on. */
  renew(): Circuit {
    return new Circuit(this.#rules, this.#monotonicMs, this.#openings);
  }

  /** The circuit as it is now, under a name. */
  watch(name: string): WatchedCircuit {
    const isClosed = this.#failures < this.#rules.failures;
    const state = isClosed ? 'closed' : this.waitMs > 0 ? 'open' : 'half-open';
    return { name, state, openings: this.#openings };
  }

  /** Milliseconds until a call makes sense; 0 while the circuit is closed, or when the one call is due. */
  get waitMs(): number {
    return this.#failures < this.#rules.failures ? 0 : Math.max(0, this.#openUntil - this.#monotonicMs());
  }

  /**
   * Lets a call through, or says how long to wait. While the circuit is open, no other call is let through until this
   * one ends, or until `openForMs` has passed again.
   *
   * @returns milliseconds until a call makes sense; 0 for one that is let through
   */
  admit(): number {
    if (this.#failures < this.#rules.failures) {
      return 0;
    }
    const now = this.#monotonicMs();
    if (now < this.#openUntil) {
      return this.#openUntil - now;
    }
    this.#openUntil = now + this.#rules.openForMs;
    return 0;
  }

  recordSuccess(): void {
    this.#failures = 0;
  }

  recordFailure(): void {
    this.#failures += 1;
    if (this.#failures === this.#rules.failures) {
      this.#openings += 1;
    }
    if (this.#failures >= this.#rules.failures) {
      this.#openUntil = this.#monotonicMs() + this.#rules.openForMs;
    }
  }
}
