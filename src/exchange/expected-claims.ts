import { LRUCache } from 'lru-cache';
import type { Clock } from '../resilience/clock.ts';
import type { Principal } from '../session/principal.ts';

/** How long a caller is expected to come back with a large body. */
const LIFETIME_MS = 10 * 60 * 1_000;

const MAX_EXPECTED = 10_000;

/**
 * The claims that downstreams asked of callers whose requests could not be sent a second time. Such a caller comes back
 * with the same large body and another assertion, which is then exchanged with these claims at once.
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
    this.#expected.set(keyOf(caller, downstream), { claims, until: this.#monotonicMs() + LIFETIME_MS });
  }

  /** The claims that the downstream will want, as JSON text; `undefined` when nothing is known. */
  find(caller: Principal, downstream: string): string | undefined {
    const known = this.#expected.get(keyOf(caller, downstream));
    return known !== undefined && this.#monotonicMs() < known.until ? known.claims : undefined;
  }
}

/** The same caller, whatever its token. */
function keyOf({ tenantId, objectId, clientId }: Principal, downstream: string): string {
  return JSON.stringify([tenantId, objectId, clientId, downstream]);
}
