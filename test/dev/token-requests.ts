import { ConfidentialClientApplication } from '@azure/msal-node';
import type { Emulator } from '../../dev/emulator/emulator.ts';
import { describeAuthority } from '../../dev/emulator/msal-authority.ts';
import { GATEWAY_CLIENT_ID, GATEWAY_CLIENT_SECRET, HOME_TENANT_ID } from '../../dev/emulator/world.ts';

/** An answer of the token endpoint. */
export interface TokenAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

/** Parameters of a form; undefined leaves one out. */
export type Form = Record<string, string | undefined>;

/** Posts a form to a tenant's token endpoint. */
export async function postToken(
  { origin }: Emulator,
  form: Form,
  { tenant = HOME_TENANT_ID, headers = {} }: { tenant?: string; headers?: Record<string, string> } = {},
): Promise<TokenAnswer> {
  const url = `${origin}/${tenant}/oauth2/v2.0/token`;
  const response = await fetch(url, { method: 'POST', body: encodeForm(form), headers });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
}

/** A good on-behalf-of request of the gateway. */
export function onBehalfOf(assertion: string, changes: Form = {}): Form {
  return {
    client_id: GATEWAY_CLIENT_ID,
    client_secret: GATEWAY_CLIENT_SECRET,
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    requested_token_use: 'on_behalf_of',
    scope: 'https://graph.microsoft.com/User.Read',
    assertion,
    ...changes,
  };
}

/** A form as it is sent. */
export function encodeForm(form: Form): URLSearchParams {
  const present = Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return new URLSearchParams(present);
}

/** The claims of a token. */
export function claimsOf(token: unknown): Record<string, unknown> {
  const payload = String(token).split('.')[1] ?? '';
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
}

/** The gateway's MSAL, as a real middle tier would set it up. */
export function confidentialClient({ origin }: Emulator): ConfidentialClientApplication {
  return new ConfidentialClientApplication({
    auth: {
      ...describeAuthority(origin, HOME_TENANT_ID),
      clientId: GATEWAY_CLIENT_ID,
      clientSecret: GATEWAY_CLIENT_SECRET,
    },
  });
}
