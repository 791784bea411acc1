import type { DownstreamToken } from './downstream-token.ts';

/** How long before it expires a prolonged token is no longer given out. */
const MIN_USE_MS = 5_000;

/** How long after the start of a refresh the next one may begin, when the first one fails. */
const REFRESH_PAUSE_MS = 30_000;

/** A token in memory, and how long it serves. */
export class HeldToken {
  readonly key: string;
  readonly token: DownstreamToken;
  /** The claims request that it was asked for with, as JSON text; empty for none. */
  readonly claims: string;
  #isProlonged = false;
  /** On the monotonic clock; `undefined` while nobody has tried to refresh the token, as for most tokens. */
  #nextRefreshAt: number | undefined;

  constructor(key: string, token: DownstreamToken, claims: string) {
    this.key = key;
    this.token = token;
    this.claims = claims;
  }

  /** True while the token may be given out; `now` in milliseconds since the epoch. */
  isUsable(now: number): boolean {
    const { usableUntil, expiresAt } = this.token;
    return now < (this.#isProlonged ? Math.max(usableUntil, expiresAt - MIN_USE_MS) : usableUntil);
  }

  /** True when it is time for a refresh; `now` in milliseconds since the epoch. */
  isRefreshDue(now: number): boolean {
    return now >= this.token.refreshAt;
  }

  /**
   * Lets one request begin a refresh, and no other for {@link REFRESH_PAUSE_MS}.
   *
   * @param monotonicMs milliseconds on the monotonic clock
   * @returns true for the one that is to refresh the token
   */
  tryBeginRefresh(monotonicMs: number): boolean {
    const mayBegin = this.#nextRefreshAt === undefined || monotonicMs >= this.#nextRefreshAt;
    if (mayBegin) {
      this.#nextRefreshAt = monotonicMs + REFRESH_PAUSE_MS;
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
    this.#isProlonged = true;
    return this.isUsable(now);
  }

  /** Lets the token serve only until its usual end, because Entra refuses to give a new one. */
  endAsPlanned(): void {
    this.#isProlonged = false;
  }
}
