import type { Clock } from '../resilience/clock.ts';
import type { FetchedToken } from '../session/downstream-token.ts';
import type { Session } from '../session/session.ts';
import type { RemoteTokenSource, TokenRequest } from '../session/token-source.ts';
import type { EntraCircuits } from './entra-circuits.ts';
import { LOOP_DETECTED, TENANT_THROTTLED } from './entra-codes.ts';
import { AssertionRefused, ExchangeNotTried, ExchangeRefused } from './exchange-refused.ts';
import type { Refusal } from './refusal.ts';

/** The random time by which callers who are refused at the same moment come back later. */
const SPREAD_MS = 2_000;

/** The fourth source: passes requests on to Entra, but none while Entra fails everyone, or everyone of the tenant. */
export class CircuitBreakerTokens implements RemoteTokenSource {
  readonly #next: RemoteTokenSource;
  readonly #circuits: EntraCircuits;
  readonly #monotonicMs: Clock;

  constructor(next: RemoteTokenSource, circuits: EntraCircuits, monotonicMs: Clock) {
    this.#next = next;
    this.#circuits = circuits;
    this.#monotonicMs = monotonicMs;
  }

  /**
   * @throws {ExchangeNotTried} while the circuit is open
   * @throws {ExchangeRefused} when the next source has no token
   */
  async acquire(request: TokenRequest): Promise<FetchedToken> {
    const { session } = request;
    const { tenantId } = session.principal;
    const waitMs = this.#circuits.admit(tenantId);
    if (waitMs > 0) {
      throw new ExchangeNotTried(this.#monotonicMs() + waitMs + Math.random() * SPREAD_MS);
    }
    try {
      const fetched = await this.#next.acquire(request);
      this.#circuits.recordAnswer(tenantId);
      return fetched;
    } catch (error) {
      this.#recordFailure(error, session);
      throw error;
    }
  }

  #recordFailure(error: unknown, session: Session): void {
    if (!(error instanceof ExchangeRefused)) {
      return;
    }
    const { refusal } = error;
    const { tenantId } = session.principal;
    if (refusal.class === 'retry' && !refusal.codes.includes(LOOP_DETECTED)) {
      const { retryAt } = refusal;
      const isThrottling = isAboutTenant(refusal);
      this.#circuits.recordFailure({ caller: callerOf(error, session), tenantId, isThrottling, retryAt });
    } else if (refusal.status !== 0) {
      this.#circuits.recordAnswer(tenantId);
    }
  }
}

/** True when Entra answered and throttles the tenant or somebody in it, so that others can be served. */
function isAboutTenant({ status, codes }: Refusal): boolean {
  return (status >= 400 && status < 500) || codes.includes(TENANT_THROTTLED);
}

/**
 * Whom Entra may throttle alone: one user with all tokens, or all apps of a tenant, because they share one token. When an
 * agent identity got no client assertion, all its callers share that one failure.
 */
function callerOf(error: ExchangeRefused, session: Session): unknown {
  if (error instanceof AssertionRefused) {
    return `agent ${error.agent}`;
  }
  const { kind, tenantId, objectId } = session.principal;
  if (kind === 'app') {
    return tenantId;
  }
  return objectId === undefined ? session : `${tenantId} ${objectId}`;
}
