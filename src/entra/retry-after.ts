/** Milliseconds; nobody is kept waiting for longer, whatever Entra says. */
const MAX_WAIT_MS = 60 * 60 * 1_000;

/**
 * Reads a `Retry-After` of Entra: seconds or a date (RFC 9110 §10.2.3).
 *
 * @param now milliseconds since the epoch, for a date
 * @returns milliseconds to wait from now, at most an hour; not positive for a date that is over, `undefined` when it
 *   says nothing
 */
export function readRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) {
    return undefined;
  }
  // Date.parse alone takes `1.5` for a day in 2001.
  const date = /^[A-Z][a-z]+, /.test(value) ? Date.parse(value) : Number.NaN;
  const seconds = /^(\d+)(?:,|$)/.exec(value)?.[1];
  const wait = seconds === undefined ? date - now : Number(seconds) * 1_000;
  return Number.isFinite(wait) ? Math.min(wait, MAX_WAIT_MS) : undefined;
}
