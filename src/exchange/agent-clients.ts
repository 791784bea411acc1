import { LRUCache } from 'lru-cache';
import type { Authority } from '../entra/authority.ts';
import type { Clock } from '../resilience/clock.ts';
import { AgentAssertion } from './agent-assertion.ts';
import type { EntraTokenClient } from './entra-token-client.ts';

/** What {@link AgentClients} works with. */
export interface AgentClientsOptions {
  /** The client of the gateway, which is the blueprint of the agent identities. */
  readonly client: EntraTokenClient;
  readonly authority: Authority;
  readonly now: Clock;
  readonly monotonicMs: Clock;
  /** Says whether a tenant's failed request may be sent once more; called when it has failed. */
  readonly mayTryAgain: (tenantId: string) => boolean;
}

/** How many agent identities are remembered, each in one tenant. */
const MAX_AGENTS = 1_000;

/**
 * The clients as which agent identities ask Entra for tokens. An agent identity has no credential of its own: the
 * gateway, its blueprint, gets a client assertion for it, which proves it in all its exchanges.
 *
 * @see https://learn.microsoft.com/entra/agent-id/agent-on-behalf-of-oauth-flow
 * @see https://learn.microsoft.com/entra/agent-id/agent-autonomous-app-oauth-flow
 */
export class AgentClients {
  readonly #options: AgentClientsOptions;
  /** By agent and tenant. */
  readonly #clients = new LRUCache<string, EntraTokenClient>({ max: MAX_AGENTS });

  constructor(options: AgentClientsOptions) {
    this.#options = options;
  }

  /**
   * Finds the client of an agent identity in a tenant. The same one each time, so that all exchanges share one assertion.
   *
   * @param agent its client id
   */
  find(agent: string, tenantId: string): EntraTokenClient {
    const key = `${agent} ${tenantId}`;
    const known = this.#clients.get(key);
    if (known !== undefined) {
      return known;
    }
    const { client, mayTryAgain } = this.#options;
    const assertion = new AgentAssertion({
      ...this.#options,
      agent,
      tenantId,
      mayTryAgain: () => mayTryAgain(tenantId),
    });
    const made = client.actAs(agent, (refused) => assertion.read(refused));
    this.#clients.set(key, made);
    return made;
  }
}
