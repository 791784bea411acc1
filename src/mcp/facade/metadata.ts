import { FACADE_PATHS } from '../../contract/own-paths.ts';
import type { FacadeServer } from './facade-server.ts';
import { OPENID_SCOPES } from './read-scopes.ts';

/**
 * Writes the authorization server metadata of a façade as JSON text. It does not promise `iss` in authorization answers,
 * because Entra gives those, not the façade.
 *
 * @param isOpen whether clients without a client id may ask for one
 * @see https://www.rfc-editor.org/rfc/rfc8414#section-2
 */
export function writeMetadata({ resource, connectScopes }: FacadeServer, isOpen: boolean): string {
  return JSON.stringify({
    issuer: resource,
    authorization_endpoint: `${resource}${FACADE_PATHS.authorize}`,
    token_endpoint: `${resource}${FACADE_PATHS.token}`,
    ...(isOpen && { registration_endpoint: `${resource}${FACADE_PATHS.register}` }),
    scopes_supported: [...connectScopes, ...OPENID_SCOPES],
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_methods_supported: ['none'],
    code_challenge_methods_supported: ['S256'],
  });
}
