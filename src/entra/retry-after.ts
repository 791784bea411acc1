/** The longest wait that is believed, whatever Entra says. */
const MAX_WAIT_MS = 60 * 60 * 1_000;

/**
 * Reads a `Retry-After` header of Entra, which is a number of seconds or a date.
 *
 * @param now milliseconds since the epoch, to compare a date with
 * @returns milliseconds to wait from now, at most an hour; 0 or less for a date that is over; `undefined` when the
 *   header is missing or is neither
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 */
export function readRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) {
    return undefined;
  }
  // Date.parse alone would read `1.5` as a day in 2001.
  const date = /^[A-Z][a-z]+, /.test(value) ? Date.parse(value) : Number.NaN;
  const seconds = /^(\d+)(?:,|$)/.exec(value)?.[1];
  const wait = seconds === undefined ? date - now : Number(seconds) * 1_000;
  return Number.isFinite(wait) ? Math.min(wait, MAX_WAIT_MS) : undefined;
}
