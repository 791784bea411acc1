import { ExpiryNotices, type Expiring } from './expiry-notices.ts';
import type { Logger } from './logger.ts';

/** Milliseconds between two looks. */
const INTERVAL_MS = 60 * 60 * 1_000;

/**
 * Looks when something ends, now and every hour from then on, and tells the log when its time has come.
 *
 * @param find says what ends, as it is now
 * @param now milliseconds since the epoch
 * @param intervalMs milliseconds between two looks; default an hour
 * @returns what ends the watch
 */
export function watchExpiry(
  find: () => Promise<Expiring>,
  log: Pick<Logger, 'warn'>,
  now: () => number,
  intervalMs = INTERVAL_MS,
): () => void {
  const notices = new ExpiryNotices(log);
  const look = async (): Promise<void> => {
    notices.note(await find(), now());
  };
  void look();
  const timer = setInterval(() => void look(), intervalMs).unref();
  return () => clearInterval(timer);
}
