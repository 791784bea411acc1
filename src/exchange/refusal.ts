import type { EntraResponse } from '../entra/http-client.ts';
import { readRetryAfter } from '../entra/retry-after.ts';
import { ENTRA_CODES, ERRORS, lacksDownstream, LOOP_DETECTED, SUBERRORS, type RefusalClass } from './entra-codes.ts';

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

const LARGEST_CLAIMS = 4_096;
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
 */
export function readRefusal(response: EntraResponse, context: RefusalContext): Refusal {
  const body = parseBody(response.text);
  const error = toText(body['error']);
  const suberror = pick(WORD, body['suberror']);
  const claims = readClaims(body['claims']);
  const codes = toCodes(body['error_codes']);
  const wait = readRetryAfter(response.headers['retry-after'], context.now) ?? waitForLoop(codes);
  const refusalClass = classify({ status: response.status, error, suberror, claims, codes });
  return {
    class: needsTheirConsent(refusalClass, codes, context) ? 'CO' : refusalClass,
    error: pick(WORD, error),
    suberror,
    codes,
    claims,
    retryAt: wait === undefined ? undefined : context.monotonicMs + wait,
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
  return refusalClass === 'CF' && servesManyTenants && lacksDownstream(codes);
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
    return 'RT';
  }
  if (claims !== undefined) {
    return 'CH';
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
  const aboutUser = isAboutUser ? classes.find((known) => known !== 'CF') : undefined;
  return aboutUser ?? classes[0] ?? (isAboutUser ? 'RE' : 'CF');
}

function parseBody(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
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
  if (text === undefined || Buffer.byteLength(text) > LARGEST_CLAIMS) {
    return undefined;
  }
  return Object.keys(parseBody(text)).length > 0 ? text : undefined;
}

/** Milliseconds: Entra's loop detection looks at the last five minutes, but does not say so. */
const LOOP_WAIT = 5 * 60 * 1_000;

function waitForLoop(codes: readonly number[]): number | undefined {
  return codes.includes(LOOP_DETECTED) ? LOOP_WAIT : undefined;
}
