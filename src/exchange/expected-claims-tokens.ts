import { randomUUID } from 'node:crypto';
import type { FetchedToken } from '../session/downstream-token.ts';
import type { RemoteTokenSource, TokenRequest } from '../session/token-source.ts';
import { isOutage } from './exchange-refused.ts';
import type { ExpectedClaims } from './expected-claims.ts';

/**
 * The third source: asks for a token with the claims that the downstream is expected to ask for, and for one without
 * them when Entra refuses.
 */
export class ExpectedClaimsTokens implements RemoteTokenSource {
  readonly #next: RemoteTokenSource;
  readonly #expected: ExpectedClaims;

  constructor(next: RemoteTokenSource, expected: ExpectedClaims) {
    this.#next = next;
    this.#expected = expected;
  }

  async acquire(request: TokenRequest): Promise<FetchedToken> {
    const { session, downstream, claims, isRefresh = false } = request;
    // A refresh asks for the claims of the token that it replaces, and for no others.
    const known = claims === '' && !isRefresh ? this.#expected.find(session.principal, downstream.key) : undefined;
    if (known === undefined) {
      return this.#next.acquire(request);
    }
    // Both tries belong to one request, so they have one id at Entra.
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
