/**
 * Every way in which a request can fail: one table behind the status codes, the challenges, the problem documents,
 * the log levels and the `code` label of the metrics. A new failure is a new row here.
 */

/** Whose fault a failure is; it picks the log level and tells an operator where to look. */
export type Blame = 'client' | 'gateway' | 'entra' | 'downstream';

interface FailureRule {
  /** The `code` of the problem document where it is not the row's own name. */
  readonly code?: string;
  readonly status: number;
  readonly title: string;
  /** What the caller reads when the place that failed has nothing more exact to say. */
  readonly detail: string;
  readonly blame: Blame;
  /**
   * The RFC 6750 `error` of the challenge; `null` is a challenge without one, absent is no challenge at all.
   *
   * @see https://www.rfc-editor.org/rfc/rfc6750#section-3.1
   */
  readonly challenge?: string | null;
  /** Where the challenge has the claims request, if there is one; absent for its parameter `claims`. */
  readonly claimsIn?: 'scope';
}

/** The failures by name. */
export const FAILURES = {
  missing_token: {
    status: 401,
    title: 'An access token is required',
    detail: 'Send an access token for this API in the Authorization header as "Bearer <token>".',
    blame: 'client',
    challenge: null,
  },
  malformed_authorization: {
    code: 'invalid_request',
    status: 400,
    title: 'The Authorization header cannot be read',
    detail: 'Send exactly one Authorization header that holds "Bearer" and one token.',
    blame: 'client',
    challenge: 'invalid_request',
  },
  invalid_token: {
    status: 401,
    title: 'The access token is not valid for this API',
    detail: 'Get a new access token for this API and try again.',
    blame: 'client',
    challenge: 'invalid_token',
  },
  insufficient_scope: {
    status: 403,
    title: 'The access token does not permit this operation',
    detail: 'The token lacks a permission that this operation needs.',
    blame: 'client',
    challenge: 'insufficient_scope',
  },
  access_denied: {
    status: 403,
    title: 'Access is denied',
    detail: 'Signing in again will not change this; ask the administrator of your organisation or of this API.',
    blame: 'client',
  },
  insufficient_claims: {
    status: 401,
    title: 'More proof is required',
    detail: 'Ask Entra for a new access token for this API with the given claims, then try again.',
    blame: 'client',
    challenge: 'insufficient_claims',
  },
  claims_as_scope: {
    code: 'insufficient_scope',
    status: 403,
    title: 'More proof is required',
    detail: 'Ask the authorization server for a new access token with the scopes of the challenge, then try again.',
    blame: 'client',
    challenge: 'insufficient_scope',
    claimsIn: 'scope',
  },
  interaction_required: {
    status: 401,
    title: 'The user must sign in interactively',
    detail: 'Let the user sign in interactively, then try again with the new access token.',
    blame: 'client',
    challenge: 'invalid_token',
  },
  consent_required: {
    status: 403,
    title: 'Consent is missing',
    detail: 'The user or an administrator must consent to the named scopes before this operation can work.',
    blame: 'client',
    challenge: 'consent_required',
  },
  client_not_capable: {
    status: 403,
    title: 'The client cannot handle claims challenges',
    detail: 'More proof is required; use a client that declares the capability "cp1" when it asks Entra for tokens.',
    blame: 'client',
  },
  step_up_unsatisfiable: {
    status: 403,
    title: 'The required proof cannot be provided',
    detail: 'New tokens keep meeting the same requirement, so signing in again will not help; ask your administrator.',
    blame: 'client',
  },
  invalid_request: {
    status: 400,
    title: 'The request does not match the contract',
    detail: 'Correct the request and send it again.',
    blame: 'client',
  },
  call_not_described: {
    code: 'invalid_request',
    status: 400,
    title: 'The call is not described',
    detail: 'What stands in front of the API does not say which call it asks about; tell those who run it.',
    blame: 'gateway',
  },
  header_mismatch: {
    code: 'invalid_request',
    status: 400,
    title: 'The headers and the message differ',
    detail: 'Send in Mcp-Method and Mcp-Name what the message says.',
    blame: 'client',
  },
  undecidable_message: {
    code: 'invalid_request',
    status: 400,
    title: 'The message cannot be decided on',
    detail: 'Send one JSON-RPC message that every reader reads alike.',
    blame: 'client',
  },
  unsupported_media_type: {
    code: 'invalid_request',
    status: 415,
    title: 'The request body is in an unsupported format',
    detail: 'Send the body as JSON in UTF-8 with one of the media types of the contract.',
    blame: 'client',
  },
  upgrade_required: {
    code: 'invalid_request',
    status: 426,
    title: 'A protocol upgrade is required',
    detail: 'This operation is a WebSocket: open it with "Upgrade: websocket".',
    blame: 'client',
  },
  target_too_long: {
    code: 'invalid_request',
    status: 414,
    title: 'The address is too long',
    detail: 'Send a shorter path and query.',
    blame: 'client',
  },
  not_found: {
    status: 404,
    title: 'The path does not exist',
    detail: 'The contract of this API has no operation with this path.',
    blame: 'client',
  },
  method_not_allowed: {
    status: 405,
    title: 'The method is not allowed for this path',
    detail: 'The Allow header lists the methods that this path has.',
    blame: 'client',
  },
  request_timeout: {
    status: 408,
    title: 'The request did not arrive in time',
    detail: 'Send the whole request without long pauses.',
    blame: 'client',
  },
  payload_too_large: {
    status: 413,
    title: 'The request body is too large',
    detail: 'Send a smaller body.',
    blame: 'client',
  },
  too_many_requests: {
    status: 429,
    title: 'Too many requests',
    detail: 'Wait as long as Retry-After says and send the same request again.',
    blame: 'client',
  },
  headers_too_large: {
    status: 431,
    title: 'The request headers are too large',
    detail: 'Send fewer and shorter headers: at most 1,000, and together no more than this API accepts.',
    blame: 'client',
  },
  overloaded: {
    status: 503,
    title: 'This API is overloaded',
    detail: 'Wait as long as Retry-After says and send the same request again.',
    blame: 'gateway',
  },
  gateway_misconfigured: {
    status: 500,
    title: 'This API is not set up correctly',
    detail: 'Nothing in the request is wrong; the operator of this API has to correct its configuration.',
    blame: 'gateway',
  },
  internal_error: {
    status: 500,
    title: 'An internal error occurred',
    detail: 'Nothing in the request is known to be wrong; give the requestId to the operator of this API.',
    blame: 'gateway',
  },
  identity_unavailable: {
    status: 503,
    title: 'The identity service is unavailable',
    detail: 'Wait as long as Retry-After says and send the same request again.',
    blame: 'entra',
  },
  downstream_rejected_token: {
    status: 502,
    title: 'The service behind this API refused the call',
    detail: 'Nothing in the request is wrong; give the requestId to the operator of this API.',
    blame: 'downstream',
  },
  downstream_unreachable: {
    status: 502,
    title: 'The service behind this API cannot be reached',
    detail: 'Try again later.',
    blame: 'downstream',
  },
  downstream_invalid_response: {
    status: 502,
    title: 'The service behind this API sent an invalid response',
    detail: 'Nothing in the request is wrong; give the requestId to the operator of this API.',
    blame: 'downstream',
  },
  downstream_timeout: {
    status: 504,
    title: 'The service behind this API took too long to respond',
    detail: 'Try again later.',
    blame: 'downstream',
  },
  downstream_unavailable: {
    status: 503,
    title: 'The service behind this API is not available',
    detail: 'Try again later.',
    blame: 'downstream',
  },
} as const satisfies Record<string, FailureRule>;

/** The name of a row of {@link FAILURES}. */
export type Failure = keyof typeof FAILURES;

/** Every `code` that a problem document can have; docs/answers.md explains each. */
export type FailureCode = { [F in Failure]: (typeof FAILURES)[F] extends { code: infer Code } ? Code : F }[Failure];

/** The `code` of a failure, which is its name where its row says nothing else. */
export function codeOf(failure: Failure): FailureCode {
  const rule = FAILURES[failure];
  return 'code' in rule ? rule.code : (failure as FailureCode);
}

/**
 * One fault of a request against the contract; `pointer` is an RFC 6901 pointer into the body.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6901#section-3
 */
export interface RequestFault {
  readonly detail: string;
  readonly in?: string;
  readonly name?: string;
  readonly pointer?: string;
}

/** The failure of a caller that comes back with newer tokens and meets the same refusal again and again. */
export interface LoopRule {
  /** The name of the refusal; refusals of one name count together. */
  readonly refusal: string;
  readonly code: 'step_up_unsatisfiable' | 'gateway_misconfigured';
  /** For the operator's log. */
  readonly remedy: string;
}

/** What the error of JSON-RPC says that answers a message in the place of a problem document. */
export interface JsonRpcFacts {
  readonly code: -32_600 | -32_020;
  /** That of the message; `null` where it cannot be read. */
  readonly id: string | number | null;
}

/** What some failures say beyond their row. The caller may see all of it except `loop`, `log` and `cause`. */
export interface FailureFacts {
  readonly detail?: string;
  /** The scopes or roles that are missing, or those to get a token for in a 401. */
  readonly scopes?: readonly string[];
  /** The claims request as JSON text, for a claims challenge. */
  readonly claims?: string;
  /** True when the claims ask for an authentication context. */
  readonly authContext?: boolean;
  /** Entra's `suberror`, a word of its own list. */
  readonly suberror?: string;
  readonly consentUri?: string;
  readonly errors?: readonly RequestFault[];
  /** The methods of the path, for 405. */
  readonly allow?: readonly string[];
  /**
   * The protocol that the operation speaks, for 426 (RFC 9110 §15.5.22).
   *
   * @see https://www.rfc-editor.org/rfc/rfc9110#section-15.5.22
   */
  readonly upgrade?: 'websocket' | 'HTTP/1.1';
  /** Seconds. */
  readonly retryAfter?: number;
  /**
   * The address of the metadata of the resource that was called, where it is not the API as a whole.
   *
   * @see https://www.rfc-editor.org/rfc/rfc9728#section-5.1
   */
  readonly resourceMetadata?: string;
  /** For a message of an MCP client, which is answered by an error of JSON-RPC. */
  readonly jsonRpc?: JsonRpcFacts;
  /** For a refusal without claims that a newer token should end: the failure when newer tokens do not end it. */
  readonly loop?: LoopRule;
  /** For the operator's log only. */
  readonly log?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** A failure of a request. One place turns it into an HTTP answer: `http/answer-failure.ts`. */
export class GatewayError extends Error {
  override readonly name: string = 'GatewayError';
  /**
   * The name of its row.
   *
   * @internal
   */
  readonly failure: Failure;
  /** What callers, the log and the metrics call it; several rows can have one code. */
  readonly code: FailureCode;
  /**
   * Its row: status, title, whose fault it is, and the challenge.
   *
   * @internal
   */
  readonly rule: FailureRule;
  /** @internal */
  readonly facts: FailureFacts;

  /**
   * @param facts what to say beyond the failure's row; never a token, and nothing of Entra's or a downstream's prose
   */
  constructor(failure: Failure, facts: FailureFacts = {}) {
    const rule = FAILURES[failure];
    super(facts.detail ?? rule.detail, { cause: facts.cause });
    this.failure = failure;
    this.code = codeOf(failure);
    this.rule = rule;
    this.facts = facts;
  }

  /**
   * Makes the same failure with more facts; the error itself may be shared by many requests.
   *
   * @internal
   */
  with(facts: FailureFacts): GatewayError {
    return new GatewayError(this.failure, { ...this.facts, ...facts });
  }
}

/** Makes a {@link GatewayError} of anything that was thrown: what is none becomes an `internal_error`. */
export function toGatewayError(thrown: unknown): GatewayError {
  return thrown instanceof GatewayError ? thrown : new GatewayError('internal_error', { cause: thrown });
}

/** One fault of the configuration or the contract: the key or operation, and what to do about it. */
export interface ConfigFault {
  readonly at: string;
  readonly message: string;
}

/** Everything that is wrong with `gateway.yaml` and the contract, at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    super(faults.map(({ at, message }) => `${at}: ${message}`).join('\n'));
    this.faults = faults;
  }
}
