/**
 * What Entra's refusals mean for a gateway: a table of AADSTS codes, one of suberrors and one of OAuth errors. They
 * come from Microsoft's list of error codes and from real answers. Microsoft says that codes may change, so `claims`,
 * the suberror and the error are looked at first, and unknown codes have a rule of their own.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */

/** The classes of refusals, as the log and the metrics name them. */
export const REFUSAL_CLASSES = [
  'interaction',
  'reauthenticate',
  'consent',
  'denied',
  'misconfigured',
  'retry',
] as const;

/**
 * What a refusal asks for: `interaction`, a proof that the user can give; `reauthenticate`, a new sign-in; `consent`,
 * the consent of the user or an administrator; `denied`, nothing that the user can do; `misconfigured`, the operator
 * must correct the registration; `retry`, another try later.
 */
export type RefusalClass = (typeof REFUSAL_CLASSES)[number];

/** One AADSTS code. */
export interface EntraCode {
  readonly class: RefusalClass;
  /** What the code means, for the log. */
  readonly meaning: string;
  /** The OAuth errors that the code comes with, where they differ from `invalid_grant` and `interaction_required`. */
  readonly errors?: readonly string[];
  /**
   * Set when the code stops every exchange, not only this one: a refused `credential` is refused for everyone, and a
   * wrong `registration` or tenant stops everyone of that tenant.
   */
  readonly fault?: 'credential' | 'registration';
}

function rows(
  refusalClass: RefusalClass,
  codes: Readonly<Record<number, string>>,
  more: Pick<EntraCode, 'errors' | 'fault'> = {},
): [number, EntraCode][] {
  return Object.entries(codes).map(([code, meaning]) => [Number(code), { class: refusalClass, meaning, ...more }]);
}

/** The AADSTS codes that a service in the middle can meet. */
export const ENTRA_CODES: ReadonlyMap<number, EntraCode> = new Map([
  ...rows('interaction', {
    50072: 'the user must register for multi-factor authentication',
    50074: 'strong authentication is required',
    50076: 'multi-factor authentication is required',
    50078: 'the proof of multi-factor authentication expired',
    50079: 'the user must register for multi-factor authentication',
    50097: 'device authentication is required',
    50127: 'a broker app must be installed',
    50129: 'the device is not workplace joined',
    50131: 'Conditional Access: device state or risk',
    50155: 'device authentication failed',
    50158: 'an external challenge, such as terms of use, is not satisfied',
    50187: 'device information is missing',
    50192: 'a raw credential is expected',
    53000: 'the device is not compliant',
    53001: 'the device is not domain joined',
    53003: 'Conditional Access blocks access',
    530002: 'the device must be compliant',
    530003: 'the device must be managed',
    700020: 'interaction is required',
  }),
  ...rows('reauthenticate', {
    16000: 'the user must choose an account',
    50013: 'the assertion is not valid: signature, issuer or form',
    50055: 'the password expired',
    50058: 'there is no session for a silent sign-in',
    50125: 'a password reset or registration interrupted the sign-in',
    50126: 'the user name or password is wrong',
    50132: 'the session is not valid: the password expired or was changed',
    50133: 'the session is not valid: the password expired or was changed',
    50135: 'the password must be changed',
    50140: 'the sign-in was interrupted by "keep me signed in"',
    50144: 'the on-premises password expired',
    50173: 'the grant was revoked; a fresh token is needed',
    50199: 'the user must confirm the app',
    70000: 'the grant is not valid',
    70008: 'the grant expired or was revoked',
    70043: 'the sign-in frequency policy ended the token',
    70044: 'a session lifetime policy ended the token',
    700082: 'the refresh token expired by inactivity',
    700084: 'the refresh token of a single-page app expired',
    500133: 'the assertion is outside its time range',
  }),
  ...rows('reauthenticate', { 50027: 'the token is malformed' }, { errors: ['invalid_request', 'invalid_grant'] }),
  ...rows('reauthenticate', { 240002: 'an ID token was sent as the assertion' }, { errors: ['invalid_request'] }),
  ...rows('consent', {
    65001: 'the user or an administrator has not consented',
    65004: 'the user declined to consent',
    90094: 'an administrator must consent',
    90095: 'the consent of an administrator was asked for and is awaited',
  }),
  ...rows('denied', {
    50020: 'the user is of another tenant or identity provider',
    50034: 'the user account does not exist in the tenant',
    50053: 'the account is locked, or the address is malicious',
    50057: 'the account is disabled',
    50105: 'the user is not assigned to the app',
    51004: 'the account is not in the directory',
    53002: 'the app is not an approved app',
    53004: 'registration for multi-factor authentication is blocked by risk',
    53010: 'the registration of security information is blocked',
    53011: 'the home tenant blocks the user for risk',
    530032: 'a security policy of the tenant blocks access',
    530034: 'a delegated administrator is blocked for risk',
    530035: 'the security defaults block access',
    90072: 'the external account does not exist in the tenant',
    135011: 'the device is disabled',
    240001: 'the user may not register devices',
    500208: 'the domain is not valid for the type of account',
    500212: 'the home tenant does not let the user go out',
    500213: 'the resource tenant does not let the user in',
  }),
  ...rows(
    'denied',
    { 7000114: 'the app may not act on behalf of others, or the assertion is an app’s own' },
    { errors: ['invalid_grant', 'invalid_request'] },
  ),
  ...rows('misconfigured', {
    50001: 'the downstream API does not exist or is disabled in the tenant',
    65002: 'a preauthorisation between first-party apps is missing',
    65005: 'the list of required resources is wrong',
    67003: 'the actor is no valid service identity',
    650052: 'the tenant has no subscription to the downstream API',
    650053: 'a scope does not exist at the API that was asked for',
    650054: 'permissions were asked for that are disabled',
    650056: 'the app registration is misconfigured',
    650057: 'the downstream API is not in the list of required resources',
    70003: 'the grant is not supported',
    70011: 'a scope is not valid',
    82001: 'a blueprint gets no tokens of its own; downstreams.*.agent is missing',
    82002: 'a blueprint gets no tokens of users; downstreams.*.agent is missing',
    82014: 'an agent identity cannot be consented to interactively',
    90004: 'the request is malformed',
    90013: 'the input is not valid',
    90014: 'a field is missing',
    90016: 'a claim is missing',
    90019: 'the request names no tenant',
    90023: 'the request is malformed',
    90036: 'the directory failed in a way that does not pass',
    90099: 'the app is not authorised in the tenant',
    100007: 'regional endpoints are limited',
    135010: 'a key was not found',
    140000: 'the nonce of the request expired',
    165900: 'the request is not valid',
    220501: 'a certificate revocation list could not be fetched',
    221000: 'a token for devices only was used',
    500011: 'the downstream API has no service principal in the tenant',
    500131: 'the audience of the assertion is not this app',
    700022: 'the scopes are of several resources',
    700023: 'the scopes name no resource',
    900144: 'a parameter is missing in the body',
    901002: 'the resource parameter is not supported',
    9002313: 'the request is malformed',
    9002326: 'a page asked for a token by a redirect address that is not one of single-page applications',
    9002327: 'no page asked for a token by a redirect address of single-page applications',
    9010010: 'the resource parameter and the scopes are not of the same application',
  }),
  ...rows(
    'misconfigured',
    {
      70002: 'the client secret is wrong',
      70021: 'no federated identity credential matches the assertion',
      700024: 'the client assertion is outside its time range',
      700025: 'a public client sent a credential',
      700027: 'the client assertion has a wrong signature or an unknown certificate',
      700211: 'no federated identity credential has the issuer of the assertion',
      700212: 'no federated identity credential has the audience of the assertion',
      700213: 'no federated identity credential has the subject of the assertion',
      700229: 'the federated token must be an app’s own',
      1000502: 'the certificate is outside its validity',
      7000214: 'the certificate was revoked',
      7000215: 'the client secret is wrong; its value is needed, not its id',
      7000218: 'the client credential is missing',
      7000222: 'the client secret expired',
      7000274: 'the signature of the client assertion is wrong',
      7000277: 'the certificate was revoked',
      7002121: 'no federated identity credential matches the assertion',
      7002137: 'no federated identity credential has the subject of the assertion',
      7002138: 'no federated identity credential has the subject of the assertion; capital and small letters differ',
    },
    { fault: 'credential' },
  ),
  ...rows(
    'misconfigured',
    {
      50059: 'the tenant cannot be determined',
      50194: 'a single-tenant app was called through a common tenant',
      70001: 'the app is disabled or does not exist',
      90002: 'the tenant does not exist',
      90038: 'the tenant lives in another cloud',
      700011: 'the app is not in the directory',
      700016: 'the app is not in the tenant',
      900023: 'the tenant id is neither a GUID nor a domain',
      900382: 'a confidential client was used across clouds',
      900432: 'a confidential client was used across clouds',
      7000112: 'the app is disabled',
      9001023: 'the grant is not supported for this kind of tenant',
    },
    { fault: 'registration' },
  ),
  ...rows('retry', {
    50196: 'Entra sees the same request in a loop',
    90006: 'an external server failed for a moment',
    90012: 'the request timed out at Entra',
    90024: 'the request took too much of Entra’s time',
    90033: 'the directory is not available for a moment',
    90055: 'the tenant is throttled',
    90090: 'Microsoft Graph failed at Entra',
    230109: 'the backup authentication service answered',
  }),
]);

/** No federated identity credential fits: that of the app, or that by which a blueprint acts as an agent identity. */
export const FEDERATION_CODES: ReadonlySet<number> = new Set([
  70021, 700211, 700212, 700213, 7002121, 7002137, 7002138,
]);

/** Entra saw the same request again and again; this concerns one user or client only. */
export const LOOP_DETECTED = 50196;

/** Entra throttles everyone of one tenant. */
export const TENANT_THROTTLED = 90055;

/** The user's tenant has no service principal for the downstream API, or no subscription to it. */
const DOWNSTREAM_IS_MISSING = [500011, 650052];

/** True for a refusal that ends when an administrator of the tenant admits the downstream API. */
export function lacksDownstream(codes: readonly number[]): boolean {
  return codes.some((code) => DOWNSTREAM_IS_MISSING.includes(code));
}

/** Suberrors that decide the class, whatever the code. */
export const SUBERRORS: ReadonlyMap<string, RefusalClass> = new Map([
  ['basic_action', 'interaction'],
  ['additional_action', 'interaction'],
  ['device_authentication_failed', 'interaction'],
  ['message_only', 'denied'],
  ['consent_required', 'consent'],
  ['user_password_expired', 'reauthenticate'],
  ['bad_token', 'reauthenticate'],
  ['token_expired', 'reauthenticate'],
  ['client_mismatch', 'denied'],
  ['protection_policy_required', 'denied'],
]);

/** OAuth errors that decide the class; what `invalid_grant` and `interaction_required` mean, the codes decide. */
export const ERRORS: ReadonlyMap<string, RefusalClass> = new Map([
  ['access_denied', 'denied'],
  ['consent_required', 'consent'],
  ['login_required', 'reauthenticate'],
  ['invalid_client', 'misconfigured'],
  ['unauthorized_client', 'misconfigured'],
  ['invalid_scope', 'misconfigured'],
  ['invalid_resource', 'misconfigured'],
  ['invalid_request', 'misconfigured'],
  ['unsupported_grant_type', 'misconfigured'],
  ['temporarily_unavailable', 'retry'],
  ['server_error', 'retry'],
]);

/** What an operator can do about a class of refusals, for the log. */
export const REMEDIES: Readonly<Record<RefusalClass, string>> = {
  interaction:
    'Nothing to fix: the client has to satisfy the challenge. If many users meet it, look at the Conditional Access policies of the downstream API.',
  reauthenticate:
    'Nothing to fix: the client has to sign in again. If it is frequent, compare the clocks and the tenant.',
  consent:
    'Grant the gateway’s delegated permissions for the downstream API (admin consent), or list the client in knownClientApplications.',
  denied:
    'The administrator of the tenant decides: the account, its assignment to the app, or a policy blocks the user.',
  misconfigured:
    'Correct identity.* in gateway.yaml or the app registration: client id, credential, tenant, and the downstream’s scopes and API permissions.',
  retry: 'Wait; if it lasts, look at the service health of Entra and at the number of exchanges.',
};
