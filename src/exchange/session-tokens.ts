import { LRUCache } from 'lru-cache';
import type { Authority } from '../entra/authority.ts';
import { GatewayError } from '../failures.ts';
import type { Clock } from '../resilience/clock.ts';
import type { DownstreamToken, FetchedToken } from '../session/downstream-token.ts';
import { DownstreamTokens } from '../session/downstream-tokens.ts';
import type { HeldToken } from '../session/held-token.ts';
import type { Session } from '../session/session.ts';
import type { DownstreamScopes, RemoteTokenSource, TokenRequest, TokenSource } from '../session/token-source.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { RefusalClass } from './entra-codes.ts';
import { ExchangeNotTried, ExchangeRefused, isOutage } from './exchange-refused.ts';
import { toFailure } from './refusal-to-failure.ts';

/** What {@link SessionTokens} works with. */
export interface SessionTokensOptions {
  readonly now: Clock;
  readonly monotonicMs: Clock;
  readonly authority: Authority;
  readonly clientId: string;
  /** Where Entra sends users after they have consented, as gateway.yaml says it now. */
  readonly consentRedirectUri: () => string | undefined;
  /** Takes the failures of background refreshes, which no caller hears of. */
  readonly log: Pick<Logger, 'warn'>;
}

/** How long a lasting refusal is remembered, so that Entra is not asked again. */
const REFUSAL_LIFETIME_MS = 60_000;

/** How long any other failure is remembered: long enough for a client that retries at once, too short for a person. */
const FAILURE_LIFETIME_MS = 1_000;

/** How many tenants' tokens for apps are held. */
const MAX_TENANTS = 1_000;

/** The classes of refusals that another exchange of the same assertion would only meet again. */
const LASTING: ReadonlySet<RefusalClass> = new Set(['interaction', 'consent', 'denied']);

/**
 * The first source: tokens in memory. A user's tokens are in the user's session; the gateway's own tokens, for callers
 * that are apps, are shared by all of them. Requests for the same token at the same time wait for one answer of the
 * next source, and a refusal is remembered for a while.
 */
export class SessionTokens implements TokenSource {
  readonly #next: RemoteTokenSource;
  readonly #options: SessionTokensOptions;
  /** By tenant. */
  readonly #ownTokens = new LRUCache<string, DownstreamTokens>({ max: MAX_TENANTS });

  constructor(next: RemoteTokenSource, options: SessionTokensOptions) {
    this.#next = next;
    this.#options = options;
  }

  /**
   * Gives the token that is held, at once, or a promise of a new one.
   *
   * @throws {GatewayError} what Entra's refusal means for the caller
   */
  acquire(request: TokenRequest): DownstreamToken | Promise<FetchedToken> {
    const { session, downstream, claims } = request;
    const now = this.#options.now();
    const held = this.#tokensOf(session).find(downstream.key, claims, now);
    if (held === undefined) {
      return this.#fetch(request);
    }
    if (
      held.isRefreshDue(now) &&
      isWorthRefreshing(session, now) &&
      held.tryBeginRefresh(this.#options.monotonicMs())
    ) {
      void this.#refresh(request, held);
    }
    return held;
  }

  /** Gives the token that is held; `undefined` for none. Nothing is fetched or refreshed. */
  peek(session: Session, { key }: DownstreamScopes): HeldToken | undefined {
    return this.#tokensOf(session).find(key, '', this.#options.now());
  }

  /**
   * Forgets a token that the downstream refused. When the downstream asked for no claims, a new token seldom helps, so
   * only one token a minute is forgotten: a downstream that refuses everything must not cost one exchange for each
   * request. The gateway's own token serves many callers, so even with claims it is forgotten only once a minute for
   * the same claims.
   *
   * @param request has the claims that the downstream asked for, if it asked for any
   * @returns true when the token was forgotten now; false when another request has forgotten it, or it is too early
   */
  discard(request: TokenRequest, refused: DownstreamToken): boolean {
    const tokens = this.#tokensOf(request.session);
    const mayDiscard = this.#tryBeginDiscard(request, refused, tokens);
    if (mayDiscard) {
      tokens.discard(request.downstream.key, refused);
    }
    return mayDiscard;
  }

  /** Remembers that an operation answers this assertion with a challenge, so that no request has to ask again. */
  rememberChallenge(session: Session, operation: string, challenge: Error): void {
    const monotonicMs = this.#options.monotonicMs();
    session.tokens.remember(`operation ${operation}`, challenge, monotonicMs + REFUSAL_LIFETIME_MS, monotonicMs);
  }

  /** The challenge that is remembered for an operation; `undefined` for none. */
  recallChallenge(session: Session, operation: string): Error | undefined {
    return session.tokens.findRefusal(`operation ${operation}`, this.#options.monotonicMs());
  }

  #tokensOf(session: Session): DownstreamTokens {
    const { kind, tenantId } = session.principal;
    return kind === 'app' ? this.#ownTokensFor(tenantId) : session.tokens;
  }

  #ownTokensFor(tenantId: string): DownstreamTokens {
    const known = this.#ownTokens.get(tenantId);
    const tokens = known ?? new DownstreamTokens();
    if (known === undefined) {
      this.#ownTokens.set(tenantId, tokens);
    }
    return tokens;
  }

  #tryBeginDiscard(
    { session, downstream: { key }, claims }: TokenRequest,
    refused: DownstreamToken,
    tokens: DownstreamTokens,
  ): boolean {
    if (claims !== '' && session.principal.kind === 'user') {
      return true;
    }
    const monotonicMs = this.#options.monotonicMs();
    return (
      tokens.holds(key, refused) &&
      ((claims !== '' && tokens.tryBeginDiscard(key, claims, monotonicMs)) ||
        tokens.tryBeginDiscard(key, '', monotonicMs))
    );
  }

  async #fetch(request: TokenRequest): Promise<FetchedToken> {
    const { session, downstream, claims } = request;
    const tokens = this.#tokensOf(session);
    try {
      const remembered = tokens.findRefusal(refusalKey(request), this.#options.monotonicMs());
      if (remembered !== undefined) {
        throw remembered;
      }
      return await tokens.fetch(downstream.key, claims, () => this.#fetchFromNext(request));
    } catch (error) {
      const prolonged = isOutage(error) ? tokens.prolong(downstream.key, claims, this.#options.now()) : undefined;
      if (isOutage(error) && prolonged !== undefined) {
        return { token: prolonged, from: 'session', correlationId: error.correlationId };
      }
      throw this.#explain(error, request);
    }
  }

  /** Replaces a token that still serves, in the background: no request waits for the result or fails with it. */
  async #refresh(request: TokenRequest, held: HeldToken): Promise<void> {
    const { session, downstream } = request;
    const tokens = this.#tokensOf(session);
    // The refresh has an id of its own, because it does not serve the request that found it due.
    const renewal = { ...request, claims: held.claims, correlationId: undefined, isRefresh: true };
    if (hasToWait(tokens.findRefusal(refusalKey(renewal), this.#options.monotonicMs()))) {
      return;
    }
    try {
      await tokens.refresh(downstream.key, held, () => this.#fetchFromNext(renewal));
    } catch (error) {
      if (isOutage(error)) {
        // Prolonged at once, so that no request has to meet the outage itself first.
        held.prolong(this.#options.now());
      } else {
        held.endAsPlanned();
      }
      if (!(error instanceof ExchangeNotTried)) {
        const facts = logFactsOf(this.#explain(error, renewal));
        this.#options.log.warn({ downstream: downstream.name, ...facts }, 'no new downstream token yet');
      }
    }
  }

  /** Gets a token that is not in memory; when that fails, remembers why. */
  async #fetchFromNext(request: TokenRequest): Promise<FetchedToken> {
    try {
      return await this.#next.acquire(request);
    } catch (error) {
      const monotonicMs = this.#options.monotonicMs();
      const until = rememberUntil(error, monotonicMs);
      if (until !== undefined) {
        this.#tokensOf(request.session).remember(refusalKey(request), error as Error, until, monotonicMs);
      }
      throw error;
    }
  }

  /** Turns a refusal into the failure of the request; leaves any other error as it is. */
  #explain(error: unknown, { session, downstream }: TokenRequest): unknown {
    if (!(error instanceof ExchangeRefused)) {
      return error;
    }
    const { refusal, correlationId } = error;
    const { tenantId, kind } = session.principal;
    const isOwnToken = kind === 'app';
    const scopes = isOwnToken ? [downstream.applicationScope] : downstream.scopes;
    const consentRedirectUri = this.#options.consentRedirectUri();
    const { name, agent } = downstream;
    const exchange = { downstream: name, agent, consentRedirectUri, tenantId, scopes, correlationId, isOwnToken };
    return toFailure(refusal, { ...this.#options, ...exchange });
  }
}

/** The key under which a refusal is remembered. */
function refusalKey({ downstream, claims }: TokenRequest): string {
  return `${downstream.key} ${claims}`;
}

/** False for an expired assertion: the gateway still accepts it for a moment, but Entra does not exchange it. */
function isWorthRefreshing({ principal, assertionExpiresAt }: Session, now: number): boolean {
  return principal.kind === 'app' || now < assertionExpiresAt;
}

/** How long an error is remembered, on the monotonic clock; `undefined` for an error that is no refusal of Entra. */
function rememberUntil(error: unknown, monotonicMs: number): number | undefined {
  if (!(error instanceof ExchangeRefused) || error instanceof ExchangeNotTried) {
    return undefined;
  }
  const { class: refusalClass, retryAt } = error.refusal;
  if (refusalClass === 'retry' && retryAt !== undefined) {
    return retryAt;
  }
  return monotonicMs + (LASTING.has(refusalClass) ? REFUSAL_LIFETIME_MS : FAILURE_LIFETIME_MS);
}

/** True when Entra named a time, before which even a refresh that is due is not worth a try. */
function hasToWait(remembered: Error | undefined): boolean {
  return isOutage(remembered) && remembered.refusal.retryAt !== undefined;
}

function logFactsOf(failure: unknown): object {
  return failure instanceof GatewayError ? (failure.facts.log ?? {}) : { error: 'internal' };
}
