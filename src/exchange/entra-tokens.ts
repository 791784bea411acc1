import { randomUUID } from 'node:crypto';
import type { DownstreamToken, FetchedToken } from '../session/downstream-token.ts';
import type { Principal } from '../session/principal.ts';
import type { RemoteTokenSource, TokenRequest } from '../session/token-source.ts';
import type { AgentClients } from './agent-clients.ts';
import type { EntraTokenClient } from './entra-token-client.ts';
import { REFUSAL_CLASSES } from './entra-codes.ts';
import { ExchangeRefused } from './exchange-refused.ts';
import type { Refusal } from './refusal.ts';

/** What {@link EntraTokens} works with. */
export interface EntraTokensOptions {
  readonly client: EntraTokenClient;
  /** The clients of the agent identities that downstreams name. */
  readonly agents: AgentClients;
  /** Says whether a tenant's failed request may be sent once more; called when it has failed. */
  readonly mayTryAgain: (tenantId: string) => boolean;
  /** Called after each request to Entra. */
  readonly onExchange: (report: ExchangeReport) => void;
}

/** How an exchange ended: `token`, the class of the refusal, or `fault` for a bug of ours. */
export const EXCHANGE_OUTCOMES = ['token', ...REFUSAL_CLASSES, 'fault'] as const;

/** One exchange that is over. */
export interface ExchangeReport {
  /** The name of the downstream. */
  readonly downstream: string;
  /** The client id of the agent identity that asked; `undefined` when it was the gateway itself. */
  readonly agent: string | undefined;
  readonly principal: Principal;
  /** The `client-request-id`. */
  readonly correlationId: string;
  readonly outcome: (typeof EXCHANGE_OUTCOMES)[number];
  /** What Entra said, when it refused. */
  readonly refusal: Refusal | undefined;
  readonly seconds: number;
}

/**
 * The last source: asks Entra on behalf of the user, or for the gateway itself when the caller is an app. It asks as the
 * gateway, or as the agent identity that the downstream names.
 */
export class EntraTokens implements RemoteTokenSource {
  readonly #options: EntraTokensOptions;

  constructor(options: EntraTokensOptions) {
    this.#options = options;
  }

  /** @throws {ExchangeRefused} when there is no token */
  async acquire(request: TokenRequest): Promise<FetchedToken> {
    const { downstream, correlationId = randomUUID() } = request;
    const start = performance.now();
    let outcome: ExchangeReport['outcome'] = 'token';
    let refusal: Refusal | undefined;
    try {
      const token = await this.#send(request, correlationId);
      return { token, from: 'entra', correlationId };
    } catch (error) {
      refusal = error instanceof ExchangeRefused ? error.refusal : undefined;
      outcome = refusal?.class ?? 'fault';
      throw error;
    } finally {
      const seconds = (performance.now() - start) / 1_000;
      const { principal } = request.session;
      const { name, agent } = downstream;
      this.#options.onExchange({ downstream: name, agent, principal, correlationId, outcome, refusal, seconds });
    }
  }

  #send({ session, assertion, downstream, claims }: TokenRequest, correlationId: string): Promise<DownstreamToken> {
    const { agents, mayTryAgain } = this.#options;
    const { kind, tenantId, handlesClaims } = session.principal;
    const client = downstream.agent === undefined ? this.#options.client : agents.find(downstream.agent, tenantId);
    const common = { tenantId, claims, correlationId, mayTryAgain: (): boolean => mayTryAgain(tenantId) };
    return kind === 'app'
      ? client.asApplication({ ...common, scope: downstream.applicationScope })
      : client.onBehalfOf({ ...common, assertion: assertion(), scopes: downstream.scopes, handlesClaims });
  }
}
