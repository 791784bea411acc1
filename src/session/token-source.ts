import type { DownstreamToken, FetchedToken } from './downstream-token.ts';
import type { Session } from './session.ts';

/** What Entra needs to know of a downstream to give a token for it. */
export interface DownstreamScopes {
  /** The name of the downstream in gateway.yaml. */
  readonly name: string;
  /** The scopes that users' tokens are asked for with, all of one resource. */
  readonly scopes: readonly string[];
  /** `{resource}/.default`, for callers that are apps. */
  readonly applicationScope: string;
  /** The client id of the agent identity that gets the tokens; absent where the gateway itself gets them. */
  readonly agent?: string | undefined;
  /** The name under which tokens are held, see {@link nameTokens}. */
  readonly key: string;
}

/**
 * Names the tokens of a downstream in memory. After a reload with other scopes or another agent they have another name,
 * so that no token of the old ones is found. The name begins with that of the downstream and a space, which is in no
 * such name, in no scope and in no client id.
 */
export function nameTokens(downstream: string, scopes: readonly string[], agent?: string): string {
  const name = `${downstream} ${scopes.join()}`;
  return agent === undefined ? name : `${name} ${agent}`;
}

/** The token that is needed: for which caller, for which downstream, with which claims. */
export interface TokenRequest {
  readonly session: Session;
  /** Gives the caller's own access token; called only when the token is not in memory. */
  readonly assertion: () => string;
  readonly downstream: DownstreamScopes;
  /** The claims request that the token must meet, as JSON text that has been checked; empty for none. */
  readonly claims: string;
  /**
   * The `client-request-id` (a GUID) of an earlier exchange for the same request; `undefined` for a new id, which is
   * made when Entra is asked.
   */
  readonly correlationId: string | undefined;
  /** True when the token replaces one that still serves, so that it must come from Entra; default false. */
  readonly isRefresh?: boolean;
}

/**
 * A source of downstream tokens. There are five, and each asks the next one for a token that it does not have: the
 * session's tokens, Redis, the expected claims, the circuit breaker, Entra. Only `exchange/assemble-exchange.ts` puts
 * them together.
 */
export interface TokenSource {
  /**
   * Acquires a downstream token: on behalf of the user, or when the caller is an app, the gateway's own token or its
   * agent's.
   *
   * @returns the token when it is in memory, so that a request for it waits for nothing; otherwise a promise
   */
  acquire(request: TokenRequest): DownstreamToken | Promise<FetchedToken>;
}

/** A source that has nothing in memory: whoever asks it has to wait. */
export interface RemoteTokenSource extends TokenSource {
  /** @throws {Error} when there is no token; the error of the last source, Entra, passes through all of them */
  acquire(request: TokenRequest): Promise<FetchedToken>;
}
