import { randomUUID } from 'node:crypto';
import type { DownstreamToken, FetchedToken } from '../session/downstream-token.ts';
import type { RemoteTokenSource, TokenRequest } from '../session/token-source.ts';
import type { EntraTokenClient } from './entra-token-client.ts';
import { ExchangeRefused } from './exchange-refused.ts';

/** What {@link EntraTokens} works with. */
export interface EntraTokensOptions {
  readonly client: EntraTokenClient;
  /** Says whether a tenant's failed request may be sent once more; called when it has failed. */
  readonly mayTryAgain: (tenantId: string) => boolean;
  /** Called after each request to Entra; the outcome is `token`, the class of the refusal, or `fault` for our bug. */
  readonly onExchange: (downstream: string, outcome: string, seconds: number) => void;
}

/** The last source: asks Entra on behalf of the user, or for the gateway itself when the caller is an app. */
export class EntraTokens implements RemoteTokenSource {
  readonly #options: EntraTokensOptions;

  constructor(options: EntraTokensOptions) {
    this.#options = options;
  }

  /** @throws {ExchangeRefused} when there is no token */
  async acquire(request: TokenRequest): Promise<FetchedToken> {
    const { downstream, correlationId = randomUUID() } = request;
    const start = performance.now();
    let outcome = 'token';
    try {
      const token = await this.#send(request, correlationId);
      return { token, from: 'entra', correlationId };
    } catch (error) {
      outcome = error instanceof ExchangeRefused ? error.refusal.class : 'fault';
      throw error;
    } finally {
      this.#options.onExchange(downstream.name, outcome, (performance.now() - start) / 1_000);
    }
  }

  #send({ session, assertion, downstream, claims }: TokenRequest, correlationId: string): Promise<DownstreamToken> {
    const { client, mayTryAgain } = this.#options;
    const { kind, tenantId, handlesClaims } = session.principal;
    const common = { tenantId, claims, correlationId, mayTryAgain: (): boolean => mayTryAgain(tenantId) };
    return kind === 'app'
      ? client.asApplication({ ...common, scope: downstream.applicationScope })
      : client.onBehalfOf({ ...common, assertion: assertion(), scopes: downstream.scopes, handlesClaims });
  }
}
