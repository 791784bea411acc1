import type { IncomingMessage } from 'node:http';
import { notDescribed } from './described-call.ts';

/** What an engine hands back of a downstream's 401. */
export interface RejectionReport {
  /** How often the call was made: after the second time, no other token is given out. */
  readonly attempt: 1 | 2;
  /** The values of `WWW-Authenticate`. */
  readonly challenges: readonly string[];
  /** The `Authorization` that the downstream rejected; empty where the call had none. */
  readonly authorization: string;
}

/** The headers of a report, in lower case. */
export const REPORT_HEADERS: ReadonlySet<string> = new Set([
  'x-downstream-status',
  'x-downstream-attempt',
  'x-downstream-challenge',
  'x-downstream-authorization',
]);

/** The longest challenge that is read; longer ones count as none. */
const MAX_CHALLENGE_CHARACTERS = 16 * 1_024;

/**
 * Reads what the engine says of a call that it made already. Whoever forges these headers can only have the gateway
 * fetch a token anew for the caller's own session, as a call with a new token does.
 *
 * @returns `undefined` for a call that was not made yet: an engine may send the headers empty
 * @throws {GatewayError} `call_not_described` for any other status than 401, and for an unknown attempt
 */
export function readRejectionReport(req: IncomingMessage): RejectionReport | undefined {
  // Node takes the headers apart once more for `headersDistinct`; most questions have no report.
  if (!req.headers['x-downstream-status']) {
    return undefined;
  }
  const { headersDistinct } = req;
  const status = valueOf(headersDistinct['x-downstream-status']);
  const attempt = valueOf(headersDistinct['x-downstream-attempt']);
  if (status !== '401' || (attempt !== '1' && attempt !== '2')) {
    throw notDescribed('X-Downstream-Status is 401 or empty, and X-Downstream-Attempt is then 1 or 2');
  }
  const challenges = headersDistinct['x-downstream-challenge'] ?? [];
  return {
    attempt: attempt === '1' ? 1 : 2,
    challenges: challenges.filter(({ length }) => length > 0 && length <= MAX_CHALLENGE_CHARACTERS),
    authorization: valueOf(headersDistinct['x-downstream-authorization']),
  };
}

function valueOf(lines: readonly string[] = []): string {
  return lines.join(', ');
}
