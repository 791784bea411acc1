import { DownstreamToken } from './downstream-token.ts';

/** How long before it expires a prolonged token is no longer given out. */
const MIN_USE_MS = 5_000;

/** How long after the start of a refresh the next one may begin, when the first one fails. */
const REFRESH_PAUSE_MS = 30_000;

/** What became of the refreshes of a token that is still held. */
interface Refreshes {
  isProlonged: boolean;
  /** On the monotonic clock. */
  nextAt: number;
}

/**
 * A token in memory, under its name, and how long it serves. It extends the token, because with another object for that
 * each session would take 32 bytes more, and each request would look into one more that has left the processor's caches.
 */
export class HeldToken extends DownstreamToken {
  readonly key: string;
  /** The claims request that it was asked for with, as JSON text; empty for none. */
  readonly claims: string;
  /** `undefined` while nobody has tried to refresh the token, as for most tokens. */
  #refreshes: Refreshes | undefined;

  constructor(key: string, token: DownstreamToken, claims: string) {
    super(token, token);
    this.key = key;
    this.claims = claims;
  }

  /** True while the token may be given out; `now` in milliseconds since the epoch. */
  isUsable(now: number): boolean {
    const { usableUntil } = this;
    const isProlonged = this.#refreshes?.isProlonged === true;
    return now < (isProlonged ? Math.max(usableUntil, this.expiresAt - MIN_USE_MS) : usableUntil);
  }

  /** True when it is time for a refresh; `now` in milliseconds since the epoch. */
  isRefreshDue(now: number): boolean {
    return now >= this.refreshAt;
  }

  /**
   * Lets one request begin a refresh, and no other for {@link REFRESH_PAUSE_MS}.
   *
   * @param monotonicMs milliseconds on the monotonic clock
   * @returns true for the one that is to refresh the token
   */
  tryBeginRefresh(monotonicMs: number): boolean {
    const refreshes = (this.#refreshes ??= { isProlonged: false, nextAt: Number.NEGATIVE_INFINITY });
    const mayBegin = monotonicMs >= refreshes.nextAt;
    if (mayBegin) {
      refreshes.nextAt = monotonicMs + REFRESH_PAUSE_MS;
    }
    return mayBegin;
  }

  /**
   * Lets the token serve almost until it expires, because Entra cannot give a new one.
   *
   * @param now milliseconds since the epoch
   * @returns true while the token may still be given out
   */
  prolong(now: number): boolean {
    this.#refreshes ??= { isProlonged: true, nextAt: Number.NEGATIVE_INFINITY };
    this.#refreshes.isProlonged = true;
    return this.isUsable(now);
  }

  /** Lets the token serve only until its usual end, because Entra refuses to give a new one. */
  endAsPlanned(): void {
    if (this.#refreshes !== undefined) {
      this.#refreshes.isProlonged = false;
    }
  }
}
