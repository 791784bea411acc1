import { describeUnusable, fetchSigningKeys, NoSuchDocument } from '../auth/signing-keys.ts';
import type { Authority, TokenVersion } from '../entra/authority.ts';
import { EntraUnreachable, type EntraHttpClient } from '../entra/http-client.ts';
import { explainTrouble } from './explain-trouble.ts';
import { fail, pass, warn, type Row } from './row.ts';

/** Where to ask Entra. */
export interface EntraAccess {
  readonly authority: Authority;
  readonly http: EntraHttpClient;
}

/** Whether the metadata and the keys of both token versions can be had, and are those of the configured tenant. */
export function checkEntra(access: EntraAccess): Promise<Row[]> {
  return Promise.all([checkKeys('v2', access), checkKeys('v1', access)]);
}

async function checkKeys(version: TokenVersion, { authority, http }: EntraAccess): Promise<Row> {
  const check = `Entra: ${version} metadata and keys`;
  try {
    const { issuer, keys, unusable } = await fetchSigningKeys(http, authority.metadataUrl(version));
    const count = `issuer ${issuer}, ${keys.length} ${keys.length === 1 ? 'key' : 'keys'}`;
    const found = [count, ...unusable.map(describeUnusable)].join('; ');
    return isIssuerOf(authority.tenant, issuer, version)
      ? pass(check, found)
      : fail(check, found, {
          reason: `the issuer does not name the tenant ${authority.tenant}, so every token would be refused`,
          remedy: 'use the tenant and the authority that belong together',
          key: 'identity.tenant',
        });
  } catch (error) {
    return error instanceof NoSuchDocument ? explainAbsence(version, authority) : explainFailure(check, error);
  }
}

/** Entra's v2 issuers end with the tenant and `/v2.0`, those of v1 with the tenant and a slash. */
function isIssuerOf(tenant: string, issuer: string, version: TokenVersion): boolean {
  const segment = tenant === 'organizations' ? '{tenantid}' : tenant;
  return issuer.toLowerCase().endsWith(version === 'v2' ? `/${segment}/v2.0` : `/${segment}/`);
}

function explainAbsence(version: TokenVersion, authority: Authority): Row {
  const check = `Entra: ${version} metadata and keys`;
  if (version === 'v2') {
    return fail(check, 'Entra has no such document', {
      reason: `there is no tenant ${authority.tenant} at ${authority.origin}, or a firewall answers in its place`,
      remedy: 'use the id of an existing tenant and the authority of its cloud; let the gateway reach it',
      key: 'identity.tenant',
    });
  }
  return authority.isExternalId
    ? pass(check, 'absent, as it is with External ID: its tokens are v2')
    : warn(check, 'Entra has no such document', {
        reason: 'v1 tokens cannot be verified',
        remedy: 'set requestedAccessTokenVersion to 2 in the manifest of the app registration',
      });
}

function explainFailure(check: string, error: unknown): Row {
  const key = 'identity.authority';
  if (error instanceof EntraUnreachable) {
    return fail(check, `not reachable (${error.message})`, { ...explainTrouble(error.message), key });
  }
  // A parser's message would quote the text that it could not read.
  const found = error instanceof SyntaxError ? 'the answer is not JSON' : (error as Error).message;
  return fail(check, found, {
    reason: 'without keys, no token can be verified',
    remedy: 'check that this is the address of Entra and no proxy answers in its place, then the service health',
    key,
  });
}
