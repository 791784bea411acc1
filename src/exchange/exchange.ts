import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { DownstreamTokens, type DownstreamToken, type FetchedToken, type HeldToken } from '../downstream-tokens.ts';
import type { Authority } from '../entra/authority.ts';
import { GatewayError } from '../failures.ts';
import type { Session } from '../session.ts';
import type { SharedTokens, TokenPlace } from '../token-cache/shared-tokens.ts';
import type { RefusalClass } from './entra-codes.ts';
import { ExchangeNotTried, ExchangeRefused } from './entra-token-client.ts';
import { ExpectedClaims } from './expected-claims.ts';
import { GuardedTokenClient, type ExchangeTarget, type GuardedTokenClientOptions } from './guarded-token-client.ts';
import { toFailure } from './refusal-to-failure.ts';

/** Where the exchange reports what no caller hears of. */
export interface ExchangeLog {
  warn(fields: object, message: string): void;
}

/** What {@link createExchange} works with. */
export interface ExchangeOptions extends GuardedTokenClientOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly authority: Authority;
  readonly clientId: string;
  readonly consentRedirectUri: string | undefined;
  /** The second level of the users' tokens, if there is one. */
  readonly shared?: SharedTokens | undefined;
  readonly log: ExchangeLog;
}

/** Whose token is wanted, and for what. */
export interface Wanted {
  readonly session: Session;
  /** Gives the caller's own access token; called only when memory is not enough. */
  readonly assertion: () => string;
  readonly target: ExchangeTarget;
  /** A claims request as JSON text that the token must meet. */
  readonly claims?: string | undefined;
  /** The `client-request-id` of an earlier exchange for the same request; a new one is made when there was none. */
  readonly correlationId?: string | undefined;
}

/** The step between a verified caller and a call downstream. */
export interface Exchange {
  /**
   * The caller's token for a downstream: the one that is held, or a new one from Entra.
   *
   * @throws {GatewayError} what Entra's refusal means for the caller
   */
  acquire(wanted: Wanted): DownstreamToken | Promise<FetchedToken>;
  /**
   * Forgets a token that the downstream did not accept. Where it did not ask for claims, a new one helps seldom, so that
   * only one token a minute is forgotten: a downstream that refuses everything must not cost an exchange for each
   * request. The gateway's own token serves many, so that it is forgotten once a minute for the same claims, too.
   *
   * @param wanted with the claims that the downstream asked for, if it did
   * @returns true when it was forgotten now; false when another request did so before, or it is too early
   */
  discard(wanted: Wanted, refused: DownstreamToken): boolean;
  /** Remembers that an operation only answers this assertion with a challenge, so that nobody need be asked again. */
  remember(session: Session, operation: string, challenge: Error): void;
  /** Lets the next assertions of this caller be exchanged with claims at once: its request could not be sent again. */
  expect(session: Session, target: ExchangeTarget, claims: string): void;
  /** The challenge that is remembered for an operation. */
  recall(session: Session, operation: string): Error | undefined;
}

/** Milliseconds for which Entra need not be asked again what it refused. */
const REFUSAL_LIFETIME = 60_000;

/** The same for any other failure: long enough for a client that tries again at once, and hardly noticed by a person. */
const FAILURE_LIFETIME = 1_000;

/** Tenants whose tokens for apps are held at most. */
const MOST_TENANTS = 1_000;

/** Refusals that another request with the same assertion would only hear again. */
const LASTING: ReadonlySet<RefusalClass> = new Set(['CH', 'CO', 'DE']);

/**
 * Makes the exchange step. A user's tokens live in the user's session; the gateway's own tokens, for callers that are
 * apps, are shared by all of them.
 */
export function createExchange(options: ExchangeOptions): Exchange {
  const { shared, now, monotonicMs, log } = options;
  const client = new GuardedTokenClient(options);
  const ownTokens = new LRUCache<string, DownstreamTokens>({ max: MOST_TENANTS });
  const expected = new ExpectedClaims(monotonicMs);
  return {
    acquire(wanted) {
      const { session, target, claims = '' } = wanted;
      const time = now();
      const held = tokensOf(session).find(target.name, claims, time);
      if (held === undefined) {
        return request(wanted, claims);
      }
      if (held.isRefreshDue(time) && isWorthRefreshing(session) && held.claimRefresh(monotonicMs())) {
        void refresh(wanted, held);
      }
      return held.token;
    },
    discard(wanted, refused) {
      const { session, target } = wanted;
      const tokens = tokensOf(session);
      const isForgotten = mayDiscard(wanted, refused, tokens);
      if (isForgotten) {
        tokens.discard(target.name, refused);
        if (mayBeShared(session)) {
          shared?.discard(placeOf(wanted), refused);
        }
      }
      return isForgotten;
    },
    remember(session, operation, challenge) {
      const time = monotonicMs();
      session.tokens.remember(`operation ${operation}`, challenge, time + REFUSAL_LIFETIME, time);
    },
    expect(session, target, claims) {
      expected.add(session.principal, target.name, claims);
    },
    recall(session, operation) {
      return session.tokens.hasRefusals
        ? session.tokens.findRefusal(`operation ${operation}`, monotonicMs())
        : undefined;
    },
  };

  function tokensOf(session: Session): DownstreamTokens {
    const { kind, tenantId } = session.principal;
    return kind === 'app' ? ownTokensFor(tenantId) : session.tokens;
  }

  function mayDiscard(
    { session, target, claims }: Wanted,
    refused: DownstreamToken,
    tokens: DownstreamTokens,
  ): boolean {
    const { name } = target;
    if (claims !== undefined && session.principal.kind === 'user') {
      return true;
    }
    const time = monotonicMs();
    return (
      tokens.holds(name, refused) &&
      ((claims !== undefined && tokens.claimDiscard(name, claims, time)) || tokens.claimDiscard(name, '', time))
    );
  }

  function ownTokensFor(tenantId: string): DownstreamTokens {
    const known = ownTokens.get(tenantId);
    const tokens = known ?? new DownstreamTokens();
    if (known === undefined) {
      ownTokens.set(tenantId, tokens);
    }
    return tokens;
  }

  /** Entra exchanges no assertion that expired, though the gateway still accepts it for a moment. */
  function isWorthRefreshing({ principal, assertionExpiresAt }: Session): boolean {
    return principal.kind === 'app' || now() < assertionExpiresAt;
  }

  async function request(wanted: Wanted, claims: string): Promise<FetchedToken> {
    const { session, target } = wanted;
    const tokens = tokensOf(session);
    try {
      const remembered = tokens.findRefusal(`${target.name} ${claims}`, monotonicMs());
      return await (remembered === undefined
        ? tokens.request(target.name, claims, () => obtain(wanted, claims, () => fetchToken(wanted, claims)))
        : Promise.reject(remembered));
    } catch (error) {
      const lastResort = isOutage(error) ? tokens.findLastResort(target.name, claims, now()) : undefined;
      if (isOutage(error) && lastResort !== undefined) {
        return { token: lastResort.token, from: 'session', correlationId: error.correlationId };
      }
      throw explain(error, session, target);
    }
  }

  /** Gets what memory does not have, and remembers in its place why it could not be had. */
  async function obtain(
    { session, target }: Wanted,
    claims: string,
    get: () => Promise<FetchedToken>,
  ): Promise<FetchedToken> {
    try {
      return await get();
    } catch (error) {
      const time = monotonicMs();
      const until = rememberUntil(error, time);
      if (until !== undefined) {
        tokensOf(session).remember(`${target.name} ${claims}`, error as Error, until, time);
      }
      throw error;
    }
  }

  /** From the second level when that has one, otherwise from Entra; with claims only Entra's word counts. */
  function fetchToken(wanted: Wanted, claims: string): Promise<FetchedToken> {
    const askEntra = (): Promise<FetchedToken> => askExpecting(wanted, claims);
    return claims === '' && shared !== undefined && mayBeShared(wanted.session)
      ? shared.acquire(placeOf(wanted), askEntra)
      : renew(wanted, askEntra);
  }

  function renew(wanted: Wanted, askEntra: () => Promise<FetchedToken>): Promise<FetchedToken> {
    return shared !== undefined && mayBeShared(wanted.session) ? shared.renew(placeOf(wanted), askEntra) : askEntra();
  }

  /** Replaces a token that still serves; whatever comes of it, no request hears of it. */
  async function refresh(wanted: Wanted, held: HeldToken): Promise<void> {
    const { session, target } = wanted;
    const { claims } = held;
    const tokens = tokensOf(session);
    if (hasToWait(tokens.findRefusal(`${target.name} ${claims}`, monotonicMs()))) {
      return;
    }
    try {
      // With an id of its own: it is not made for the request that noticed that it is due.
      const get = (): Promise<FetchedToken> =>
        renew(wanted, () => client.ask({ ...wanted, claims, correlationId: randomUUID() }));
      await tokens.refresh(target.name, held, () => obtain(wanted, claims, get));
    } catch (error) {
      if (isOutage(error)) {
        // At once, so that no request has to find out in the place of this one.
        held.prolong(now());
      } else {
        held.endAsPlanned();
      }
      if (!(error instanceof ExchangeNotTried)) {
        log.warn(
          { downstream: target.name, ...describe(explain(error, session, target)) },
          'no new downstream token yet',
        );
      }
    }
  }

  function explain(error: unknown, { principal }: Session, target: ExchangeTarget): unknown {
    if (!(error instanceof ExchangeRefused)) {
      return error;
    }
    const { refusal, correlationId } = error;
    const { tenantId, kind } = principal;
    const isOwnToken = kind === 'app';
    const scopes = isOwnToken ? [target.applicationScope] : target.scopes;
    return toFailure(refusal, { ...options, tenantId, scopes, correlationId, isOwnToken });
  }

  /** Claims that a downstream is known to want are asked for at once; without them when Entra refuses. */
  async function askExpecting(wanted: Wanted, claims: string): Promise<FetchedToken> {
    const { session, target, correlationId = randomUUID() } = wanted;
    const question = { ...wanted, claims, correlationId };
    const known = claims === '' ? expected.find(session.principal, target.name) : undefined;
    if (known === undefined) {
      return client.ask(question);
    }
    try {
      return await client.ask({ ...question, claims: known });
    } catch (error) {
      if (isOutage(error)) {
        throw error;
      }
      return client.ask(question);
    }
  }
}

/** The gateway's own tokens are not shared: no caller's assertion could seal them, and each replica needs only a few. */
function mayBeShared({ principal }: Session): boolean {
  return principal.kind === 'user';
}

function placeOf({ session, assertion, target }: Wanted): TokenPlace {
  const { name, scopes } = target;
  return { assertion: assertion(), assertionEndsAt: session.expiresAt, downstream: name, scopes };
}

/** On the monotonic clock; `undefined` for what is no refusal of Entra's. */
function rememberUntil(error: unknown, monotonicMs: number): number | undefined {
  if (!(error instanceof ExchangeRefused) || error instanceof ExchangeNotTried) {
    return undefined;
  }
  const { class: refusalClass, retryAt } = error.refusal;
  if (refusalClass === 'RT' && retryAt !== undefined) {
    return retryAt;
  }
  return monotonicMs + (LASTING.has(refusalClass) ? REFUSAL_LIFETIME : FAILURE_LIFETIME);
}

/** True for a failure of Entra's own, which says nothing about the caller: it is down, too slow, or throttles. */
function isOutage(error: unknown): error is ExchangeRefused {
  return error instanceof ExchangeRefused && error.refusal.class === 'RT';
}

/** Entra named a time, so that even a refresh that is due is not worth another try before. */
function hasToWait(remembered: Error | undefined): boolean {
  return isOutage(remembered) && remembered.refusal.retryAt !== undefined;
}

function describe(failure: unknown): object {
  return failure instanceof GatewayError ? (failure.facts.log ?? {}) : { error: 'internal' };
}
