import type { Clock } from '../resilience/clock.ts';
import type { FetchedToken } from '../session/downstream-token.ts';
import type { Session } from '../session/session.ts';
import type { RemoteTokenSource, TokenRequest } from '../session/token-source.ts';
import type { EntraCircuits } from './entra-circuits.ts';
import { LOOP_DETECTED, TENANT_THROTTLED } from './entra-codes.ts';
import { ExchangeNotTried, ExchangeRefused } from './exchange-refused.ts';
import type { Refusal } from './refusal.ts';

/** The time over which callers who were all sent away at once come back. */
const SPREAD_MS = 2_000;

/** Asks nobody while Entra fails everyone, or all of a tenant. */
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
   * @throws {ExchangeRefused} whenever there is no token
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
      this.#circuits.recordFailure({ caller: personOf(session), tenantId, isThrottling, retryAt });
    } else if (refusal.status !== 0) {
      this.#circuits.recordAnswer(tenantId);
    }
  }
}

/** Entra answered, and what it said is about the tenant or somebody in it: it asks for patience. */
function isAboutTenant({ status, codes }: Refusal): boolean {
  return (status >= 400 && status < 500) || codes.includes(TENANT_THROTTLED);
}

/** Whom Entra may throttle alone: a user, whatever the tokens; all apps of a tenant, because they share one token. */
function personOf(session: Session): unknown {
  const { kind, tenantId, objectId } = session.principal;
  if (kind === 'app') {
    return tenantId;
  }
  return objectId === undefined ? session : `${tenantId} ${objectId}`;
}
