import type { Logger } from './logger.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Days before the end from which on a credential is told: time to get a new one without haste. */
const FIRST_NOTICE_DAYS = 30;

/** Days before the end from which on it is told each day. */
const DAILY_NOTICE_DAYS = 7;

/** Something that ends, such as a certificate. */
export interface Expiring {
  /** The key of gateway.yaml that names it. */
  readonly key: string;
  /** When it ends; seconds since the epoch; `undefined` where nobody knows. */
  readonly endSeconds: number | undefined;
  /** What an operator does. */
  readonly remedy: string;
  /** True for what somebody else renews shortly before its end: it is told only when that did not happen. */
  readonly isRenewed?: boolean;
}

/**
 * Tells in the log, by a warning, that something ends: 30 days before, 7 days before and then each day, and when it has
 * ended. What takes its place is told anew when its time comes.
 */
export class ExpiryNotices {
  readonly #log: Pick<Logger, 'warn'>;
  /** What was told last, by key. */
  readonly #told = new Map<string, string>();

  constructor(log: Pick<Logger, 'warn'>) {
    this.#log = log;
  }

  /**
   * Tells it if its time has come; to be called about once an hour.
   *
   * @param now milliseconds since the epoch
   */
  note({ key, endSeconds, remedy, isRenewed = false }: Expiring, now: number): void {
    if (endSeconds === undefined) {
      return;
    }
    const leftMs = endSeconds * 1_000 - now;
    const stage = stageOf(leftMs);
    if (stage === undefined || (isRenewed && stage > 0) || this.#told.get(key) === `${endSeconds} ${stage}`) {
      return;
    }
    this.#told.set(key, `${endSeconds} ${stage}`);
    const endsAt = new Date(endSeconds * 1_000).toISOString();
    const daysLeft = Math.max(0, Math.floor(leftMs / DAY_MS));
    const reason = stage === 0 ? 'it has ended' : 'it ends soon';
    this.#log.warn(
      { key, reason, endsAt, daysLeft, remedy },
      stage === 0 ? 'a credential has ended' : 'a credential ends',
    );
  }
}

/** The notice that is due: days before the end, 0 from the end on; `undefined` when it is too early for any. */
function stageOf(leftMs: number): number | undefined {
  const days = Math.max(0, Math.ceil(leftMs / DAY_MS));
  if (days > FIRST_NOTICE_DAYS) {
    return undefined;
  }
  return days > DAILY_NOTICE_DAYS ? FIRST_NOTICE_DAYS : days;
}
