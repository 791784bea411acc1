import { describeAppToken, lifetimeFor } from '../access-token.ts';
import { demandOwnTokens } from '../agent-identities.ts';
import { classOf } from '../client-authentication.ts';
import { unixNow, type Directory } from '../directory.ts';
import { EntraError } from '../entra-error.ts';
import { readScopes } from '../resource-scopes.ts';
import { demandTenant } from '../tenants.ts';
import { describeLifetime, type TokenReply } from '../token-reply.ts';
import { demandParameter, type TokenRequest } from '../token-request.ts';
import { grantAgentAssertion } from './agent-assertion.ts';

/**
 * Gives an app a token for itself.
 * @throws {EntraError} 70011, 82001, 7000218, 9001023, 90002, 500011
 */
export function grantToApp(directory: Directory, request: TokenRequest): TokenReply {
  const { form, client, credential } = request;
  if (credential === 'none') {
    throw new EntraError(7000218);
  }
  request.onSubject(client.servicePrincipalId);
  if (form.has('fmi_path')) {
    return grantAgentAssertion(directory, request);
  }
  demandOwnTokens(client, 82001);
  const { id: tenantId } = demandTenant(directory.world, request.tenant, client);
  const { resource, identifier, permissions } = readScopes(directory.world, demandParameter(form, 'scope'));
  if (permissions[0] !== '.default') {
    throw new EntraError(70011, { text: 'Only {resource}/.default may be asked.' });
  }
  const lifetimeSeconds = lifetimeFor(directory, resource);
  const token = describeAppToken(directory, {
    tenantId,
    client,
    clientClass: classOf(credential),
    resource,
    identifier,
    roles: client.grantedAppRoles[resource.clientId] ?? [],
    issuedAt: unixNow(),
    lifetimeSeconds,
  });
  return { ...describeLifetime(lifetimeSeconds), access_token: directory.keys.sign(token) };
}
