import { isLoopback } from '../../network/loopback.ts';
import { parseJsonObject } from '../../syntax/json.ts';
import { OAuthRefusal } from './oauth-refusal.ts';

/**
 * Answers a registration with the one client id that every client shares. It registers nothing: Entra decides about each
 * redirect address, and the only ones that are taken here lead back to the machine of the user.
 *
 * @param body JSON
 * @throws {OAuthRefusal} `invalid_client_metadata`, `invalid_redirect_uri`
 * @see https://www.rfc-editor.org/rfc/rfc7591#section-3.2.1
 */
export function answerRegistration(body: string, clientId: string): object {
  const metadata = parseJsonObject(body);
  if (metadata === undefined) {
    throw new OAuthRefusal('invalid_client_metadata', 'Send the client metadata as a JSON object.');
  }
  const { redirect_uris: redirectUris } = metadata;
  if (!Array.isArray(redirectUris) || redirectUris.length === 0 || !redirectUris.every(isLoopbackAddress)) {
    throw new OAuthRefusal(
      'invalid_redirect_uri',
      'Send as redirect_uris http addresses of the machine of the user; a client with others needs a client id of its own.',
    );
  }
  return {
    client_id: clientId,
    redirect_uris: redirectUris,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
}

function isLoopbackAddress(uri: unknown): boolean {
  if (typeof uri !== 'string' || !URL.canParse(uri)) {
    return false;
  }
  const { protocol, hostname, hash } = new URL(uri);
  return protocol === 'http:' && isLoopback(hostname) && hash === '';
}
