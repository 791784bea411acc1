import type { DownstreamToken } from './downstream-token.ts';

/** How long before its end a token still survives the call it is for, as a last resort. */
const MIN_USE_MS = 5_000;

/** How long after the start of a refresh the next one may begin, should it fail. */
const REFRESH_PAUSE_MS = 30_000;

/** A token in memory, and for how long it serves there. */
export class HeldToken {
  readonly key: string;
  readonly token: DownstreamToken;
  /** What it was asked to meet; empty for nothing. */
  readonly claims: string;
  #isProlonged = false;
  /** On the monotonic clock; `undefined` while nobody has tried to refresh it, as for most. */
  #nextRefreshAt: number | undefined;

  constructor(key: string, token: DownstreamToken, claims: string) {
    this.key = key;
    this.token = token;
    this.claims = claims;
  }

  isUsable(now: number): boolean {
    const { usableUntil, expiresAt } = this.token;
    return now < (this.#isProlonged ? Math.max(usableUntil, expiresAt - MIN_USE_MS) : usableUntil);
  }

  /** True when it is time for a refresh. */
  isRefreshDue(now: number): boolean {
    return now >= this.token.refreshAt;
  }

  /**
   * Lets one caller begin a refresh, and no other for a while.
   *
   * @param monotonicMs milliseconds on the monotonic clock
   * @returns true for the one who is to refresh it
   */
  tryBeginRefresh(monotonicMs: number): boolean {
    const mayBegin = this.#nextRefreshAt === undefined || monotonicMs >= this.#nextRefreshAt;
    if (mayBegin) {
      this.#nextRefreshAt = monotonicMs + REFRESH_PAUSE_MS;
    }
    return mayBegin;
  }

  /** Lets it serve almost until it expires, because Entra cannot give a new one; false when that is over, too. */
  prolong(now: number): boolean {
    this.#isProlonged = true;
    return this.isUsable(now);
  }

  /** Lets it serve only until its usual end, because Entra will not give a new one. */
  endAsPlanned(): void {
    this.#isProlonged = false;
  }
}
