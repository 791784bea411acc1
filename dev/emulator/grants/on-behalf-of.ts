import { compactVerify, decodeJwt, decodeProtectedHeader, type JWTPayload } from 'jose';
import { demandGoodStanding, findByObjectId } from '../account-state.ts';
import { audienceOwner, demandOwnTokens } from '../agent-identities.ts';
import { readClaimsRequest } from '../claims-request.ts';
import { classOf } from '../client-authentication.ts';
import { issuerV1, issuerV2, unixNow, type Directory } from '../directory.ts';
import { EntraError } from '../entra-error.ts';
import { demandTenant } from '../tenants.ts';
import { grantTokens, type TokenReply } from '../token-reply.ts';
import { demandParameter, wantsClientInfo, type TokenRequest } from '../token-request.ts';
import type { App } from '../world-model.ts';

interface UserAssertion extends JWTPayload {
  readonly oid?: string;
  readonly tid?: string;
  readonly scp?: string;
  readonly roles?: unknown;
  readonly idtyp?: string;
  readonly azp?: string;
  readonly appid?: string;
  readonly amr?: string[];
  readonly acrs?: string[];
}

/**
 * Exchanges a person's access token for one of another resource. The checks come in the order in which Entra makes them.
 * @throws {EntraError}
 */
export async function redeemAssertion(directory: Directory, request: TokenRequest): Promise<TokenReply> {
  const { form, client } = request;
  demandOnBehalfOf(form);
  const assertion = demandParameter(form, 'assertion');
  const scope = demandParameter(form, 'scope');
  const tenant = demandTenant(directory.world, request.tenant, client);
  const claims = decodeAssertion(assertion);
  request.onSubject(claims.oid ?? claims.sub ?? '');
  demandAccessToken(claims);
  await demandSignature(directory, assertion);
  demandIssuer(directory, claims, tenant.id);
  demandInTime(claims);
  demandOwnTokens(client, 82002);
  demandAudience(claims, audienceOwner(directory, client), client.agent === undefined ? 500131 : 50013);
  const oid = demandPerson(claims);
  demandAccount(directory, tenant.id, oid, claims.iat ?? 0);
  return grantTokens(directory, {
    signIn: { oid, tenantId: tenant.id, amr: claims.amr ?? [], acrs: claims.acrs ?? [], authTime: claims.iat ?? 0 },
    client,
    clientClass: classOf(request.credential),
    scope,
    claims: readClaimsRequest(form.get('claims') ?? undefined),
    kind: 'web',
    wantsClientInfo: wantsClientInfo(form),
  });
}

function demandOnBehalfOf(form: URLSearchParams): void {
  const use = demandParameter(form, 'requested_token_use');
  if (use !== 'on_behalf_of') {
    throw new EntraError(90013, { text: 'requested_token_use must be on_behalf_of.' });
  }
}

function decodeAssertion(assertion: string): UserAssertion {
  try {
    decodeProtectedHeader(assertion);
    return decodeJwt(assertion);
  } catch {
    throw new EntraError(50027);
  }
}

/** ID tokens name no client and grant nothing. */
function demandAccessToken({ scp, roles, azp, appid, idtyp }: UserAssertion): void {
  if ([scp, roles, azp, appid, idtyp].every((claim) => claim === undefined)) {
    throw new EntraError(240002);
  }
}

async function demandSignature({ keys }: Directory, assertion: string): Promise<void> {
  const key = keys.find(decodeProtectedHeader(assertion).kid);
  if (!key) {
    throw new EntraError(50013, { text: 'The assertion was signed with an unknown key.' });
  }
  try {
    await compactVerify(assertion, key, { algorithms: ['RS256'] });
  } catch {
    throw new EntraError(50013, { text: 'The signature of the assertion is wrong.' });
  }
}

function demandIssuer({ origin }: Directory, { iss, tid }: UserAssertion, tenantId: string): void {
  const issuers = [issuerV1(origin, tenantId), issuerV2(origin, tenantId)];
  if (tid !== tenantId || !issuers.includes(iss ?? '')) {
    throw new EntraError(50013, { text: 'The issuer of the assertion is not this tenant.' });
  }
}

function demandInTime({ nbf = 0, exp = 0 }: UserAssertion): void {
  if (exp <= unixNow() || nbf > unixNow() + 300) {
    throw new EntraError(500133);
  }
}

function demandAudience({ aud }: UserAssertion, owner: App, code: 500131 | 50013): void {
  if (![owner.clientId, ...owner.identifierUris].includes(String(aud))) {
    throw new EntraError(code);
  }
}

function demandPerson({ scp, oid, idtyp }: UserAssertion): string {
  if (idtyp === 'app' || scp === undefined || oid === undefined) {
    throw new EntraError(7000114);
  }
  return oid;
}

function demandAccount({ world }: Directory, tenantId: string, oid: string, issuedAt: number): void {
  const user = findByObjectId(world, tenantId, oid);
  if (!user) {
    throw new EntraError(50034);
  }
  demandGoodStanding(user, issuedAt);
}
