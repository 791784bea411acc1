import { LRUCache } from 'lru-cache';
import type { Clock } from '../resilience/clock.ts';
import { callerKey, type Principal } from '../session/principal.ts';

/** How long a caller may take to come back with its large body. */
const LIFETIME_MS = 10 * 60 * 1_000;

const MAX_EXPECTED = 10_000;

/**
 * The claims that downstreams asked for when a request could not be repeated. Its caller comes back with the same large
 * body and a new assertion, and the first exchange of that assertion then asks for these claims. Without this, the
 * request could fail in the same way each time.
 */
export class ExpectedClaims {
  readonly #expected = new LRUCache<string, { readonly claims: string; readonly until: number }>({
    max: MAX_EXPECTED,
  });
  readonly #monotonicMs: Clock;

  constructor(monotonicMs: Clock) {
    this.#monotonicMs = monotonicMs;
  }

  /** Remembers the claims for ten minutes. */
  add(caller: Principal, downstream: string, claims: string): void {
    this.#expected.set(callerKey(caller, downstream), { claims, until: this.#monotonicMs() + LIFETIME_MS });
  }

  /** Finds the claims that the downstream is expected to ask for, as JSON text; `undefined` for none. */
  find(caller: Principal, downstream: string): string | undefined {
    const known = this.#expected.get(callerKey(caller, downstream));
    return known !== undefined && this.#monotonicMs() < known.until ? known.claims : undefined;
  }
}
