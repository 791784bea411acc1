import type { CircuitState } from '../resilience/circuit-breaker.ts';
import type { Clock } from '../resilience/clock.ts';

/** What a circuit needs to know of a failure. */
export interface EntraFailure {
  /** Whose exchange failed: a value that is the same for the same caller, with any of its tokens. */
  readonly caller: unknown;
  readonly tenantId: string;
  /** True when Entra answered and throttled; false when it was unreachable, slow, or gave an unusable answer. */
  readonly isThrottling: boolean;
  /** The time that Entra named to come back, on the monotonic clock; `undefined` when it named none. */
  readonly retryAt: number | undefined;
}

/** How many failures in a row open the circuit. */
const FAILURES_TO_OPEN = 10;

/** How many callers these failures must come from. */
const CALLERS_TO_OPEN = 3;

/** How long a failure counts. */
const WINDOW_MS = 60_000;

/** How long the circuit stays open when Entra names no time. */
const OPEN_FOR_MS = 5_000;

/** The longest that it stays open when Entra names a time. */
const MAX_OPEN_FOR_MS = 5 * 60_000;

/**
 * Stops asking Entra while it fails everyone; one throttled caller does not open the circuit. When the time is over,
 * one exchange goes through as a probe, and its outcome closes the circuit or opens it again.
 */
export class EntraCircuit {
  readonly #monotonicMs: Clock;
  readonly #tenants: number;
  /** The last failures with no success between them, oldest first. */
  #failures: (EntraFailure & { readonly at: number })[] = [];
  #openUntil: number | undefined;

  /** @param tenants how many tenants the failures must come from */
  constructor(monotonicMs: Clock, tenants = 1) {
    this.#monotonicMs = monotonicMs;
    this.#tenants = tenants;
  }

  /**
   * True while the circuit is closed and nothing broke in the last minute, so that a failure may be a single one that a
   * second try ends. Throttling does not count: it does not say that anything is broken.
   */
  get isCalm(): boolean {
    const now = this.#monotonicMs();
    return (
      this.#openUntil === undefined &&
      this.#failures.every(({ at, isThrottling }) => isThrottling || now - at >= WINDOW_MS)
    );
  }

  /** What it does with exchanges now. */
  get state(): CircuitState {
    if (this.#openUntil === undefined) {
      return 'closed';
    }
    return this.waitMs > 0 ? 'open' : 'half-open';
  }

  /** Milliseconds until an exchange may go through; 0 while the circuit is closed. */
  get waitMs(): number {
    return this.#openUntil === undefined ? 0 : Math.max(0, this.#openUntil - this.#monotonicMs());
  }

  /** Called when an exchange begins; while the circuit is open, no other may begin until its outcome is recorded. */
  recordCall(): void {
    if (this.#openUntil !== undefined) {
      // This exchange is the probe. When its outcome is never recorded, the next one becomes the probe.
      this.#openUntil = this.#monotonicMs() + OPEN_FOR_MS;
    }
  }

  /** Called when Entra gave a usable answer, even if it is a refusal. */
  recordAnswer(): void {
    this.#failures = [];
    this.#openUntil = undefined;
  }

  /**
   * Called when Entra throttled, was unreachable or slow, or gave an unusable answer.
   *
   * @returns true when this failure opened the circuit
   */
  recordFailure(failure: EntraFailure): boolean {
    const at = this.#monotonicMs();
    const wasClosed = this.#openUntil === undefined;
    const recent = this.#failures.filter((before) => at - before.at < WINDOW_MS);
    this.#failures = [...recent, { ...failure, at }].slice(-FAILURES_TO_OPEN);
    if (this.#openUntil !== undefined || this.#isAboutEveryone()) {
      this.#openUntil = at + this.#timeToStayOpen(at);
    }
    return wasClosed && this.#openUntil !== undefined;
  }

  #isAboutEveryone(): boolean {
    const callers = new Set(this.#failures.map(({ caller }) => caller));
    const tenants = new Set(this.#failures.map(({ tenantId }) => tenantId));
    return (
      this.#failures.length === FAILURES_TO_OPEN && callers.size >= CALLERS_TO_OPEN && tenants.size >= this.#tenants
    );
  }

  /**
   * The time that Entra named counts only when it named one with each failure, because then it is not about one caller.
   * The earliest of them is taken, because some caller was told to come back at that time.
   */
  #timeToStayOpen(now: number): number {
    const times = this.#failures.map(({ retryAt }) => retryAt ?? Number.NEGATIVE_INFINITY);
    const ahead = times.filter((time) => time > now);
    return times.includes(Number.NEGATIVE_INFINITY) || ahead.length === 0
      ? OPEN_FOR_MS
      : Math.min(MAX_OPEN_FOR_MS, Math.min(...ahead) - now);
  }
}
