import { issueTimeFor, markSignedIn } from '../account-state.ts';
import { readClaimsRequest } from '../claims-request.ts';
import { classOf } from '../client-authentication.ts';
import type { Directory } from '../directory.ts';
import { EntraError } from '../entra-error.ts';
import { demandTenant } from '../tenants.ts';
import { grantTokens, type TokenReply } from '../token-reply.ts';
import { demandParameter, wantsClientInfo, type TokenRequest } from '../token-request.ts';
import { findUser, type User } from '../world-model.ts';

/**
 * Gives tokens for a user name and a password (ROPC): only to members of the tenant, and never more than one factor.
 * @throws {EntraError} 50034, 50126, 50057, 9001023, and 50076 with claims where a policy wants MFA
 */
export function redeemPassword(directory: Directory, request: TokenRequest): TokenReply {
  const { form, client } = request;
  const user = demandUser(directory, form);
  request.onSubject(user.oid);
  const segment = request.tenant === 'organizations' ? user.homeTenant : request.tenant;
  const { id: tenantId } = demandTenant(directory.world, segment, client);
  if (user.homeTenant !== tenantId) {
    throw new EntraError(50034);
  }
  if (user.status === 'blocked') {
    throw new EntraError(50057);
  }
  markSignedIn(user);
  return grantTokens(directory, {
    signIn: { oid: user.oid, tenantId, amr: ['pwd'], acrs: [], authTime: issueTimeFor(user) },
    client,
    clientClass: classOf(request.credential),
    scope: demandParameter(form, 'scope'),
    claims: readClaimsRequest(form.get('claims') ?? undefined),
    kind: 'native',
    wantsClientInfo: wantsClientInfo(form),
  });
}

function demandUser({ world }: Directory, form: URLSearchParams): User {
  const name = demandParameter(form, 'username');
  const password = demandParameter(form, 'password');
  const user = findUser(world, name);
  if (user?.userPrincipalName !== name) {
    throw new EntraError(50034);
  }
  if (user.password !== password) {
    throw new EntraError(50126);
  }
  return user;
}
