import { joinClaimsRequests, readClaimsRequest } from '../claims-request.ts';
import { classOf } from '../client-authentication.ts';
import { unixNow, type Directory } from '../directory.ts';
import { EntraError } from '../entra-error.ts';
import type { DeviceCode, SignIn } from '../grant-store.ts';
import { grantTokens, type TokenReply } from '../token-reply.ts';
import { demandParameter, wantsClientInfo, type TokenRequest } from '../token-request.ts';

/**
 * Redeems a device code once its person has signed in elsewhere.
 * @throws {EntraError} 70016 while they have not, 70018, 70019, 65004
 */
export function redeemDeviceCode(directory: Directory, request: TokenRequest): TokenReply {
  const { form, client } = request;
  const handle = demandParameter(form, 'device_code');
  const code = directory.grants.deviceCodes.get(handle);
  if (!code || code.client.clientId !== client.clientId) {
    throw new EntraError(70018);
  }
  const signIn = demandAnswer(code);
  request.onSubject(signIn.oid);
  const reply = grantTokens(directory, {
    signIn,
    client,
    clientClass: classOf(request.credential),
    scope: code.scope,
    resources: form.getAll('resource'),
    claims: joinClaimsRequests(readClaimsRequest(code.claims), readClaimsRequest(form.get('claims') ?? undefined)),
    kind: 'native',
    wantsClientInfo: wantsClientInfo(form),
  });
  directory.grants.deviceCodes.delete(handle);
  return reply;
}

function demandAnswer({ answer, expiresAt }: DeviceCode): SignIn {
  if (answer === 'declined') {
    throw new EntraError(65004, { error: 'authorization_declined' });
  }
  if (expiresAt < unixNow()) {
    throw new EntraError(70019);
  }
  if (answer === 'pending') {
    throw new EntraError(70016);
  }
  return answer;
}
