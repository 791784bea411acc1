import { GatewayError } from '../failures.ts';
import { TOKEN_ENDPOINT } from './endpoints.ts';
import type { Form } from '../request/form.ts';

/** The grants that continue a native sign-in; each needs the `continuation_token` of the previous step. */
const NATIVE_GRANTS: ReadonlySet<string> = new Set(['continuation_token', 'mfa_oob', 'oob', 'password']);

/** The parameters by which an app proves itself. A page has no credential, and an app that has one must not send it. */
const CREDENTIALS = ['client_secret', 'client_assertion', 'client_assertion_type', 'assertion'] as const;

/**
 * Checks that a form asks for native authentication, and for nothing else that the same endpoints of Entra can give.
 *
 * @param clients the client ids, in lower case, of the apps that may use native authentication
 * @throws {GatewayError} `invalid_request`, or `access_denied` for another app
 */
export function checkForm(endpoint: string, form: Form, clients: ReadonlySet<string>): void {
  const clientId = form.get('client_id');
  if (clientId === undefined) {
    throw invalidRequest('Send the client_id.');
  }
  if (!clients.has(clientId.toLowerCase())) {
    throw new GatewayError('access_denied', {
      detail: 'This app may not use native authentication here; ask the operator of this API.',
      log: { reason: 'the client_id is not in nativeAuth.clients' },
    });
  }
  const credential = CREDENTIALS.find((name) => form.get(name) !== undefined);
  if (credential !== undefined) {
    throw invalidRequest(`Send no ${credential}: native authentication is for apps without credentials.`);
  }
  if (endpoint === TOKEN_ENDPOINT) {
    checkGrant(form);
  }
}

function checkGrant(form: Form): void {
  const grant = form.get('grant_type') ?? '';
  if (grant === 'refresh_token') {
    return;
  }
  if (!NATIVE_GRANTS.has(grant)) {
    throw invalidRequest(`Use one of the grant types ${[...NATIVE_GRANTS].join(', ')} and refresh_token.`);
  }
  if ((form.get('continuation_token') ?? '') === '') {
    throw invalidRequest('Send the continuation_token of the previous step.');
  }
}

function invalidRequest(detail: string): GatewayError {
  return new GatewayError('invalid_request', { detail });
}
