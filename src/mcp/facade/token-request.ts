import type { Form } from '../../request/form.ts';
import { checkClient, checkResource } from './check-request.ts';
import type { FacadeServer } from './facade-server.ts';
import { OAuthRefusal } from './oauth-refusal.ts';
import { readScopes, withConnectScopes, type RequestedAccess } from './read-scopes.ts';

/** The parameters by which a client proves itself, which no public client does. */
const CREDENTIALS = ['client_secret', 'client_assertion', 'client_assertion_type', 'assertion'] as const;

/** RFC 7636 §4.1. */
const CODE_VERIFIER = /^[\w.~-]{43,128}$/;

/**
 * Translates a token request of an MCP client into one that Entra takes: `resource` is checked and left out, a renewal
 * that names no scope gets those to connect, the claims of scopes become `claims`.
 *
 * @param form the parameters, each there once
 * @param clients the client ids, in lower case, that may ask
 * @returns the form for Entra's token endpoint, with what was checked and nothing else
 * @throws {OAuthRefusal}
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-6
 */
export function toEntraForm(server: FacadeServer, form: Form, clients: ReadonlySet<string>): URLSearchParams {
  const clientId = checkClient(form, clients);
  checkResource(form, server);
  refuseCredentials(form);
  const grant = form.get('grant_type');
  const access = readScopes(server, form.get('scope'), form.get('claims'));
  const translated = grant === 'authorization_code' ? redeemCode(form, access) : renew(server, form, access);
  const entries = [['client_id', clientId], ...translated, ['claims', access.claims]];
  return new URLSearchParams(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

type Parameters = readonly (readonly [name: string, value: string | undefined])[];

function redeemCode(form: Form, { scopes, namesServer }: RequestedAccess): Parameters {
  const verifier = form.get('code_verifier') ?? '';
  if (!CODE_VERIFIER.test(verifier)) {
    throw new OAuthRefusal('invalid_request', 'Send the code_verifier (RFC 7636).');
  }
  return [
    ['grant_type', 'authorization_code'],
    ['code', demand(form, 'code')],
    ['redirect_uri', demand(form, 'redirect_uri')],
    ['code_verifier', verifier],
    // Without scopes Entra takes those of the authorization request.
    ['scope', namesServer ? scopes.join(' ') : undefined],
  ];
}

function renew(server: FacadeServer, form: Form, access: RequestedAccess): Parameters {
  if (form.get('grant_type') !== 'refresh_token') {
    throw new OAuthRefusal('unsupported_grant_type', 'Send the grant_type authorization_code or refresh_token.');
  }
  const scopes = withConnectScopes(server, access);
  return [
    ['grant_type', 'refresh_token'],
    ['refresh_token', demand(form, 'refresh_token')],
    ['scope', (form.get('scope') === undefined ? [...scopes, 'offline_access'] : scopes).join(' ')],
  ];
}

function refuseCredentials(form: Form): void {
  const credential = CREDENTIALS.find((name) => form.get(name) !== undefined);
  if (credential !== undefined) {
    throw new OAuthRefusal('invalid_client', `Send no ${credential}: clients of MCP servers are public clients here.`);
  }
}

function demand(form: Form, name: string): string {
  const value = form.get(name) ?? '';
  if (value === '') {
    throw new OAuthRefusal('invalid_request', `Send the ${name}.`);
  }
  return value;
}
