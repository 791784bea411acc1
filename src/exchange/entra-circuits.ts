import { LRUCache } from 'lru-cache';
import type { MonotonicClock } from '../monotonic-clock.ts';
import { EntraCircuit, type EntraFailure } from './entra-circuit.ts';

/** Tenants whose circuit is remembered at most: those that failed last. */
const MOST_TENANTS = 1_000;

/** Tenants that must fail before all others are kept from Entra, too. */
const TENANTS = 2;

/**
 * The circuits to Entra: one for each tenant, and one for all. What happens to one tenant, such as its throttling,
 * opens its own at most. The common one opens when Entra breaks for several tenants: it cannot be reached, answers 5xx
 * or talks nonsense.
 */
export class EntraCircuits {
  readonly #monotonicMs: MonotonicClock;
  readonly #common: EntraCircuit;
  /** Only those of tenants in which something failed since the last answer. */
  readonly #tenants = new LRUCache<string, EntraCircuit>({ max: MOST_TENANTS });

  constructor(monotonicMs: MonotonicClock) {
    this.#monotonicMs = monotonicMs;
    this.#common = new EntraCircuit(monotonicMs, TENANTS);
  }

  /** True while a failure of this tenant's exchange may be a mishap that a second try puts right. */
  isCalm(tenantId: string): boolean {
    return this.#common.wait === 0 && (this.#tenants.get(tenantId)?.isCalm ?? true);
  }

  /**
   * Milliseconds until it is worth asking for this tenant. 0 lets this exchange through, and while one of its circuits
   * is open no other until its outcome is recorded.
   */
  waitBeforeCall(tenantId: string): number {
    const own = this.#tenants.get(tenantId);
    const wait = Math.max(this.#common.wait, own?.wait ?? 0);
    if (wait === 0) {
      this.#common.recordCall();
      own?.recordCall();
    }
    return wait;
  }

  /** Entra gave the tenant an answer that means something, be it a refusal. */
  recordAnswer(tenantId: string): void {
    this.#common.recordAnswer();
    this.#tenants.delete(tenantId);
  }

  /** Entra was throttling, down, slow or talked nonsense. */
  recordFailure(failure: EntraFailure): void {
    const { tenantId, isThrottling } = failure;
    if (isThrottling) {
      // It is there for the others.
      this.#common.recordAnswer();
    } else {
      this.#common.recordFailure(failure);
    }
    const own = this.#tenants.get(tenantId) ?? new EntraCircuit(this.#monotonicMs);
    own.recordFailure(failure);
    this.#tenants.set(tenantId, own);
  }
}
