import type { Form } from '../../request/form.ts';
import { checkClient, checkResource } from './check-request.ts';
import type { FacadeServer } from './facade-server.ts';
import { OAuthRefusal } from './oauth-refusal.ts';
import { readScopes, withConnectScopes } from './read-scopes.ts';

/** What is passed to Entra as it is. Whatever else a client sends is not, except what is checked below. */
const PASSED = ['redirect_uri', 'state', 'nonce', 'login_hint', 'domain_hint'] as const;

/** What Entra knows of `prompt`. */
const PROMPTS: readonly string[] = ['none', 'login', 'consent', 'select_account'];

/** The SHA-256 of a verifier in base64url (RFC 7636 §4.2). */
const CODE_CHALLENGE = /^[\w-]{43}$/;

/**
 * Translates an authorization request of an MCP client into one that Entra takes: `resource` is checked and left out, the
 * claims of scopes become `claims`. The redirect address goes on unchanged, and Entra checks it.
 *
 * @param query the parameters of the request, each there once
 * @param clients the client ids, in lower case, that may ask
 * @returns the query for Entra's authorization endpoint
 * @throws {OAuthRefusal}
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1
 * @see https://www.rfc-editor.org/rfc/rfc7636#section-4.3
 */
export function toEntraQuery(server: FacadeServer, query: Form, clients: ReadonlySet<string>): URLSearchParams {
  const clientId = checkClient(query, clients);
  checkResource(query, server);
  refuseUnsupported(query);
  const access = readScopes(server, query.get('scope'), query.get('claims'));
  const entries: [string, string | undefined][] = [
    ['client_id', clientId],
    ['response_type', 'code'],
    ['scope', withConnectScopes(server, access).join(' ')],
    ['claims', access.claims],
    ['code_challenge', query.get('code_challenge')],
    ['code_challenge_method', 'S256'],
    ['prompt', query.get('prompt')],
    ...PASSED.map((name): [string, string | undefined] => [name, query.get(name)]),
  ];
  return new URLSearchParams(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function refuseUnsupported(query: Form): void {
  if (query.get('response_type') !== 'code') {
    throw new OAuthRefusal('unsupported_response_type', 'Send response_type=code.');
  }
  // What stands in a request object would take the place of what is checked here.
  for (const name of ['request', 'request_uri'] as const) {
    if (query.get(name) !== undefined) {
      throw new OAuthRefusal(`${name}_not_supported`, `Send the parameters themselves, and no ${name}.`);
    }
  }
  if ((query.get('response_mode') ?? 'query') !== 'query') {
    throw new OAuthRefusal('invalid_request', 'Send no response_mode but query.');
  }
  if (query.get('code_challenge_method') !== 'S256' || !CODE_CHALLENGE.test(query.get('code_challenge') ?? '')) {
    throw new OAuthRefusal('invalid_request', 'Send a code_challenge of the method S256 (RFC 7636).');
  }
  if ((query.get('redirect_uri') ?? '') === '') {
    throw new OAuthRefusal('invalid_request', 'Send the redirect_uri.');
  }
  const prompt = query.get('prompt');
  if (prompt !== undefined && !PROMPTS.includes(prompt)) {
    throw new OAuthRefusal('invalid_request', `Send as prompt one of ${PROMPTS.join(', ')}.`);
  }
}
