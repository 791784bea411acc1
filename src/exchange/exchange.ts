import { LRUCache } from 'lru-cache';
import { DownstreamTokens, type DownstreamToken } from '../downstream-tokens.ts';
import type { Authority } from '../entra/authority.ts';
import type { Session } from '../session.ts';
import type { RefusalClass } from './entra-codes.ts';
import { ExchangeRefused, type EntraTokenClient } from './entra-token-client.ts';
import { toFailure } from './refusal-to-failure.ts';
import type { Refusal } from './refusal.ts';

/** The part of a downstream that the exchange needs. */
export interface ExchangeTarget {
  readonly name: string;
  /** Fixed scopes of one resource. */
  readonly scopes: readonly string[];
  /** The resource of the scopes with `/.default`, for callers that are apps. */
  readonly applicationScope: string;
}

/** What {@link createExchange} works with. */
export interface ExchangeOptions {
  readonly client: EntraTokenClient;
  readonly authority: Authority;
  readonly clientId: string;
  readonly consentRedirectUri: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Is told of each request to Entra; the outcome is `token` or the class of the refusal. */
  readonly onExchange: (downstream: string, outcome: string, seconds: number) => void;
}

/** The step between a verified caller and a call downstream. */
export interface Exchange {
  /**
   * The caller's token for a downstream: the one that is held, or a new one from Entra, with claims if they are given.
   *
   * @throws {GatewayError} what Entra's refusal means for the caller
   */
  acquire(session: Session, target: ExchangeTarget, claims?: string): DownstreamToken | Promise<DownstreamToken>;
  /** Forgets a token that the downstream did not accept. */
  discard(session: Session, target: ExchangeTarget, refused: DownstreamToken): void;
  /** Remembers that an operation only answers this assertion with a challenge, so that nobody need be asked again. */
  remember(session: Session, operation: string, challenge: Error): void;
  /** Lets the next assertions of this caller be exchanged with claims at once: its request could not be sent again. */
  expect(session: Session, target: ExchangeTarget, claims: string): void;
  /** The challenge that is remembered for an operation. */
  recall(session: Session, operation: string): Error | undefined;
}

/** Milliseconds for which Entra need not be asked again what it refused. */
const REFUSAL_LIFETIME = 60_000;

/** Milliseconds in which a caller is expected to come back with a large body. */
const EXPECTATION_LIFETIME = 10 * 60 * 1_000;

const MOST_EXPECTED = 10_000;

/** Refusals that another request with the same assertion would only hear again. */
const LASTING: ReadonlySet<RefusalClass> = new Set(['CH', 'CO', 'DE']);

/**
 * Makes the exchange step. A user's tokens live in the user's session; the gateway's own tokens, for callers that are
 * apps, are shared by all of them.
 */
export function createExchange(options: ExchangeOptions): Exchange {
  const { client, now, onExchange } = options;
  const ownTokens = new DownstreamTokens();
  const expected = new LRUCache<string, { readonly claims: string; readonly until: number }>({ max: MOST_EXPECTED });
  return {
    acquire(session, target, claims = '') {
      return tokensOf(session).find(keyOf(session, target), claims, now()) ?? request(session, target, claims);
    },
    discard(session, target, refused) {
      tokensOf(session).discard(keyOf(session, target), refused);
    },
    remember(session, operation, challenge) {
      session.tokens.remember(`operation ${operation}`, challenge, now() + REFUSAL_LIFETIME, now());
    },
    expect(session, target, claims) {
      expected.set(callerOf(session, target), { claims, until: now() + EXPECTATION_LIFETIME });
    },
    recall: (session, operation) => session.tokens.findRefusal(`operation ${operation}`, now()),
  };

  function tokensOf(session: Session): DownstreamTokens {
    return session.principal.kind === 'app' ? ownTokens : session.tokens;
  }

  async function request(session: Session, target: ExchangeTarget, claims: string): Promise<DownstreamToken> {
    const tokens = tokensOf(session);
    const key = keyOf(session, target);
    const flight = `${key} ${claims}`;
    const remembered = tokens.findRefusal(flight, now());
    if (remembered !== undefined) {
      throw explain(remembered, session, target);
    }
    try {
      return await tokens.request(key, claims, () => askExpecting(session, target, claims));
    } catch (error) {
      const until = error instanceof ExchangeRefused ? rememberUntil(error.refusal, now()) : undefined;
      if (until !== undefined) {
        tokens.remember(flight, error as ExchangeRefused, until, now());
      }
      throw explain(error, session, target);
    }
  }

  function explain(error: unknown, { principal }: Session, { scopes }: ExchangeTarget): unknown {
    const { tenantId, kind } = principal;
    return error instanceof ExchangeRefused
      ? toFailure(error.refusal, { ...options, tenantId, scopes, isOwnToken: kind === 'app' })
      : error;
  }

  /** Claims that a downstream is known to want are asked for at once; without them when Entra refuses. */
  async function askExpecting(session: Session, target: ExchangeTarget, claims: string): Promise<DownstreamToken> {
    const known = claims === '' ? expected.get(callerOf(session, target)) : undefined;
    if (known === undefined || now() >= known.until) {
      return ask(session, target, claims);
    }
    try {
      return await ask(session, target, known.claims);
    } catch {
      return ask(session, target, claims);
    }
  }

  async function ask(
    { principal, assertion }: Session,
    target: ExchangeTarget,
    claims: string,
  ): Promise<DownstreamToken> {
    const { kind, tenantId, handlesClaims } = principal;
    const { scopes, applicationScope } = target;
    const start = performance.now();
    let outcome = 'token';
    try {
      return kind === 'app'
        ? await client.asApplication({ tenantId, scope: applicationScope })
        : await client.onBehalfOf({ assertion, tenantId, scopes, claims, handlesClaims });
    } catch (error) {
      outcome = error instanceof ExchangeRefused ? error.refusal.class : 'fault';
      throw error;
    } finally {
      onExchange(target.name, outcome, (performance.now() - start) / 1_000);
    }
  }
}

/** The same caller, whatever its token. */
function callerOf({ principal }: Session, { name }: ExchangeTarget): string {
  return JSON.stringify([principal.tenantId, principal.objectId, principal.clientId, name]);
}

/** The gateway's own token is one for each downstream and tenant. */
function keyOf({ principal }: Session, { name }: ExchangeTarget): string {
  return principal.kind === 'app' ? `${name} ${principal.tenantId}` : name;
}

function rememberUntil(refusal: Refusal, now: number): number | undefined {
  if (refusal.class === 'RT') {
    return refusal.retryAt;
  }
  return LASTING.has(refusal.class) ? now + REFUSAL_LIFETIME : undefined;
}
