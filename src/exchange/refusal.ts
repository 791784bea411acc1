import type { EntraResponse } from '../entra/http-client.ts';
import { readRetryAfter } from '../entra/retry-after.ts';
import { ENTRA_CODES, ERRORS, lacksDownstream, LOOP_DETECTED, SUBERRORS, type RefusalClass } from './entra-codes.ts';
import { isClaimsRequest } from '../syntax/claims-request.ts';
import { parseJsonObject } from '../syntax/json.ts';

/** A refusal of Entra: its class, and the facts that the log and the answer need. */
export interface Refusal {
  readonly class: RefusalClass;
  readonly error: string | undefined;
  readonly suberror: string | undefined;
  readonly codes: readonly number[];
  /** The claims request, byte for byte as Entra sent it. */
  readonly claims: string | undefined;
  /** The time that Entra named to come back, in milliseconds on the monotonic clock; `undefined` when it named none. */
  readonly retryAt: number | undefined;
  readonly traceId: string | undefined;
  /** The status of the answer; 0 when there was none. */
  readonly status: number;
}

/** The shapes of Entra's words and ids; a text of any other shape must not reach a log. */
const WORD = /^\w{1,64}$/;
const ID = /^[\w-]{1,64}$/;

/** When a refusal arrived, and which gateway it arrived at. */
export interface RefusalContext {
  /** Milliseconds since the epoch, for a `Retry-After` that is a date. */
  readonly now: number;
  /** Milliseconds on the monotonic clock. */
  readonly monotonicMs: number;
  /** True when users of many tenants call, whose administrators decide what their tenant has. */
  readonly servesManyTenants: boolean;
}

/**
 * Reads an answer of the token endpoint that has no token. The status decides first, then `claims`, suberror, error and
 * code in this order. The description never decides, because Microsoft changes its texts.
 *
 * @example An answer of class `interaction`, whose claims go to the caller byte for byte
 * HTTP/1.1 400 Bad Request
 * Content-Type: application/json; charset=utf-8
 *
 * {"error":"interaction_required","error_description":"AADSTS50076: Due to a configuration change made by …",
 *   "error_codes":[50076],"timestamp":"2026-11-29 10:00:00Z","trace_id":"0000aaaa-11bb-cccc-dd22-eeeeee333333",
 *   "correlation_id":"aaaa0000-bb11-2222-33cc-444444dddddd","suberror":"basic_action",
 *   "claims":"{\"access_token\":{\"acrs\":{\"essential\":true,\"value\":\"c1\"}}}"}
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5.2
 * @see https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow
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

/** True when another tenant lacks the downstream API, which its administrator can add; in our own, it is our fault. */
function needsTheirConsent(
  refusalClass: RefusalClass,
  codes: readonly number[],
  { servesManyTenants }: RefusalContext,
): boolean {
  return refusalClass === 'misconfigured' && servesManyTenants && lacksDownstream(codes);
}

/** What decides the class of a refusal. */
interface ClassifiedFacts {
  readonly status: number;
  readonly error: string | undefined;
  readonly suberror: string | undefined;
  readonly claims: string | undefined;
  readonly codes: readonly number[];
}

function classify({ status, error, suberror, claims, codes }: ClassifiedFacts): RefusalClass {
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
  // The codes of one answer can contradict each other. The code that is known to come with this error decides.
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

/** Classifies the errors that say little without a code: mostly `invalid_grant` and `interaction_required`. */
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

/** Reads the claims request; a text that is no JSON object, or is too large for a header, counts as none. */
function readClaims(value: unknown): string | undefined {
  const text = toText(value);
  return text !== undefined && isClaimsRequest(text) ? text : undefined;
}

/** The wait after a detected loop: Entra looks at the last five minutes, but names no time. */
const LOOP_WAIT_MS = 5 * 60 * 1_000;

function waitForLoop(codes: readonly number[]): number | undefined {
  return codes.includes(LOOP_DETECTED) ? LOOP_WAIT_MS : undefined;
}
