import { LRUCache } from 'lru-cache';
import type { Authority } from '../entra/authority.ts';
import { GatewayError } from '../failures.ts';
import type { Clock } from '../resilience/clock.ts';
import type { DownstreamToken, FetchedToken } from '../session/downstream-token.ts';
import { DownstreamTokens } from '../session/downstream-tokens.ts';
import type { HeldToken } from '../session/held-token.ts';
import type { Session } from '../session/session.ts';
import type { RemoteTokenSource, TokenRequest, TokenSource } from '../session/token-source.ts';
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
  readonly consentRedirectUri: string | undefined;
  /** Is called for what no caller hears of. */
  readonly log: Pick<Logger, 'warn'>;
}

/** How long Entra need not be asked again what it refused. */
const REFUSAL_LIFETIME_MS = 60_000;

/** The same for any other failure: long enough for a client that tries again at once, and hardly noticed by a person. */
const FAILURE_LIFETIME_MS = 1_000;

/** Tenants whose tokens for apps are held. */
const MAX_TENANTS = 1_000;

/** Refusals that another request with the same assertion would only hear again. */
const LASTING: ReadonlySet<RefusalClass> = new Set(['interaction', 'consent', 'denied']);

/**
 * The first source: tokens in memory. A user's tokens live in the user's session; the gateway's own tokens, for callers
 * that are apps, are shared by all of them. Whoever asks for the same token at the same time waits for one answer of the
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
   * The token that is held, at once; otherwise a new one.
   *
   * @throws {GatewayError} what Entra's refusal means for the caller
   */
  acquire(request: TokenRequest): DownstreamToken | Promise<FetchedToken> {
    const { session, downstream, claims } = request;
    const now = this.#options.now();
    const held = this.#tokensOf(session).find(downstream.name, claims, now);
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
    return held.token;
  }

  /**
   * Forgets a token that the downstream did not accept. Where it did not ask for claims, a new one helps seldom, so that
   * only one token a minute is forgotten: a downstream that refuses everything must not cost an exchange for each
   * request. The gateway's own token serves many, so that it is forgotten once a minute for the same claims, too.
   *
   * @param request with the claims that the downstream asked for, if it did
   * @returns true when it was forgotten now; false when another request did so before, or it is too early
   */
  discard(request: TokenRequest, refused: DownstreamToken): boolean {
    const tokens = this.#tokensOf(request.session);
    const mayDiscard = this.#tryBeginDiscard(request, refused, tokens);
    if (mayDiscard) {
      tokens.discard(request.downstream.name, refused);
    }
    return mayDiscard;
  }

  /** Remembers that an operation only answers this assertion with a challenge, so that nobody need be asked again. */
  rememberChallenge(session: Session, operation: string, challenge: Error): void {
    const monotonicMs = this.#options.monotonicMs();
    session.tokens.remember(`operation ${operation}`, challenge, monotonicMs + REFUSAL_LIFETIME_MS, monotonicMs);
  }

  /** The challenge that is remembered for an operation. */
  recallChallenge(session: Session, operation: string): Error | undefined {
    return session.tokens.hasRefusals
      ? session.tokens.findRefusal(`operation ${operation}`, this.#options.monotonicMs())
      : undefined;
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
    { session, downstream: { name }, claims }: TokenRequest,
    refused: DownstreamToken,
    tokens: DownstreamTokens,
  ): boolean {
    if (claims !== '' && session.principal.kind === 'user') {
      return true;
    }
    const monotonicMs = this.#options.monotonicMs();
    return (
      tokens.holds(name, refused) &&
      ((claims !== '' && tokens.tryBeginDiscard(name, claims, monotonicMs)) ||
        tokens.tryBeginDiscard(name, '', monotonicMs))
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
      return await tokens.fetch(downstream.name, claims, () => this.#fetchFromNext(request));
    } catch (error) {
      const prolonged = isOutage(error) ? tokens.prolong(downstream.name, claims, this.#options.now()) : undefined;
      if (isOutage(error) && prolonged !== undefined) {
        return { token: prolonged.token, from: 'session', correlationId: error.correlationId };
      }
      throw this.#explain(error, request);
    }
  }

  /** Replaces a token that still serves; whatever comes of it, no request hears of it. */
  async #refresh(request: TokenRequest, held: HeldToken): Promise<void> {
    const { session, downstream } = request;
    const tokens = this.#tokensOf(session);
    // With an id of its own: it is not made for the request that noticed that it is due.
    const renewal = { ...request, claims: held.claims, correlationId: undefined, isRefresh: true };
    if (hasToWait(tokens.findRefusal(refusalKey(renewal), this.#options.monotonicMs()))) {
      return;
    }
    try {
      await tokens.refresh(downstream.name, held, () => this.#fetchFromNext(renewal));
    } catch (error) {
      if (isOutage(error)) {
        // At once, so that no request has to find out in the place of this one.
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

  /** Gets what memory does not have, and remembers in its place why it could not be had. */
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

  #explain(error: unknown, { session, downstream }: TokenRequest): unknown {
    if (!(error instanceof ExchangeRefused)) {
      return error;
    }
    const { refusal, correlationId } = error;
    const { tenantId, kind } = session.principal;
    const isOwnToken = kind === 'app';
    const scopes = isOwnToken ? [downstream.applicationScope] : downstream.scopes;
    return toFailure(refusal, { ...this.#options, tenantId, scopes, correlationId, isOwnToken });
  }
}

/** Under which a refusal is remembered. */
function refusalKey({ downstream, claims }: TokenRequest): string {
  return `${downstream.name} ${claims}`;
}

/** Entra exchanges no assertion that expired, though the gateway still accepts it for a moment. */
function isWorthRefreshing({ principal, assertionExpiresAt }: Session, now: number): boolean {
  return principal.kind === 'app' || now < assertionExpiresAt;
}

/** On the monotonic clock; `undefined` for what is no refusal of Entra's. */
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

/** Entra named a time, so that even a refresh that is due is not worth another try before. */
function hasToWait(remembered: Error | undefined): boolean {
  return isOutage(remembered) && remembered.refusal.retryAt !== undefined;
}

function logFactsOf(failure: unknown): object {
  return failure instanceof GatewayError ? (failure.facts.log ?? {}) : { error: 'internal' };
}
