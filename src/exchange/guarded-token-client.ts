import type { FetchedToken } from '../downstream-tokens.ts';
import type { MonotonicClock } from '../monotonic-clock.ts';
import type { Session } from '../session.ts';
import { EntraCircuits } from './entra-circuits.ts';
import { LOOP_DETECTED, TENANT_THROTTLED } from './entra-codes.ts';
import { ExchangeNotTried, ExchangeRefused, type EntraTokenClient } from './entra-token-client.ts';
import type { Refusal } from './refusal.ts';

/** The part of a downstream that the exchange needs. */
export interface ExchangeTarget {
  readonly name: string;
  /** Fixed scopes of one resource. */
  readonly scopes: readonly string[];
  /** The resource of the scopes with `/.default`, for callers that are apps. */
  readonly applicationScope: string;
}

/** One question to Entra. */
export interface TokenQuestion {
  readonly session: Session;
  /** Gives the caller's own access token. */
  readonly assertion: () => string;
  readonly target: ExchangeTarget;
  /** A claims request as JSON text; empty for none. */
  readonly claims: string;
  /** The `client-request-id`, a GUID. */
  readonly correlationId: string;
}

/** What {@link GuardedTokenClient} works with. */
export interface GuardedTokenClientOptions {
  readonly client: EntraTokenClient;
  readonly monotonicMs: MonotonicClock;
  /** Is told of each request to Entra; the outcome is `token` or the class of the refusal. */
  readonly onExchange: (downstream: string, outcome: string, seconds: number) => void;
}

/** Milliseconds over which callers who were all sent away at once come back. */
const SPREAD = 2_000;

/** The one way to Entra for the tokens of requests; it is closed while Entra fails everyone, or all of a tenant. */
export class GuardedTokenClient {
  readonly #options: GuardedTokenClientOptions;
  readonly #circuits: EntraCircuits;

  constructor(options: GuardedTokenClientOptions) {
    this.#options = options;
    this.#circuits = new EntraCircuits(options.monotonicMs);
  }

  /**
   * Asks Entra for a token: on behalf of a user, or for the gateway itself when the caller is an app.
   *
   * @throws {ExchangeNotTried} while the circuit is open
   * @throws {ExchangeRefused} whenever there is no token
   */
  async ask(question: TokenQuestion): Promise<FetchedToken> {
    const { client, monotonicMs, onExchange } = this.#options;
    const { session, target, correlationId } = question;
    const { tenantId } = session.principal;
    const wait = this.#circuits.waitBeforeCall(tenantId);
    if (wait > 0) {
      throw new ExchangeNotTried(monotonicMs() + wait + Math.random() * SPREAD);
    }
    const start = performance.now();
    let outcome = 'token';
    try {
      const token = await this.#send(client, question);
      this.#circuits.recordAnswer(tenantId);
      return { token, from: 'entra', correlationId };
    } catch (error) {
      outcome = error instanceof ExchangeRefused ? error.refusal.class : 'fault';
      this.#recordFailure(error, session);
      throw error;
    } finally {
      onExchange(target.name, outcome, (performance.now() - start) / 1_000);
    }
  }

  #send(client: EntraTokenClient, { session, assertion, target, claims, correlationId }: TokenQuestion) {
    const { kind, tenantId, handlesClaims } = session.principal;
    const common = { tenantId, correlationId, mayTryAgain: (): boolean => this.#circuits.isCalm(tenantId) };
    return kind === 'app'
      ? client.asApplication({ ...common, scope: target.applicationScope, claims })
      : client.onBehalfOf({ ...common, assertion: assertion(), scopes: target.scopes, claims, handlesClaims });
  }

  #recordFailure(error: unknown, session: Session): void {
    if (!(error instanceof ExchangeRefused)) {
      return;
    }
    const { refusal } = error;
    const { tenantId } = session.principal;
    if (refusal.class === 'RT' && !refusal.codes.includes(LOOP_DETECTED)) {
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
