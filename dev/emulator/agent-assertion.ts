import { compactVerify, decodeJwt, decodeProtectedHeader, type JWTPayload } from 'jose';
import { issuerV2, unixNow, type Directory } from './directory.ts';
import { EntraError } from './entra-error.ts';
import { demandTenant } from './tenants.ts';
import type { App } from './world-model.ts';

/** The application id of Entra's token exchange, `api://AzureADTokenExchange`, the same in every tenant. */
const TOKEN_EXCHANGE_APP_ID = 'fb60f99c-7a34-4190-8149-302f77469936';

/** Whom a client assertion of an agent identity is about. */
export interface AgentAssertionOrder {
  readonly blueprint: App;
  /** The client id of the agent identity. */
  readonly agent: string;
  readonly tenantId: string;
  /** How long it lives. */
  readonly seconds: number;
}

/** The claims of an agent identity's client assertion. */
export function describeAgentAssertion({ origin }: Directory, order: AgentAssertionOrder): Record<string, unknown> {
  const { blueprint, agent, tenantId, seconds } = order;
  const now = unixNow();
  return {
    ver: '2.0',
    iss: issuerV2(origin, tenantId),
    aud: TOKEN_EXCHANGE_APP_ID,
    azp: blueprint.clientId,
    oid: blueprint.servicePrincipalId,
    sub: describePath(tenantId, blueprint.clientId, agent),
    idtyp: 'app',
    tid: tenantId,
    iat: now,
    nbf: now,
    exp: now + seconds,
  };
}

/**
 * Lets pass only an assertion that this tenant gave the agent's own blueprint for this agent.
 *
 * @throws {EntraError} 9001023, 90002, 700016, 7000112, 700027, 700211, 700212, 700213, 700024, 700229
 */
export async function demandAgentAssertion(
  directory: Directory,
  tenant: string,
  client: App,
  assertion: string,
): Promise<void> {
  const { id: tenantId } = demandTenant(directory.world, tenant, client);
  const claims = await demandSigned(directory, assertion);
  if (claims.iss !== issuerV2(directory.origin, tenantId)) {
    throw new EntraError(700211);
  }
  if (claims.aud !== TOKEN_EXCHANGE_APP_ID) {
    throw new EntraError(700212);
  }
  if (claims['idtyp'] !== 'app') {
    throw new EntraError(700229);
  }
  const blueprint = client.agent?.blueprint ?? '';
  if (claims['azp'] !== blueprint || claims.sub !== describePath(tenantId, blueprint, client.clientId)) {
    throw new EntraError(700213);
  }
  if ((claims.exp ?? 0) <= unixNow()) {
    throw new EntraError(700024);
  }
  if (client.agent?.isEnabled !== true) {
    throw new EntraError(7000112);
  }
}

async function demandSigned({ keys }: Directory, assertion: string): Promise<JWTPayload> {
  try {
    const key = keys.find(decodeProtectedHeader(assertion).kid);
    if (key !== undefined) {
      await compactVerify(assertion, key, { algorithms: ['RS256'] });
      return decodeJwt(assertion);
    }
  } catch {
    // Refused below, as an unknown key is.
  }
  throw new EntraError(700027);
}

/** The path of a federated identity: the tenant and the blueprint as their bytes, and what `fmi_path` said. */
function describePath(tenantId: string, blueprint: string, agent: string): string {
  return `/eid1/c/pub/t/${encodeGuid(tenantId)}/a/${encodeGuid(blueprint)}/${agent}`;
}

/** The bytes of a GUID as Windows orders them, in base64url. */
function encodeGuid(guid: string): string {
  const bytes = Buffer.from(guid.replaceAll('-', ''), 'hex');
  const parts = [bytes.subarray(0, 4), bytes.subarray(4, 6), bytes.subarray(6, 8)].map((part) => part.toReversed());
  return Buffer.concat([...parts, bytes.subarray(8)]).toString('base64url');
}
