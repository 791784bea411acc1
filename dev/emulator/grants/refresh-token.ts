import { readClaimsRequest } from '../claims-request.ts';
import { classOf } from '../client-authentication.ts';
import { unixNow, type Directory } from '../directory.ts';
import { EntraError } from '../entra-error.ts';
import type { Switches } from '../switches.ts';
import { grantTokens, type TokenReply } from '../token-reply.ts';
import { demandParameter, wantsClientInfo, type TokenRequest } from '../token-request.ts';

/**
 * Redeems a refresh token; the old one stays good.
 * @throws {EntraError}
 */
export function redeemRefreshToken(directory: Directory, request: TokenRequest): TokenReply {
  const { form, client, browserOrigin } = request;
  const token = directory.grants.refreshTokens.get(demandParameter(form, 'refresh_token'));
  if (!token || token.clientId !== client.clientId) {
    throw new EntraError(70000);
  }
  request.onSubject(token.signIn.oid);
  if (token.expiresAt < unixNow()) {
    throw new EntraError(70008);
  }
  if (token.kind === 'spa' && browserOrigin === undefined) {
    throw new EntraError(9002327);
  }
  return grantTokens(directory, {
    signIn: token.signIn,
    client,
    clientClass: classOf(request.credential),
    scope: demandScope(directory.switches, form),
    resources: form.getAll('resource'),
    claims: readClaimsRequest(form.get('claims') ?? undefined),
    kind: token.kind,
    refreshUntil: token.kind === 'spa' ? token.expiresAt : undefined,
    wantsClientInfo: wantsClientInfo(form),
  });
}

/** The scopes of a renewal. Entra does not take those of the sign-in for one that names none; what it does instead differs. */
function demandScope({ refreshWithoutScope }: Switches, form: URLSearchParams): string {
  if (form.has('scope') || refreshWithoutScope === 'refused') {
    return demandParameter(form, 'scope');
  }
  if (refreshWithoutScope === 'itself') {
    throw new EntraError(90009);
  }
  return '';
}
