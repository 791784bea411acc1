import { LRUCache } from 'lru-cache';
import type { Clock } from '../resilience/clock.ts';
import { EntraCircuit, type EntraFailure } from './entra-circuit.ts';

/** Tenants whose circuit is remembered: those that failed last. */
const MAX_TENANTS = 1_000;

/** Tenants that must fail before all others are kept from Entra, too. */
const TENANTS_TO_OPEN = 2;

/**
 * The circuits to Entra: one for each tenant, and one for all. What happens to one tenant, such as its throttling,
 * opens its own at most. The common one opens when Entra breaks for several tenants: it cannot be reached, answers 5xx
 * or talks nonsense.
 */
export class EntraCircuits {
  readonly #monotonicMs: Clock;
  readonly #common: EntraCircuit;
  /** Only those of tenants in which something failed since the last answer. */
  readonly #tenants = new LRUCache<string, EntraCircuit>({ max: MAX_TENANTS });

  constructor(monotonicMs: Clock) {
    this.#monotonicMs = monotonicMs;
    this.#common = new EntraCircuit(monotonicMs, TENANTS_TO_OPEN);
  }

  /** True while a failure of this tenant's exchange may be a mishap that a second try puts right. */
  isCalm(tenantId: string): boolean {
    return this.#common.waitMs === 0 && (this.#tenants.get(tenantId)?.isCalm ?? true);
  }

  /**
   * Lets an exchange of this tenant through, or says how long to wait. While one of its circuits is open, no other is
   * let through until the outcome of this one is recorded.
   *
   * @returns milliseconds until it is worth asking; 0 for an exchange that is let through
   */
  admit(tenantId: string): number {
    const own = this.#tenants.get(tenantId);
    const waitMs = Math.max(this.#common.waitMs, own?.waitMs ?? 0);
    if (waitMs === 0) {
      this.#common.recordCall();
      own?.recordCall();
    }
    return waitMs;
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
