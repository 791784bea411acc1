import type { WatchedCircuit } from '../resilience/circuit-breaker.ts';
import type { RedisTokenStore } from '../redis/redis-token-store.ts';
import { RedisTokens } from '../redis/redis-tokens.ts';
import type { DownstreamToken } from '../session/downstream-token.ts';
import type { HeldToken } from '../session/held-token.ts';
import type { Session } from '../session/session.ts';
import type { DownstreamScopes, RemoteTokenSource, TokenRequest, TokenSource } from '../session/token-source.ts';
import { AgentClients } from './agent-clients.ts';
import { CircuitBreakerTokens } from './circuit-breaker-tokens.ts';
import { EntraCircuits } from './entra-circuits.ts';
import { EntraTokens, type EntraTokensOptions } from './entra-tokens.ts';
import { ExpectedClaims } from './expected-claims.ts';
import { ExpectedClaimsTokens } from './expected-claims-tokens.ts';
import { SessionTokens, type SessionTokensOptions } from './session-tokens.ts';

/** What {@link assembleExchange} works with. */
export interface ExchangeOptions extends SessionTokensOptions, Pick<EntraTokensOptions, 'client' | 'onExchange'> {
  /** The tokens of users in Redis, the second level; absent where Redis is not used. */
  readonly redis?: RedisTokenStore | undefined;
}

/** The step between a verified caller and a call downstream. */
export interface Exchange extends TokenSource {
  /** The token that is in memory; `undefined` for none. Nothing is fetched or refreshed. */
  peek(session: Session, downstream: DownstreamScopes): HeldToken | undefined;
  /**
   * Forgets a token that the downstream refused, here and in Redis.
   *
   * @param request has the claims that the downstream asked for, if it asked for any
   * @returns true when the token was forgotten now; false when another request has forgotten it, or it is too early
   */
  discard(request: TokenRequest, refused: DownstreamToken): boolean;
  /** Remembers that an operation (by its name and rules) answers this assertion with a challenge, so that no request has to ask again. */
  remember(session: Session, operation: string, challenge: Error): void;
  /** The challenge that is remembered for an operation; `undefined` for none. */
  recall(session: Session, operation: string): Error | undefined;
  /** Has the caller's next assertions exchanged with these claims, because its request could not be repeated. */
  expect(session: Session, downstream: DownstreamScopes, claims: string): void;
  /** The circuits to Entra, in general and of these tenants. */
  watchCircuits(tenants: readonly string[]): readonly WatchedCircuit[];
}

/** Makes the exchange step: five sources of tokens, each of which asks the next one for what it does not have. */
export function assembleExchange(options: ExchangeOptions): Exchange {
  const { client, redis: store, monotonicMs, onExchange } = options;
  const circuits = new EntraCircuits(monotonicMs);
  const mayTryAgain = (tenantId: string): boolean => circuits.isCalm(tenantId);
  const agents = new AgentClients({ ...options, mayTryAgain });
  const expected = new ExpectedClaims(monotonicMs);

  const entra = new EntraTokens({ client, agents, onExchange, mayTryAgain });
  const circuitBreaker = (next: RemoteTokenSource) => new CircuitBreakerTokens(next, circuits, monotonicMs);
  const expectedClaims = (next: RemoteTokenSource) => new ExpectedClaimsTokens(next, expected);
  const redis = (next: RemoteTokenSource) => (store === undefined ? next : new RedisTokens(next, store));
  const session = (next: RemoteTokenSource) => new SessionTokens(next, options);

  const tokens = session(redis(expectedClaims(circuitBreaker(entra))));

  return {
    acquire: (request) => tokens.acquire(request),
    peek: (caller, downstream) => tokens.peek(caller, downstream),
    discard(request, refused) {
      const isForgotten = tokens.discard(request, refused);
      if (isForgotten) {
        store?.discard(request, refused);
      }
      return isForgotten;
    },
    remember: (caller, operation, challenge) => tokens.rememberChallenge(caller, operation, challenge),
    recall: (caller, operation) => tokens.recallChallenge(caller, operation),
    expect: ({ principal }, downstream, claims) => expected.add(principal, downstream.key, claims),
    watchCircuits: (tenants) => circuits.watch(tenants),
  };
}
