import { describeAgentAssertion } from '../agent-assertion.ts';
import type { Directory } from '../directory.ts';
import { EntraError } from '../entra-error.ts';
import { demandTenant } from '../tenants.ts';
import { describeLifetime, type TokenReply } from '../token-reply.ts';
import { demandParameter, type TokenRequest } from '../token-request.ts';
import { findApp } from '../world-model.ts';

const TOKEN_EXCHANGE_SCOPE = 'api://AzureADTokenExchange/.default';

/**
 * Gives a blueprint the client assertion of one of its agent identities, which `fmi_path` names. Entra's numbers for a
 * path that is none of the blueprint's are not documented; the one here is of the class that it must be.
 *
 * @throws {EntraError} 90013, 70011, 9001023, 90002, 700016
 * @see https://learn.microsoft.com/entra/agent-id/agent-on-behalf-of-oauth-flow
 */
export function grantAgentAssertion(directory: Directory, { form, tenant, client }: TokenRequest): TokenReply {
  const { world, switches, keys } = directory;
  const { id: tenantId } = demandTenant(world, tenant, client);
  if (demandParameter(form, 'scope') !== TOKEN_EXCHANGE_SCOPE) {
    throw new EntraError(70011, { text: `With fmi_path only ${TOKEN_EXCHANGE_SCOPE} may be asked.` });
  }
  const agent = findApp(world, demandParameter(form, 'fmi_path'));
  if (client.blueprint === undefined || agent?.agent?.blueprint !== client.clientId) {
    throw new EntraError(90013, { text: 'fmi_path names no agent identity of this blueprint.' });
  }
  const seconds = switches.downstreamTokenLifetimeSeconds;
  const claims = describeAgentAssertion(directory, { blueprint: client, agent: agent.clientId, tenantId, seconds });
  return { ...describeLifetime(seconds), access_token: keys.sign(claims) };
}
