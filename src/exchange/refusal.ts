import type { EntraResponse } from '../entra/http-client.ts';
import { readRetryAfter } from '../entra/retry-after.ts';
import { ENTRA_CODES, ERRORS, lacksDownstream, LOOP_DETECTED, SUBERRORS, type RefusalClass } from './entra-codes.ts';
import { isClaimsRequest } from '../syntax/claims-request.ts';
import { parseJsonObject } from '../syntax/json.ts';

/** A refusal of Entra, decided: what it asks for, and the facts that the log and the answer need. */
export interface Refusal {
  readonly class: RefusalClass;
  readonly error: string | undefined;
  readonly suberror: string | undefined;
  readonly codes: readonly number[];
  /** The claims request, byte for byte as Entra gave it. */
  readonly claims: string | undefined;
  /** On the monotonic clock, when Entra said how long to wait. */
  readonly retryAt: number | undefined;
  readonly traceId: string | undefined;
  readonly status: number;
}

/** The words and ids of Entra; anything else in their place is none of its and must not reach a log. */
const WORD = /^\w{1,64}$/;
const ID = /^[\w-]{1,64}$/;

/** When and where a refusal was heard. */
export interface RefusalContext {
  /** Milliseconds since the epoch, for a `Retry-After` that is a date. */
  readonly now: number;
  /** Milliseconds on the monotonic clock. */
  readonly monotonicMs: number;
  /** True where users of many tenants call, whose administrators decide what their tenant has. */
  readonly servesManyTenants: boolean;
}

/**
 * Reads an answer of the token endpoint that brought no token. Decides by status, then by `claims` > suberror >
 * error > code, never by text, because Microsoft changes its texts.
 *
 * @example a body that is of class `interaction`, with claims to pass on
 * {"error":"invalid_grant","error_codes":[50076],"suberror":"basic_action","claims":"{\"access_token\":{…}}"}
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5.2
 */
export function readRefusal(response: EntraResponse, context: RefusalContext): Refusal {
  const body = parseJsonObject(response.text) ?? {};
  const error = toText(body['error']);
  const suberror = pick(WORD, body['suberror']);
  const claims = readClaims(body['claims']);
  const codes = toCodes(body['error_codes']);
  const waitMs = readRetryAfter(response.headers['retry-after'], context.now) ?? waitForLoop(codes);
  const refusalClass = classify({ status: response.status, error, suberror, claims, codes });
  return {
    class: needsTheirConsent(refusalClass, codes, context) ? 'consent' : refusalClass,
    error: pick(WORD, error),
    suberror,
    codes,
    claims,
    retryAt: waitMs === undefined ? undefined : context.monotonicMs + waitMs,
    traceId: pick(ID, body['trace_id']),
    status: response.status,
  };
}

/** What a tenant lacks is our own fault in our own tenant, and its administrator's to add in another. */
function needsTheirConsent(
  refusalClass: RefusalClass,
  codes: readonly number[],
  { servesManyTenants }: RefusalContext,
): boolean {
  return refusalClass === 'misconfigured' && servesManyTenants && lacksDownstream(codes);
}

interface Facts {
  readonly status: number;
  readonly error: string | undefined;
  readonly suberror: string | undefined;
  readonly claims: string | undefined;
  readonly codes: readonly number[];
}

function classify({ status, error, suberror, claims, codes }: Facts): RefusalClass {
  if (status === 429 || status >= 500 || error === undefined) {
    return 'retry';
  }
  if (claims !== undefined) {
    return 'interaction';
  }
  const bySuberror = SUBERRORS.get(suberror ?? '');
  if (bySuberror !== undefined) {
    return bySuberror;
  }
  // Codes of one answer can contradict each other; the one that is known with this error speaks for it.
  const rows = codes.flatMap((code) => ENTRA_CODES.get(code) ?? []);
  const known = rows.find((row) => row.errors?.includes(error));
  return (
    known?.class ??
    ERRORS.get(error) ??
    classifyGrant(
      error,
      rows.map((row) => row.class),
    )
  );
}

/** What is left is mostly `invalid_grant` and `interaction_required`, which say little without the code. */
function classifyGrant(error: string, classes: readonly RefusalClass[]): RefusalClass {
  const isAboutUser = error === 'invalid_grant' || error === 'interaction_required';
  const aboutUser = isAboutUser ? classes.find((known) => known !== 'misconfigured') : undefined;
  return aboutUser ?? classes[0] ?? (isAboutUser ? 'reauthenticate' : 'misconfigured');
}

function toText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function pick(pattern: RegExp, value: unknown): string | undefined {
  const text = toText(value);
  return text !== undefined && pattern.test(text) ? text : undefined;
}

function toCodes(value: unknown): number[] {
  return Array.isArray(value) ? value.map(Number).filter(Number.isSafeInteger) : [];
}

/** Claims that are no JSON object, or too large for a header, are none. */
function readClaims(value: unknown): string | undefined {
  const text = toText(value);
  return text !== undefined && isClaimsRequest(text) ? text : undefined;
}

/** Entra's loop detection looks at the last five minutes, but does not say so. */
const LOOP_WAIT_MS = 5 * 60 * 1_000;

function waitForLoop(codes: readonly number[]): number | undefined {
  return codes.includes(LOOP_DETECTED) ? LOOP_WAIT_MS : undefined;
}
