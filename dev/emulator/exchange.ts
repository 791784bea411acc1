import type { ClientAssertion, CredentialKind } from './client-authentication.ts';

const NEVER_KEPT = [
  'client_secret',
  'client_assertion',
  'assertion',
  'refresh_token',
  'code',
  'code_verifier',
  'device_code',
  'password',
  'oob',
  'continuation_token',
];

/** One request at the token endpoint, without its secrets; made on arrival, completed with the answer. */
export interface Exchange {
  /** When it arrived, milliseconds since 1970. */
  readonly time: number;
  readonly grantType: string | undefined;
  /** The tenant segment of the path. */
  readonly tenant: string;
  readonly clientId: string | undefined;
  readonly scope: string | undefined;
  /** The claims request as it came, JSON text. */
  readonly claims: string | undefined;
  /** The whole form but for secrets, tokens and codes. */
  readonly form: Readonly<Record<string, string>>;
  readonly credential: CredentialKind;
  readonly clientAssertion: ClientAssertion | undefined;
  /** Object id of the person or of the app's service principal, once known. */
  subject: string | undefined;
  /** HTTP status; 0 while there is no answer. */
  status: number;
  /** The OAuth error of the answer. */
  error: string | undefined;
  /** The first AADSTS number of the answer. */
  errorCode: number | undefined;
}

/** A form without what must not be kept. */
export function withoutSecrets(form: URLSearchParams): Record<string, string> {
  return Object.fromEntries([...form].filter(([name]) => !NEVER_KEPT.includes(name)));
}
