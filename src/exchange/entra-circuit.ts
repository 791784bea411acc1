import type { Clock } from '../resilience/clock.ts';

/** What a circuit has to know of a failure. */
export interface EntraFailure {
  /** Whose exchange failed: a value that is the same for the same caller, whatever token the caller comes with. */
  readonly caller: unknown;
  readonly tenantId: string;
  /** True when Entra answered, and only asked for patience; otherwise it was down, slow or talked nonsense. */
  readonly isThrottling: boolean;
  /** Until when Entra asked to wait, if it did; on the monotonic clock. */
  readonly retryAt: number | undefined;
}

/** Failures in a row that open the circuit, and how many callers they must come from. */
const FAILURES_TO_OPEN = 10;
const CALLERS_TO_OPEN = 3;

/** How long a failure counts. */
const WINDOW_MS = 60_000;

/** How long it stays open when Entra names no time, and the longest when it does. */
const OPEN_FOR_MS = 5_000;
const MAX_OPEN_FOR_MS = 5 * 60_000;

/**
 * Stops asking Entra while it fails everyone. One caller who is throttled opens nothing. Once the time is over, one
 * exchange is let through as a probe; its outcome closes the circuit or opens it again.
 */
export class EntraCircuit {
  readonly #monotonicMs: Clock;
  readonly #tenants: number;
  /** The last failures without a success between them, oldest first. */
  #failures: (EntraFailure & { readonly at: number })[] = [];
  #openUntil: number | undefined;

  /** @param tenants how many tenants the failures must come from */
  constructor(monotonicMs: Clock, tenants = 1) {
    this.#monotonicMs = monotonicMs;
    this.#tenants = tenants;
  }

  /**
   * True while it is closed and nothing broke lately, so that a failure may be a mishap that a second try puts right.
   * That Entra throttles somebody says nothing about what breaks.
   */
  get isCalm(): boolean {
    const now = this.#monotonicMs();
    return (
      this.#openUntil === undefined &&
      this.#failures.every(({ at, isThrottling }) => isThrottling || now - at >= WINDOW_MS)
    );
  }

  /** Milliseconds until it is worth asking. */
  get waitMs(): number {
    return this.#openUntil === undefined ? 0 : Math.max(0, this.#openUntil - this.#monotonicMs());
  }

  /** An exchange is on its way; while the circuit is open, no other until its outcome is recorded. */
  recordCall(): void {
    if (this.#openUntil !== undefined) {
      // It is the probe; should its outcome never come, the next one is.
      this.#openUntil = this.#monotonicMs() + OPEN_FOR_MS;
    }
  }

  /** Entra gave an answer that means something, be it a refusal. */
  recordAnswer(): void {
    this.#failures = [];
    this.#openUntil = undefined;
  }

  /** Entra was throttling, down, slow or talked nonsense. */
  recordFailure(failure: EntraFailure): void {
    const at = this.#monotonicMs();
    const recent = this.#failures.filter((before) => at - before.at < WINDOW_MS);
    this.#failures = [...recent, { ...failure, at }].slice(-FAILURES_TO_OPEN);
    if (this.#openUntil !== undefined || this.#isAboutEveryone()) {
      this.#openUntil = at + this.#timeToStayOpen(at);
    }
  }

  #isAboutEveryone(): boolean {
    const callers = new Set(this.#failures.map(({ caller }) => caller));
    const tenants = new Set(this.#failures.map(({ tenantId }) => tenantId));
    return (
      this.#failures.length === FAILURES_TO_OPEN && callers.size >= CALLERS_TO_OPEN && tenants.size >= this.#tenants
    );
  }

  /**
   * A time that Entra named counts when it named one each time: then it is not about one caller. The earliest does,
   * because somebody was told to come back then.
   */
  #timeToStayOpen(now: number): number {
    const times = this.#failures.map(({ retryAt }) => retryAt ?? Number.NEGATIVE_INFINITY);
    const ahead = times.filter((time) => time > now);
    return times.includes(Number.NEGATIVE_INFINITY) || ahead.length === 0
      ? OPEN_FOR_MS
      : Math.min(MAX_OPEN_FOR_MS, Math.min(...ahead) - now);
  }
}
