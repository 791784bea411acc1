import { randomUUID } from 'node:crypto';
import type { GatewayConfig } from '../config/load-config.ts';
import { AgentClients } from '../exchange/agent-clients.ts';
import { createCredentialSource } from '../exchange/client-credential.ts';
import { EntraTokenClient } from '../exchange/entra-token-client.ts';
import { AssertionRefused, ExchangeRefused } from '../exchange/exchange-refused.ts';
import type { Refusal } from '../exchange/refusal.ts';
import type { CredentialAccess } from './check-credential.ts';
import { explain, explainNoVerdict, isAfterCredential, nameRefusal } from './judge-refusal.ts';
import { fail, pass, warn, type Row } from './row.ts';

type Downstreams = GatewayConfig['downstreams'];

/** A downstream that is called as an agent identity. */
interface AgentUse {
  /** The name of the downstream. */
  readonly name: string;
  /** The client id. */
  readonly agent: string;
  /** `{resource}/.default`. */
  readonly scope: string;
}

/**
 * Whether Entra lets the gateway act as the agent identities that downstreams name, in each tenant: it is asked for the
 * agent's client assertion, and with that for one token of the agent itself.
 */
export async function checkAgents(downstreams: Downstreams, access: CredentialAccess): Promise<Row[]> {
  const uses = listUses(downstreams);
  if (uses.length === 0) {
    return [];
  }
  const { authority, identity, http, now } = access;
  const clocks = { now, monotonicMs: () => performance.now() };
  const credential = createCredentialSource(identity.credential, authority.tokenExchangeAudience);
  const client = new EntraTokenClient({ authority, clientId: identity.clientId, credential, http, ...clocks });
  const agents = new AgentClients({ client, authority, ...clocks, mayTryAgain: () => false });
  const tenants = identity.tenant === 'organizations' ? identity.allowedTenants : [identity.tenant];
  return Promise.all(uses.flatMap((use) => tenants.map((tenantId) => tryAgent(use, tenantId, agents))));
}

async function tryAgent({ name, agent, scope }: AgentUse, tenantId: string, agents: AgentClients): Promise<Row> {
  const check = `downstream ${name}: agent`;
  try {
    await agents.find(agent, tenantId).asApplication({ tenantId, scope, correlationId: randomUUID() });
    return pass(check, `${agent} is accepted in tenant ${tenantId}`);
  } catch (error) {
    if (!(error instanceof ExchangeRefused)) {
      throw error;
    }
    return judge(check, error, `${agent} in tenant ${tenantId}`, `downstreams.${name}.agent`);
  }
}

function judge(check: string, error: ExchangeRefused, who: string, key: string): Row {
  const { refusal } = error;
  if (refusal.class === 'retry') {
    return explainNoVerdict(check, refusal);
  }
  if (error instanceof AssertionRefused) {
    return fail(check, `no client assertion for ${who}: ${nameUnlessOwn(refusal)}`, {
      reason: explain(refusal),
      remedy: 'name an agent identity whose blueprint is identity.clientId, and let Entra accept identity.credential',
      key,
    });
  }
  if (isAfterCredential(refusal)) {
    return pass(check, `${who} is accepted; no token for another reason: ${nameRefusal(refusal)}`);
  }
  return fail(check, `${who} is refused: ${nameRefusal(refusal)}`, {
    reason: explain(refusal),
    remedy: 'name an enabled agent identity of this tenant whose blueprint is identity.clientId',
    key,
  });
}

/** Names what Entra refused; where Entra was not asked, the credential itself is missing, which the error says. */
function nameUnlessOwn(refusal: Refusal): string {
  return refusal.status === 0 && refusal.error !== undefined ? refusal.error : nameRefusal(refusal);
}

/** Whether every downstream that needs an agent identity has one. */
export function adviseAgents(downstreams: Downstreams): Row[] {
  if (listUses(downstreams).length === 0) {
    return [];
  }
  return Object.entries(downstreams)
    .filter(([, { agent }]) => agent === undefined)
    .map(([name]) =>
      warn(`downstream ${name}: agent`, 'none, though other downstreams have one', {
        reason:
          'Entra is known to refuse a blueprint that asks for tokens without an agent identity (AADSTS82001, AADSTS82002)',
        remedy: 'name an agent identity, or serve this downstream by a gateway with an ordinary app registration',
        key: `downstreams.${name}.agent`,
      }),
    );
}

function listUses(downstreams: Downstreams): readonly AgentUse[] {
  return Object.entries(downstreams).flatMap(([name, { agent, applicationScope }]) =>
    agent === undefined ? [] : [{ name, agent, scope: applicationScope }],
  );
}
