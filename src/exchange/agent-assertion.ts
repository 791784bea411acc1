import { randomUUID } from 'node:crypto';
import type { Authority } from '../entra/authority.ts';
import type { Clock } from '../resilience/clock.ts';
import type { DownstreamToken, FetchedToken } from '../session/downstream-token.ts';
import { DownstreamTokens } from '../session/downstream-tokens.ts';
import type { ClientCredential } from './client-credential.ts';
import type { EntraTokenClient } from './entra-token-client.ts';
import { AssertionRefused, ExchangeRefused, isOutage } from './exchange-refused.ts';
import type { MayTryAgain } from './recording-network.ts';

/** What {@link AgentAssertion} works with. */
export interface AgentAssertionOptions {
  /** The client of the blueprint. */
  readonly client: EntraTokenClient;
  readonly authority: Authority;
  /** The client id of the agent identity. */
  readonly agent: string;
  readonly tenantId: string;
  readonly now: Clock;
  readonly monotonicMs: Clock;
  readonly mayTryAgain: MayTryAgain;
}

/** How long a failure is remembered when Entra names no time, so that not every caller's exchange asks again. */
const FAILURE_LIFETIME_MS = 1_000;

/**
 * The client assertion that proves one agent identity in one tenant. Entra gives it to the blueprint (client credentials
 * with `fmi_path`, the client id of the agent identity). It serves every exchange of that agent, of whichever caller,
 * until it nears its end, and is asked for once for all that wait for it.
 */
export class AgentAssertion {
  readonly #options: AgentAssertionOptions;
  /** Holds one token, under the client id of the agent identity. */
  readonly #tokens = new DownstreamTokens();

  constructor(options: AgentAssertionOptions) {
    this.#options = options;
  }

  /**
   * Gives the assertion that is held, or a new one.
   *
   * @param refused what Entra has just refused; an assertion that is refused is replaced, once a minute
   * @throws {AssertionRefused} when there is none
   */
  async read(refused?: ClientCredential): Promise<ClientCredential> {
    const { agent, now, monotonicMs } = this.#options;
    const held = this.#tokens.find(agent, '', now());
    if (held === undefined) {
      return toCredential(await this.#fetch());
    }
    if (refused?.clientAssertion === held.accessToken && this.#tokens.tryBeginDiscard(agent, '', monotonicMs())) {
      this.#tokens.discard(agent, held);
      return toCredential(await this.#fetch());
    }
    return toCredential(held);
  }

  async #fetch(): Promise<DownstreamToken> {
    const { agent, now, monotonicMs } = this.#options;
    try {
      const remembered = this.#tokens.findRefusal(agent, monotonicMs());
      if (remembered !== undefined) {
        throw remembered;
      }
      return (await this.#tokens.fetch(agent, '', () => this.#request())).token;
    } catch (error) {
      const prolonged = isOutage(error) ? this.#tokens.prolong(agent, '', now()) : undefined;
      if (prolonged === undefined) {
        throw error;
      }
      return prolonged;
    }
  }

  async #request(): Promise<FetchedToken> {
    const { client, authority, agent, tenantId, monotonicMs, mayTryAgain } = this.#options;
    // An id of its own, because the assertion is not for the exchange alone that asks first.
    const correlationId = randomUUID();
    const scope = `${authority.tokenExchangeAudience}/.default`;
    try {
      const token = await client.asApplication({ tenantId, scope, fmiPath: agent, correlationId, mayTryAgain });
      return { token, from: 'entra', correlationId };
    } catch (error) {
      if (!(error instanceof ExchangeRefused)) {
        throw error;
      }
      const failure = new AssertionRefused(error.refusal, agent, error.correlationId);
      const until = failure.refusal.retryAt ?? monotonicMs() + FAILURE_LIFETIME_MS;
      this.#tokens.remember(agent, failure, until, monotonicMs());
      throw failure;
    }
  }
}

function toCredential({ accessToken }: DownstreamToken): ClientCredential {
  return { clientAssertion: accessToken };
}
