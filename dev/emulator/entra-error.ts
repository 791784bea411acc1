import { randomUUID } from 'node:crypto';
import type { Switches } from './switches.ts';

interface ErrorShape {
  readonly error: string;
  readonly text: string;
  readonly suberror?: string;
  /** Default 400. */
  readonly status?: number;
  /** Whether the error look-up page knows the code. */
  readonly lookUp?: boolean;
}

const SHAPES = {
  50011: { error: 'invalid_request', text: 'The redirect URI is not registered for the application.', lookUp: true },
  50013: { error: 'invalid_grant', text: 'The assertion is not valid: its signature or issuer does not fit.' },
  50020: { error: 'invalid_grant', text: 'The account does not exist in the tenant.' },
  50027: { error: 'invalid_request', text: 'The token is not a well-formed JWT.' },
  50034: { error: 'invalid_grant', text: 'The account is not in the directory.' },
  50057: { error: 'invalid_grant', text: 'The account is disabled.', lookUp: true },
  50058: { error: 'login_required', text: 'A silent sign-in was asked but nobody is signed in.' },
  50076: {
    error: 'invalid_grant',
    suberror: 'basic_action',
    text: 'A policy or a new location demands multifactor authentication.',
  },
  50079: {
    error: 'invalid_grant',
    suberror: 'basic_action',
    text: 'A policy or a new location demands that the user register for multifactor authentication.',
  },
  50126: { error: 'invalid_grant', text: 'The user name or the password is wrong.', lookUp: true },
  50158: { error: 'invalid_grant', suberror: 'basic_action', text: 'An external challenge was not satisfied.' },
  50181: { error: 'invalid_grant', suberror: 'invalid_oob_value', text: 'The one-time code is wrong.' },
  50173: {
    error: 'invalid_grant',
    suberror: 'bad_token',
    text: 'The grant was revoked; a fresh one is needed.',
    lookUp: true,
  },
  53000: { error: 'invalid_grant', suberror: 'additional_action', text: 'The device is not compliant.', lookUp: true },
  53003: {
    error: 'invalid_grant',
    suberror: 'message_only',
    text: 'Conditional Access policies block the issuance of tokens.',
    lookUp: true,
  },
  54005: { error: 'invalid_grant', text: 'The authorization code was already redeemed.' },
  55103: { error: 'credential_required', text: 'A credential is required.' },
  55105: { error: 'invalid_grant', suberror: 'attribute_validation_failed', text: 'An attribute is not valid.' },
  55106: { error: 'attributes_required', text: 'User attributes are required.' },
  55200: { error: 'invalid_request', text: 'The continuation_token is invalid.' },
  65001: {
    error: 'invalid_grant',
    suberror: 'consent_required',
    text: 'The user or an administrator has not consented to use the application.',
  },
  65004: { error: 'access_denied', suberror: 'consent_required', text: 'The user declined to consent.' },
  70000: { error: 'invalid_grant', text: 'The grant is not valid.' },
  70003: { error: 'unsupported_grant_type', text: 'The grant type is not supported.' },
  70008: { error: 'invalid_grant', text: 'The grant has expired or was revoked.' },
  70011: { error: 'invalid_scope', text: 'The scope is not valid.' },
  70016: { error: 'authorization_pending', text: 'The user has not finished signing in.' },
  70018: { error: 'bad_verification_code', text: 'The device code is not known.' },
  70019: { error: 'expired_token', text: 'The device code has expired.' },
  82001: {
    error: 'unauthorized_client',
    text: 'An agentic application may not ask for app-only tokens of this resource.',
  },
  82002: {
    error: 'unauthorized_client',
    text: 'An agentic application may not ask for tokens on behalf of users of this resource.',
  },
  90002: { error: 'invalid_request', text: 'The tenant was not found.', lookUp: true },
  90009: {
    error: 'invalid_request',
    text: 'The application asks for a token for itself without naming itself by its GUID.',
  },
  90013: { error: 'invalid_request', text: 'The request holds invalid input.' },
  90100: { error: 'invalid_request', text: 'A parameter is empty or not valid.' },
  399246: { error: 'invalid_grant', text: 'The new password is not good enough.' },
  500011: { error: 'invalid_resource', text: 'The resource was not found in the tenant.' },
  500131: { error: 'invalid_grant', text: 'The audience of the assertion is not this application.' },
  500222: { error: 'invalid_request', text: 'The tenant or user does not support native credential recovery.' },
  500133: { error: 'invalid_grant', text: 'The assertion is outside its time range.' },
  501481: { error: 'invalid_grant', text: 'The code_verifier does not match the code_challenge.' },
  550022: { error: 'invalid_client', text: 'Confidential Client is not supported in Native Authentication API flow.' },
  552003: { error: 'expired_token', text: 'The continuation_token is expired.' },
  700016: { error: 'unauthorized_client', text: 'The application was not found in the tenant.', lookUp: true },
  700021: {
    error: 'invalid_client',
    status: 401,
    text: 'The subject of the client assertion is not the client_id.',
  },
  700023: {
    error: 'invalid_client',
    status: 401,
    text: 'The audience of the client assertion is not this token endpoint.',
  },
  700024: { error: 'invalid_client', status: 401, text: 'The client assertion is outside its time range.' },
  700025: { error: 'invalid_client', status: 401, text: 'The client is public and must not send a credential.' },
  700027: {
    error: 'invalid_client',
    status: 401,
    text: 'The client assertion has an invalid signature or names an unknown key.',
  },
  700211: { error: 'invalid_client', status: 401, text: 'No federated credential has the issuer of the assertion.' },
  700212: { error: 'invalid_client', status: 401, text: 'No federated credential has the audience of the assertion.' },
  700213: { error: 'invalid_client', status: 401, text: 'No federated credential matches the presented assertion.' },
  700229: { error: 'invalid_client', status: 401, text: 'The federated token must be an app-only token.' },
  7000112: { error: 'unauthorized_client', text: 'The application is disabled.', lookUp: true },
  7000114: { error: 'invalid_grant', text: 'The application may not make application on-behalf-of calls.' },
  7000214: { error: 'invalid_client', status: 401, text: 'The certificate of the client has been revoked.' },
  7000215: { error: 'invalid_client', status: 401, text: 'The client secret is wrong.', lookUp: true },
  7000218: {
    error: 'invalid_client',
    status: 401,
    text: "The request body must contain 'client_assertion' or 'client_secret'.",
    lookUp: true,
  },
  7000222: { error: 'invalid_client', status: 401, text: 'The client secret has expired.', lookUp: true },
  240002: { error: 'invalid_request', text: 'An id_token cannot be used as an on-behalf-of assertion.' },
  900144: { error: 'invalid_request', text: 'The request body lacks a parameter.', lookUp: true },
  901007: { error: 'invalid_request', text: "The challenge_type list parameter does not include the 'redirect' type." },
  1003037: { error: 'user_already_exists', text: 'It looks like you may already have an account.' },
  9001023: { error: 'invalid_request', text: 'The grant is not supported on this endpoint; use the tenant.' },
  9002325: { error: 'invalid_request', text: 'Cross-origin code redemption needs PKCE.' },
  9002326: {
    error: 'invalid_request',
    text: 'Cross-origin redemption is only for single-page applications.',
    lookUp: true,
  },
  9010010: { error: 'invalid_target', text: 'The resource parameter and the scopes are not of the same application.' },
  9002327: { error: 'invalid_request', text: 'Codes of single-page applications need a cross-origin request.' },
} as const satisfies Record<number, ErrorShape>;

/** The AADSTS numbers that the emulator can answer. */
export type EntraErrorCode = keyof typeof SHAPES;

/** What a single refusal adds to the shape of its number. */
export interface EntraErrorDetail {
  /** Replaces the usual text. */
  readonly text?: string | undefined;
  /** Replaces the usual OAuth error. */
  readonly error?: string | undefined;
  /** Claims request as JSON text. */
  readonly claims?: string | undefined;
  /** Replaces the usual suberror. */
  readonly suberror?: string | undefined;
  /** Further members of the body, such as a continuation token. */
  readonly members?: Readonly<Record<string, unknown>> | undefined;
}

/** A refusal of Entra. */
export class EntraError extends Error {
  readonly code: EntraErrorCode;
  readonly claims: string | undefined;
  /** The OAuth error. */
  readonly error: string;
  readonly suberror: string | undefined;
  /** Further members of the body. */
  readonly members: Readonly<Record<string, unknown>>;

  /** Makes the refusal with that AADSTS number. */
  constructor(code: EntraErrorCode, { text, claims, error, suberror, members = {} }: EntraErrorDetail = {}) {
    super(text ?? SHAPES[code].text);
    this.code = code;
    this.claims = claims;
    this.error = error ?? SHAPES[code].error;
    this.suberror = suberror ?? shapeOf(code).suberror;
    this.members = members;
  }

  /** HTTP status at the token endpoint. */
  get status(): number {
    return shapeOf(this.code).status ?? 400;
  }

  /** The description without ids, as a redirect carries it. */
  get description(): string {
    return `AADSTS${this.code}: ${this.message}`;
  }
}

/** Entra's error body; `claims` is JSON text inside JSON. */
export interface EntraErrorBody {
  readonly error: string;
  readonly error_description: string;
  readonly error_codes: readonly number[];
  readonly timestamp: string;
  readonly trace_id: string;
  readonly correlation_id: string;
  readonly error_uri?: string;
  readonly suberror?: string;
  readonly claims?: string;
}

/** What every error body of one request has in common. */
export interface ErrorFrame {
  readonly origin: string;
  readonly correlationId: string;
  readonly switches: Switches;
}

interface ErrorContent {
  readonly error: string;
  readonly codes: readonly number[];
  readonly description: string;
  readonly suberror?: string | undefined;
  readonly claims?: string | undefined;
  readonly lookUp?: boolean | undefined;
}

/** The body of a refusal. */
export function describeEntraError(refusal: EntraError, frame: ErrorFrame): EntraErrorBody {
  const content = {
    error: styledError(refusal, frame.switches),
    codes: [refusal.code],
    description: refusal.description,
    suberror: refusal.suberror,
    claims: refusal.claims,
    lookUp: shapeOf(refusal.code).lookUp,
  };
  return { ...describeError(content, frame), ...refusal.members };
}

/** The body of any error. */
export function describeError(content: ErrorContent, frame: ErrorFrame): EntraErrorBody {
  const traceId = randomUUID();
  const timestamp = new Date().toISOString().replace(/T(.{8}).*/, ' $1Z');
  const ids = ['Trace ID: ' + traceId, 'Correlation ID: ' + frame.correlationId, 'Timestamp: ' + timestamp];
  return {
    error: content.error,
    error_description: [content.description, ...ids].join(frame.switches.separator),
    error_codes: content.codes,
    timestamp,
    trace_id: traceId,
    correlation_id: frame.correlationId,
    ...(content.lookUp && { error_uri: `${frame.origin}/error?code=${content.codes[0]}` }),
    ...(content.suberror !== undefined && { suberror: content.suberror }),
    ...(content.claims !== undefined && { claims: content.claims }),
  };
}

function shapeOf(code: EntraErrorCode): ErrorShape {
  return SHAPES[code];
}

function styledError({ code, error, claims }: EntraError, { oboErrorStyle }: Switches): string {
  const interactive = claims !== undefined || [50076, 50079, 50158, 53000, 53003].includes(code);
  return oboErrorStyle === 'v1' && interactive ? 'interaction_required' : error;
}
