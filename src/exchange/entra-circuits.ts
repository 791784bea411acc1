import { LRUCache } from 'lru-cache';
import type { WatchedCircuit } from '../resilience/circuit-breaker.ts';
import type { Clock } from '../resilience/clock.ts';
import { EntraCircuit, type EntraFailure } from './entra-circuit.ts';

/** How many tenants' circuits are remembered: those of the tenants that failed last. */
const MAX_TENANTS = 1_000;

/** How many tenants must fail before exchanges of all tenants stop. */
const TENANTS_TO_OPEN = 2;

/** The place of the common circuit among those of tenants; no tenant id. */
const COMMON = '';

/**
 * The circuits to Entra: one for each tenant, and a common one for all. What happens to one tenant, such as throttling,
 * can open only its own circuit. The common circuit opens when Entra fails several tenants: it cannot be reached,
 * answers 5xx, or gives an unusable answer.
 */
export class EntraCircuits {
  readonly #monotonicMs: Clock;
  readonly #common: EntraCircuit;
  /** Has only tenants with a failure since the last usable answer. */
  readonly #tenants = new LRUCache<string, EntraCircuit>({ max: MAX_TENANTS });
  /** How often each circuit opened, by tenant; also of those whose circuit is not remembered any more. */
  readonly #openings = new LRUCache<string, number>({ max: MAX_TENANTS });

  constructor(monotonicMs: Clock) {
    this.#monotonicMs = monotonicMs;
    this.#common = new EntraCircuit(monotonicMs, TENANTS_TO_OPEN);
  }

  /**
   * The circuits as they are now: `entra`, and one for each of these tenants, `entra:{tenant}`. Those of a single tenant
   * are one, because nothing can happen to all tenants that does not happen to it.
   */
  watch(tenants: readonly string[]): readonly WatchedCircuit[] {
    const common = { name: 'entra', state: this.#common.state, openings: this.#openings.get(COMMON) ?? 0 };
    const single = tenants.map((tenant) => ({
      name: `entra:${tenant}`,
      state: this.#tenants.get(tenant)?.state ?? 'closed',
      openings: this.#openings.get(tenant) ?? 0,
    }));
    const [only] = single;
    return only !== undefined && single.length === 1 ? [{ ...only, name: common.name }] : [common, ...single];
  }

  /** True while a failure of this tenant's exchange may be a single one that a second try ends. */
  isCalm(tenantId: string): boolean {
    return this.#common.waitMs === 0 && (this.#tenants.get(tenantId)?.isCalm ?? true);
  }

  /**
   * Admits an exchange of this tenant, or says how long to wait. When the exchange is the probe of an open circuit, no
   * other is admitted until its outcome is recorded.
   *
   * @returns milliseconds until an exchange may be admitted; 0 for an exchange that is admitted
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

  /** Called when Entra gave the tenant a usable answer, even if it is a refusal. */
  recordAnswer(tenantId: string): void {
    this.#common.recordAnswer();
    this.#tenants.delete(tenantId);
  }

  /** Called when Entra throttled, was unreachable or slow, or gave an unusable answer. */
  recordFailure(failure: EntraFailure): void {
    const { tenantId, isThrottling } = failure;
    if (isThrottling) {
      // An Entra that throttles one tenant still serves the others.
      this.#common.recordAnswer();
    } else {
      this.#countOpening(COMMON, this.#common.recordFailure(failure));
    }
    const own = this.#tenants.get(tenantId) ?? new EntraCircuit(this.#monotonicMs);
    this.#countOpening(tenantId, own.recordFailure(failure));
    this.#tenants.set(tenantId, own);
  }

  #countOpening(circuit: string, hasOpened: boolean): void {
    if (hasOpened) {
      this.#openings.set(circuit, (this.#openings.get(circuit) ?? 0) + 1);
    }
  }
}
