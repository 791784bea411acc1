import type { CredentialKind } from './client-authentication.ts';
import { EntraError } from './entra-error.ts';
import type { App } from './world-model.ts';

/** A token request whose client has been authenticated. */
export interface TokenRequest {
  readonly form: URLSearchParams;
  /** The tenant segment of the path. */
  readonly tenant: string;
  readonly client: App;
  readonly credential: CredentialKind;
  /** The `Origin` header; browsers send it. */
  readonly browserOrigin: string | undefined;
  /** Notes whom the grant is for, once that is known. */
  readonly onSubject: (objectId: string) => void;
}

/**
 * A form parameter that must be there.
 * @throws {EntraError} 900144
 */
export function demandParameter(form: URLSearchParams, name: string): string {
  const value = form.get(name);
  if (!value) {
    throw new EntraError(900144, { text: `The request body lacks the parameter '${name}'.` });
  }
  return value;
}

/** Whether MSAL wants to be told the account. */
export function wantsClientInfo(form: URLSearchParams): boolean {
  return form.get('client_info') === '1';
}
