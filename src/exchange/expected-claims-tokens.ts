import { randomUUID } from 'node:crypto';
import type { FetchedToken } from '../session/downstream-token.ts';
import type { RemoteTokenSource, TokenRequest } from '../session/token-source.ts';
import { isOutage } from './exchange-refused.ts';
import type { ExpectedClaims } from './expected-claims.ts';

/** Asks at once for the claims that a downstream is known to want, and without them when Entra refuses. */
export class ExpectedClaimsTokens implements RemoteTokenSource {
  readonly #next: RemoteTokenSource;
  readonly #expected: ExpectedClaims;

  constructor(next: RemoteTokenSource, expected: ExpectedClaims) {
    this.#next = next;
    this.#expected = expected;
  }

  async acquire(request: TokenRequest): Promise<FetchedToken> {
    const { session, downstream, claims, isRefresh = false } = request;
    // A token is refreshed with its own claims, and with no others.
    const known = claims === '' && !isRefresh ? this.#expected.find(session.principal, downstream.name) : undefined;
    if (known === undefined) {
      return this.#next.acquire(request);
    }
    // Both tries are for one request, so that Entra has them under one id.
    const { correlationId = randomUUID() } = request;
    try {
      return await this.#next.acquire({ ...request, correlationId, claims: known });
    } catch (error) {
      if (isOutage(error)) {
        throw error;
      }
      return this.#next.acquire({ ...request, correlationId });
    }
  }
}
