/** How long no second token is forgotten for the same reason. */
const DISCARD_PAUSE_MS = 60_000;

/** How many tokens of one downstream are forgotten in that time, for different reasons. */
const MAX_DISCARDS = 20;

/** A refusal, and how long it is remembered. */
interface Refusal {
  readonly error: Error;
  /** On the monotonic clock; milliseconds. */
  readonly until: number;
}

/**
 * What went wrong with the downstream tokens of one assertion: the refusals, and the tokens that were forgotten. All times
 * are milliseconds on the monotonic clock.
 */
export class RememberedFailures {
  readonly #refusals = new Map<string, Refusal>();
  /** When a token was last forgotten for each reason that a new token may not end. */
  readonly #discards = new Map<string, number>();

  /** Finds the refusal remembered under a key. */
  findRefusal(key: string, monotonicMs: number): Error | undefined {
    const refusal = this.#refusals.get(key);
    return refusal !== undefined && monotonicMs < refusal.until ? refusal.error : undefined;
  }

  /** Remembers a refusal, and forgets those whose time is over. */
  rememberRefusal(key: string, error: Error, until: number, monotonicMs: number): void {
    for (const [other, refusal] of this.#refusals) {
      if (refusal.until <= monotonicMs) {
        this.#refusals.delete(other);
      }
    }
    this.#refusals.set(key, { error, until });
  }

  /**
   * Lets one request forget a token for a reason that a new token may not end, such as a 401 without any claims, and no
   * other request for a minute.
   *
   * @param claims the claims request of the downstream, because a token with them may be accepted; empty for none
   * @returns true for the request that is to forget the token
   */
  tryBeginDiscard(key: string, claims: string, monotonicMs: number): boolean {
    for (const [other, at] of this.#discards) {
      if (monotonicMs - at >= DISCARD_PAUSE_MS) {
        this.#discards.delete(other);
      }
    }
    const reason = `${key} ${claims}`;
    const ofThisKey = [...this.#discards.keys()].filter((other) => other.startsWith(`${key} `));
    const isDue = !this.#discards.has(reason) && ofThisKey.length < MAX_DISCARDS;
    if (isDue) {
      this.#discards.set(reason, monotonicMs);
    }
    return isDue;
  }
}
