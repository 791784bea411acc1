import type { Form } from '../../request/form.ts';
import type { FacadeServer } from './facade-server.ts';
import { OAuthRefusal } from './oauth-refusal.ts';

/**
 * Lets pass only clients that may call the API.
 *
 * @param clients their client ids in lower case
 * @returns the client id in lower case
 * @throws {OAuthRefusal} `invalid_request`, or `unauthorized_client` for any other
 */
export function checkClient(parameters: Form, clients: ReadonlySet<string>): string {
  const clientId = parameters.get('client_id')?.toLowerCase();
  if (clientId === undefined) {
    throw new OAuthRefusal('invalid_request', 'Send the client_id.');
  }
  if (!clients.has(clientId)) {
    throw new OAuthRefusal('unauthorized_client', 'This client may not call this API.', {
      log: { reason: 'the client_id is not in identity.allowedClients' },
    });
  }
  return clientId;
}

/**
 * Lets pass only requests for this server. Clients write the address of an origin with and without the slash.
 *
 * @throws {OAuthRefusal} `invalid_target`
 * @see https://www.rfc-editor.org/rfc/rfc8707#section-2
 */
export function checkResource(parameters: Form, { resource }: FacadeServer): void {
  const asked = parameters.get('resource');
  if (asked !== undefined && asked !== resource && asked !== `${resource}/`) {
    throw new OAuthRefusal(
      'invalid_target',
      'Send as resource the address of this MCP server, as its metadata name it.',
    );
  }
}
