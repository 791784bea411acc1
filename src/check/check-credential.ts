import { randomUUID } from 'node:crypto';
import type { GatewayConfig } from '../config/load-config.ts';
import type { Authority } from '../entra/authority.ts';
import type { EntraHttpClient } from '../entra/http-client.ts';
import {
  createCredentialSource,
  CredentialUnavailable,
  type ClientCredential,
  type CredentialSettings,
} from '../exchange/client-credential.ts';
import { EntraTokenClient } from '../exchange/entra-token-client.ts';
import { ExchangeRefused } from '../exchange/exchange-refused.ts';
import { judgeRefusal } from './judge-refusal.ts';
import { fail, pass, type Row } from './row.ts';

/** What a check of the credential works with. */
export interface CredentialAccess {
  readonly authority: Authority;
  readonly identity: GatewayConfig['identity'];
  readonly http: EntraHttpClient;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const CHECK = 'Entra: credential';

/** Whether Entra accepts the credential: one request for the gateway itself in each tenant it serves. */
export async function checkCredential(access: CredentialAccess): Promise<Row[]> {
  const { authority, identity } = access;
  try {
    const credential = await createCredentialSource(identity.credential, authority.tokenExchangeAudience)();
    const tenants = identity.tenant === 'organizations' ? identity.allowedTenants : [identity.tenant];
    return await Promise.all(tenants.map((tenantId) => tryCredential(tenantId, credential, access)));
  } catch (error) {
    if (error instanceof CredentialUnavailable) {
      return [explainUnavailable(error, identity.credential)];
    }
    throw error;
  }
}

async function tryCredential(
  tenantId: string,
  credential: ClientCredential,
  { authority, identity, http, now }: CredentialAccess,
): Promise<Row> {
  const { clientId } = identity;
  const client = new EntraTokenClient({
    authority,
    clientId,
    credential: () => Promise.resolve(credential),
    http,
    now,
    monotonicMs: () => performance.now(),
  });
  try {
    await client.asApplication({ tenantId, scope: `${clientId}/.default`, correlationId: randomUUID() });
    return pass(CHECK, `accepted in tenant ${tenantId}`);
  } catch (error) {
    if (error instanceof ExchangeRefused) {
      return judgeRefusal(CHECK, tenantId, error.refusal, kindOf(identity.credential));
    }
    throw error;
  }
}

const REMEDIES: Readonly<Record<keyof CredentialSettings, string>> = {
  secret: 'set the client secret',
  secretFile: 'check the path, and that the file holds the client secret and is readable for this user',
  certificate: 'make both PEM files readable for this user, and let the key belong to the certificate',
  federatedTokenFile: 'check the path, and that the projected token is mounted and readable for this user',
  managedIdentity:
    'run on an Azure resource that has this user-assigned identity, and let it reach the metadata endpoint without a proxy',
};

function explainUnavailable({ message }: CredentialUnavailable, settings: CredentialSettings): Row {
  const kind = kindOf(settings);
  return fail(CHECK, message, {
    reason: 'without it, Entra gives the gateway no token',
    remedy: REMEDIES[kind],
    key: `identity.credential.${kind}`,
  });
}

/** The one member of `identity.credential` that is there. */
export function kindOf(settings: CredentialSettings): keyof CredentialSettings {
  const kinds = ['secretFile', 'certificate', 'federatedTokenFile', 'managedIdentity'] as const;
  return kinds.find((kind) => settings[kind] !== undefined) ?? 'secret';
}
