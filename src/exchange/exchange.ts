import { LRUCache } from 'lru-cache';
import { DownstreamTokens, type DownstreamToken, type HeldToken } from '../downstream-tokens.ts';
import type { Authority } from '../entra/authority.ts';
import { GatewayError } from '../failures.ts';
import type { Session } from '../session.ts';
import type { SharedTokens, TokenPlace } from '../token-cache/shared-tokens.ts';
import { EntraCircuit } from './entra-circuit.ts';
import type { RefusalClass } from './entra-codes.ts';
import { ExchangeNotTried, ExchangeRefused, type EntraTokenClient } from './entra-token-client.ts';
import { toFailure } from './refusal-to-failure.ts';

/** The part of a downstream that the exchange needs. */
export interface ExchangeTarget {
  readonly name: string;
  /** Fixed scopes of one resource. */
  readonly scopes: readonly string[];
  /** The resource of the scopes with `/.default`, for callers that are apps. */
  readonly applicationScope: string;
}

/** Where the exchange reports what no caller hears of. */
export interface ExchangeLog {
  warn(fields: object, message: string): void;
}

/** What {@link createExchange} works with. */
export interface ExchangeOptions {
  readonly client: EntraTokenClient;
  readonly authority: Authority;
  readonly clientId: string;
  readonly consentRedirectUri: string | undefined;
  /** The second level of the users' tokens, if there is one. */
  readonly shared?: SharedTokens | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: ExchangeLog;
  /** Is told of each request to Entra; the outcome is `token` or the class of the refusal. */
  readonly onExchange: (downstream: string, outcome: string, seconds: number) => void;
}

/** Whose token is wanted, and for what. */
export interface Wanted {
  readonly session: Session;
  /** Gives the caller's own access token; called only when memory is not enough. */
  readonly assertion: () => string;
  readonly target: ExchangeTarget;
  /** A claims request as JSON text that the token must meet. */
  readonly claims?: string | undefined;
}

/** The step between a verified caller and a call downstream. */
export interface Exchange {
  /**
   * The caller's token for a downstream: the one that is held, or a new one from Entra.
   *
   * @throws {GatewayError} what Entra's refusal means for the caller
   */
  acquire(wanted: Wanted): DownstreamToken | Promise<DownstreamToken>;
  /** Forgets a token that the downstream did not accept. */
  discard(wanted: Wanted, refused: DownstreamToken): void;
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

/** Milliseconds over which callers who were all sent away at once come back. */
const SPREAD = 2_000;

/** Milliseconds in which a caller is expected to come back with a large body. */
const EXPECTATION_LIFETIME = 10 * 60 * 1_000;

const MOST_EXPECTED = 10_000;

/** Tenants whose tokens for apps are held at most. */
const MOST_TENANTS = 1_000;

/** Refusals that another request with the same assertion would only hear again. */
const LASTING: ReadonlySet<RefusalClass> = new Set(['CH', 'CO', 'DE']);

/**
 * Makes the exchange step. A user's tokens live in the user's session; the gateway's own tokens, for callers that are
 * apps, are shared by all of them.
 */
export function createExchange(options: ExchangeOptions): Exchange {
  const { client, shared, now, log, onExchange } = options;
  const ownTokens = new LRUCache<string, DownstreamTokens>({ max: MOST_TENANTS });
  const circuit = new EntraCircuit(now);
  const expected = new LRUCache<string, { readonly claims: string; readonly until: number }>({ max: MOST_EXPECTED });
  return {
    acquire(wanted) {
      const { session, target, claims = '' } = wanted;
      const held = tokensOf(session).find(target.name, claims, now());
      if (held === undefined) {
        return request(wanted, claims);
      }
      if (isWorthRefreshing(session) && held.claimRefresh(now())) {
        void refresh(wanted, held);
      }
      return held.token;
    },
    discard(wanted, refused) {
      const { session, target } = wanted;
      tokensOf(session).discard(target.name, refused);
      if (mayBeShared(session)) {
        shared?.discard(placeOf(wanted), refused);
      }
    },
    remember(session, operation, challenge) {
      session.tokens.remember(`operation ${operation}`, challenge, now() + REFUSAL_LIFETIME, now());
    },
    expect(session, target, claims) {
      expected.set(callerOf(session, target), { claims, until: now() + EXPECTATION_LIFETIME });
    },
    recall(session, operation) {
      return session.tokens.hasRefusals ? session.tokens.findRefusal(`operation ${operation}`, now()) : undefined;
    },
  };

  function tokensOf(session: Session): DownstreamTokens {
    const { kind, tenantId } = session.principal;
    return kind === 'app' ? ownTokensFor(tenantId) : session.tokens;
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

  async function request(wanted: Wanted, claims: string): Promise<DownstreamToken> {
    const { session, target } = wanted;
    const tokens = tokensOf(session);
    try {
      const remembered = tokens.findRefusal(`${target.name} ${claims}`, now());
      return await (remembered === undefined
        ? tokens.request(target.name, claims, () => obtain(wanted, claims, () => fetchToken(wanted, claims)))
        : Promise.reject(remembered));
    } catch (error) {
      const lastResort = isOutage(error) ? tokens.findLastResort(target.name, claims, now()) : undefined;
      if (lastResort !== undefined) {
        return lastResort.token;
      }
      throw explain(error, session, target);
    }
  }

  /** Gets what memory does not have, and remembers in its place why it could not be had. */
  async function obtain(
    { session, target }: Wanted,
    claims: string,
    get: () => Promise<DownstreamToken>,
  ): Promise<DownstreamToken> {
    try {
      return await get();
    } catch (error) {
      const until = rememberUntil(error, now());
      if (until !== undefined) {
        tokensOf(session).remember(`${target.name} ${claims}`, error as Error, until, now());
      }
      throw error;
    }
  }

  /** From the second level when that has one, otherwise from Entra; with claims only Entra's word counts. */
  function fetchToken(wanted: Wanted, claims: string): Promise<DownstreamToken> {
    const askEntra = (): Promise<DownstreamToken> => askExpecting(wanted, claims);
    return claims === '' && shared !== undefined && mayBeShared(wanted.session)
      ? shared.acquire(placeOf(wanted), askEntra)
      : renew(wanted, askEntra);
  }

  function renew(wanted: Wanted, askEntra: () => Promise<DownstreamToken>): Promise<DownstreamToken> {
    return shared !== undefined && mayBeShared(wanted.session) ? shared.renew(placeOf(wanted), askEntra) : askEntra();
  }

  /** Replaces a token that still serves; whatever comes of it, no request hears of it. */
  async function refresh(wanted: Wanted, held: HeldToken): Promise<void> {
    const { session, target } = wanted;
    const { claims } = held;
    const tokens = tokensOf(session);
    if (hasToWait(tokens.findRefusal(`${target.name} ${claims}`, now()))) {
      return;
    }
    try {
      const get = (): Promise<DownstreamToken> => renew(wanted, () => ask(wanted, claims));
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

  function explain(error: unknown, { principal }: Session, { scopes }: ExchangeTarget): unknown {
    const { tenantId, kind } = principal;
    return error instanceof ExchangeRefused
      ? toFailure(error.refusal, { ...options, tenantId, scopes, isOwnToken: kind === 'app' })
      : error;
  }

  /** Claims that a downstream is known to want are asked for at once; without them when Entra refuses. */
  async function askExpecting(wanted: Wanted, claims: string): Promise<DownstreamToken> {
    const known = claims === '' ? expected.get(callerOf(wanted.session, wanted.target)) : undefined;
    if (known === undefined || now() >= known.until) {
      return ask(wanted, claims);
    }
    try {
      return await ask(wanted, known.claims);
    } catch (error) {
      if (isOutage(error)) {
        throw error;
      }
      return ask(wanted, claims);
    }
  }

  /** The one place where Entra is asked, unless the circuit is open. */
  async function ask({ session, assertion, target }: Wanted, claims: string): Promise<DownstreamToken> {
    const { kind, tenantId, handlesClaims } = session.principal;
    const { scopes, applicationScope } = target;
    const wait = circuit.waitBeforeCall();
    if (wait > 0) {
      throw new ExchangeNotTried(now() + wait + Math.random() * SPREAD);
    }
    const mayTryAgain = (): boolean => circuit.isCalm;
    const start = performance.now();
    let outcome = 'token';
    try {
      const token =
        kind === 'app'
          ? await client.asApplication({ tenantId, scope: applicationScope, mayTryAgain })
          : await client.onBehalfOf({ assertion: assertion(), tenantId, scopes, claims, handlesClaims, mayTryAgain });
      circuit.recordAnswer();
      return token;
    } catch (error) {
      outcome = error instanceof ExchangeRefused ? error.refusal.class : 'fault';
      recordFailure(error, session);
      throw error;
    } finally {
      onExchange(target.name, outcome, (performance.now() - start) / 1_000);
    }
  }

  function recordFailure(error: unknown, session: Session): void {
    if (!(error instanceof ExchangeRefused)) {
      return;
    }
    const { class: refusalClass, retryAt, status } = error.refusal;
    if (refusalClass === 'RT') {
      circuit.recordFailure({ caller: personOf(session), retryAt });
    } else if (status !== 0) {
      circuit.recordAnswer();
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

/** The same caller, whatever its token. */
function callerOf({ principal }: Session, { name }: ExchangeTarget): string {
  return JSON.stringify([principal.tenantId, principal.objectId, principal.clientId, name]);
}

/** Whom Entra may throttle alone: a user, whatever the tokens; all apps of a tenant, because they share one token. */
function personOf(session: Session): unknown {
  const { kind, tenantId, objectId } = session.principal;
  if (kind === 'app') {
    return tenantId;
  }
  return objectId === undefined ? session : `${tenantId} ${objectId}`;
}

/** `undefined` for what is no refusal of Entra's. */
function rememberUntil(error: unknown, now: number): number | undefined {
  if (!(error instanceof ExchangeRefused) || error instanceof ExchangeNotTried) {
    return undefined;
  }
  const { class: refusalClass, retryAt } = error.refusal;
  if (refusalClass === 'RT' && retryAt !== undefined) {
    return retryAt;
  }
  return now + (LASTING.has(refusalClass) ? REFUSAL_LIFETIME : FAILURE_LIFETIME);
}

/** Entra said nothing about the caller; nobody is the wiser. */
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
