import type { EntraAccess } from './check-entra.ts';
import { fail, pass, warn, type Row } from './row.ts';

/** Milliseconds. */
const NOTICEABLE_MS = 30_000;

/** Milliseconds beyond the configured tolerance: together with its default, what Entra itself tolerates. */
const BEARABLE_MS = 240_000;

/** A `Date` header has whole seconds, rounded down; milliseconds. */
const HALF_A_SECOND_MS = 500;

const CHECK = 'clock';

/**
 * Checks how far this machine's clock is from Entra's.
 *
 * @param options.tolerance `identity.clockTolerance`, milliseconds
 * @param options.now milliseconds since the epoch
 */
export async function checkClock(
  options: EntraAccess & { readonly tolerance: number; readonly now: () => number },
): Promise<Row> {
  const { now, tolerance } = options;
  const skew = await measureSkew(options);
  if (skew === undefined) {
    return warn(CHECK, 'not known', {
      reason: 'Entra did not tell its time',
      remedy: 'fix the connection to Entra, then check again',
    });
  }
  const seconds = Math.round(Math.abs(skew) / 1_000);
  const found = seconds === 0 ? 'that of Entra' : `${seconds} s ${skew > 0 ? 'ahead of' : 'behind'} Entra`;
  const advice = {
    reason:
      'good tokens count as expired or not yet valid, and Entra refuses our assertions, as the clocks drift apart',
    remedy: `set the clock of this machine by NTP (here it is ${new Date(now()).toISOString()})`,
  };
  if (Math.abs(skew) > tolerance + BEARABLE_MS) {
    return fail(CHECK, found, advice);
  }
  return Math.abs(skew) > NOTICEABLE_MS ? warn(CHECK, found, advice) : pass(CHECK, found);
}

/** Milliseconds by which we are ahead; `undefined` when Entra gives no time. */
async function measureSkew({
  authority,
  http,
  now,
}: EntraAccess & { readonly now: () => number }): Promise<number | undefined> {
  const asked = now();
  // Another row reports that Entra cannot be reached.
  const response = await http.get(authority.metadataUrl('v2')).catch(() => undefined);
  const date = Date.parse(response?.headers['date'] ?? '');
  return Number.isNaN(date) ? undefined : (asked + now()) / 2 - (date + HALF_A_SECOND_MS);
}
