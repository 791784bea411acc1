import type { X509Certificate } from 'node:crypto';
import { fail, pass, warn, type Advice, type Row } from './row.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Milliseconds in which to get and roll out a new certificate without haste. */
const SOON_MS = 30 * DAY_MS;

/**
 * Says how long a certificate is still valid.
 *
 * @param now milliseconds since the epoch
 * @param advice what to say when it is not, or not for long
 */
export function judgeValidity(
  check: string,
  { validFrom, validTo }: X509Certificate,
  now: number,
  advice: Advice,
): Row {
  const start = Date.parse(validFrom);
  const end = Date.parse(validTo);
  if (now < start) {
    return fail(check, `valid only from ${toDate(start)} on`, advice);
  }
  if (now > end) {
    return fail(check, `expired on ${toDate(end)}`, advice);
  }
  const found = `valid until ${toDate(end)}`;
  return end - now < SOON_MS ? warn(check, found, advice) : pass(check, found);
}

function toDate(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
