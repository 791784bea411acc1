import type { DownstreamToken, FetchedToken } from './downstream-token.ts';
import type { Session } from './session.ts';

/** What Entra has to know of a downstream to give a token for it. */
export interface DownstreamScopes {
  /** As gateway.yaml calls it. */
  readonly name: string;
  /** Fixed scopes of one resource. */
  readonly scopes: readonly string[];
  /** The resource of the scopes with `/.default`, for callers that are apps. */
  readonly applicationScope: string;
}

/** Whose token is wanted, and for what. */
export interface TokenRequest {
  readonly session: Session;
  /** Gives the caller's own access token; called only when memory is not enough. */
  readonly assertion: () => string;
  readonly downstream: DownstreamScopes;
  /** A claims request as JSON text that the token must meet, checked before; empty for none. */
  readonly claims: string;
  /**
   * The `client-request-id`, a GUID, of an earlier exchange for the same request; `undefined` for a new one, which is
   * made when Entra is asked.
   */
  readonly correlationId: string | undefined;
  /** True when the token is to take the place of one that still serves, so that only a new one will do; default false. */
  readonly isRefresh?: boolean;
}

/**
 * Where downstream tokens come from. There are five, and each asks the next one for what it has not got: the session's
 * tokens, Redis, the claims that are expected, the circuit breaker, Entra. `exchange/assemble-exchange.ts` is the one
 * place that puts them together.
 */
export interface TokenSource {
  /**
   * A downstream token for a caller: on behalf of a user, or the gateway's own when the caller is an app.
   *
   * @returns the token when it is held, and otherwise a promise of it
   */
  acquire(request: TokenRequest): DownstreamToken | Promise<FetchedToken>;
}

/** A source that holds nothing: whoever asks it has to wait. */
export interface RemoteTokenSource extends TokenSource {
  /** @throws {Error} what the last source, Entra, says why there is no token */
  acquire(request: TokenRequest): Promise<FetchedToken>;
}
