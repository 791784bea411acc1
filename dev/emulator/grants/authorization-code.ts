import { createHash } from 'node:crypto';
import { joinClaimsRequests, readClaimsRequest } from '../claims-request.ts';
import { classOf } from '../client-authentication.ts';
import { unixNow, type Directory } from '../directory.ts';
import { EntraError } from '../entra-error.ts';
import type { AuthorizationCode } from '../grant-store.ts';
import { grantTokens, type TokenReply } from '../token-reply.ts';
import { demandParameter, wantsClientInfo, type TokenRequest } from '../token-request.ts';

/**
 * Redeems an authorization code.
 * @throws {EntraError}
 */
export function redeemAuthorizationCode(directory: Directory, request: TokenRequest): TokenReply {
  const { form, client } = request;
  const code = directory.grants.codes.get(demandParameter(form, 'code'));
  if (!code || code.clientId !== client.clientId) {
    throw new EntraError(70000);
  }
  request.onSubject(code.signIn.oid);
  demandFresh(code);
  demandRightPlace(code, request);
  demandVerifier(code, form.get('code_verifier'));
  code.redeemed = true;
  return grantTokens(directory, {
    signIn: code.signIn,
    client,
    clientClass: classOf(request.credential),
    scope: form.get('scope') ?? code.scope,
    resources: form.getAll('resource'),
    claims: joinClaimsRequests(readClaimsRequest(code.claims), readClaimsRequest(form.get('claims') ?? undefined)),
    nonce: code.nonce,
    kind: code.kind,
    wantsClientInfo: wantsClientInfo(form),
  });
}

function demandFresh({ redeemed, expiresAt }: AuthorizationCode): void {
  if (redeemed) {
    throw new EntraError(54005);
  }
  if (expiresAt < unixNow()) {
    throw new EntraError(70008);
  }
}

function demandRightPlace({ redirectUri, kind }: AuthorizationCode, { form, browserOrigin }: TokenRequest): void {
  if (form.get('redirect_uri') !== redirectUri) {
    throw new EntraError(70000, { text: 'The redirect_uri is not the one of the authorization request.' });
  }
  if (kind === 'spa' && browserOrigin === undefined) {
    throw new EntraError(9002327);
  }
  if (kind !== 'spa' && browserOrigin !== undefined) {
    throw new EntraError(9002326);
  }
}

function demandVerifier({ codeChallenge, codeChallengeMethod }: AuthorizationCode, verifier: string | null): void {
  if (codeChallenge === undefined && verifier === null) {
    return;
  }
  const expected =
    codeChallengeMethod === 'S256'
      ? createHash('sha256')
          .update(verifier ?? '')
          .digest('base64url')
      : verifier;
  if (expected !== codeChallenge) {
    throw new EntraError(501481);
  }
}
