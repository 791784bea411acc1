import type { DownstreamToken, FetchedToken } from './downstream-token.ts';
import { HeldToken } from './held-token.ts';

/** The pause between two tokens that are forgotten for the same reason, and how many reasons count in that time. */
const DISCARD_PAUSE_MS = 60_000;
const MAX_DISCARDS = 20;

const NONE: readonly HeldToken[] = [];

interface Remembered {
  readonly error: Error;
  /** On the monotonic clock. */
  readonly until: number;
}

/** A token that is to be fetched, and how. */
interface FetchPlan {
  readonly key: string;
  readonly claims: string;
  readonly fetch: () => Promise<FetchedToken>;
  /** True when the token takes the place of whatever is held when it comes. */
  readonly isStronger: boolean;
}

/** A fetch that is under way. */
interface Flight {
  readonly key: string;
  readonly claims: string;
  readonly result: Promise<FetchedToken>;
}

/**
 * The downstream tokens of one assertion, or the gateway's own: those that are held, the fetches of them that are
 * under way, and the refusals that need not be heard again yet. Tokens are in private fields, so that no log line or
 * error can show them by accident.
 *
 * Keys are names of downstreams, of which there are few. Each session has one of these, and most hold one or two tokens
 * and nothing else: so there is an array in the place of a map, and what is seldom there is made when it is needed,
 * which saves half of what a session takes besides its token.
 */
export class DownstreamTokens {
  #held: readonly HeldToken[] = NONE;
  /** In the order in which they began. */
  #flights: Map<string, Flight> | undefined;
  #refusals: Map<string, Remembered> | undefined;
  /** When a token was last forgotten for each reason that may not pass; on the monotonic clock. */
  #discards: Map<string, number> | undefined;

  /**
   * The token held under a key, unless it is no longer given out.
   *
   * @param claims what it must meet; a token that was asked for without them, or with others, does not
   */
  find(key: string, claims: string, now: number): HeldToken | undefined {
    const held = this.#findHeld(key);
    return held?.isUsable(now) === true && meets(held, claims) ? held : undefined;
  }

  /**
   * Lets the held token serve until shortly before it expires, because Entra cannot give a better one.
   *
   * @returns the token; `undefined` where none meets the claims, or it is over
   */
  prolong(key: string, claims: string, now: number): HeldToken | undefined {
    const held = this.#findHeld(key);
    return held !== undefined && meets(held, claims) && held.prolong(now) ? held : undefined;
  }

  /** True when there may be something for {@link DownstreamTokens.findRefusal}. */
  get hasRefusals(): boolean {
    return this.#refusals !== undefined;
  }

  /**
   * The refusal remembered under a key.
   *
   * @param monotonicMs milliseconds on the monotonic clock
   */
  findRefusal(key: string, monotonicMs: number): Error | undefined {
    const refusal = this.#refusals?.get(key);
    return refusal !== undefined && monotonicMs < refusal.until ? refusal.error : undefined;
  }

  /**
   * Fetches a token, once for all who want it at the same time; also a failure is that of all of them. The new token
   * replaces the old.
   *
   * @param claims what the token must meet; who needs none is content with any fetch that is under way
   */
  fetch(key: string, claims: string, fetch: () => Promise<FetchedToken>): Promise<FetchedToken> {
    const underWay = claims === '' ? this.#latestFlight(key) : undefined;
    if (underWay !== undefined && underWay.claims !== '') {
      // Its success is good for everyone; its failure may be about the claims.
      return underWay.result.catch(() => this.fetch(key, claims, fetch));
    }
    return this.#join(`${key} ${claims}`, { key, claims, fetch, isStronger: claims !== '' });
  }

  /** Fetches a token that takes the place of a held one, unless another has taken it by then. */
  refresh(key: string, { claims }: HeldToken, fetch: () => Promise<FetchedToken>): Promise<FetchedToken> {
    // Whoever needs claims must not be content with a token that was asked for before they were.
    const name = claims === '' ? `${key} ` : `${key} ${claims} again`;
    return this.#join(name, { key, claims, fetch, isStronger: false });
  }

  #findHeld(key: string): HeldToken | undefined {
    for (const held of this.#held) {
      if (held.key === key) {
        return held;
      }
    }
    return undefined;
  }

  #latestFlight(key: string): Flight | undefined {
    let latest: Flight | undefined;
    for (const flight of this.#flights?.values() ?? []) {
      latest = flight.key === key ? flight : latest;
    }
    return latest;
  }

  /** The flight of that name that is under way; otherwise a new one. */
  #join(name: string, plan: FetchPlan): Promise<FetchedToken> {
    const flights = (this.#flights ??= new Map<string, Flight>());
    const known = flights.get(name);
    if (known !== undefined) {
      return known.result;
    }
    const result = this.#fetchAndHold(plan).finally(() => {
      flights.delete(name);
      if (flights.size === 0) {
        this.#flights = undefined;
      }
    });
    flights.set(name, { key: plan.key, claims: plan.claims, result });
    return result;
  }

  async #fetchAndHold({ key, claims, fetch, isStronger }: FetchPlan): Promise<FetchedToken> {
    const before = this.#findHeld(key);
    const fetched = await fetch();
    const held = this.#findHeld(key);
    // A token with claims that came meanwhile is the stronger one.
    if (isStronger || held === undefined || held === before) {
      // Not by spreading, which leaves room for sixteen more.
      this.#held = this.#held.filter((other) => other.key !== key).concat(new HeldToken(key, fetched.token, claims));
    }
    return fetched;
  }

  /** Remembers a refusal for a while, on the monotonic clock; what is over is forgotten on the way. */
  remember(key: string, error: Error, until: number, monotonicMs: number): void {
    const refusals = (this.#refusals ??= new Map<string, Remembered>());
    for (const [other, refusal] of refusals) {
      if (refusal.until <= monotonicMs) {
        refusals.delete(other);
      }
    }
    refusals.set(key, { error, until });
  }

  /**
   * Lets one caller forget a token for a reason that a new one may not change, such as none at all, and no other for a
   * minute.
   *
   * @param claims what the downstream asked for, because a token with them may do; empty for nothing
   * @param monotonicMs milliseconds on the monotonic clock
   * @returns true for the one who is to forget it
   */
  tryBeginDiscard(key: string, claims: string, monotonicMs: number): boolean {
    const discards = (this.#discards ??= new Map<string, number>());
    for (const [other, at] of discards) {
      if (monotonicMs - at >= DISCARD_PAUSE_MS) {
        discards.delete(other);
      }
    }
    const reason = `${key} ${claims}`;
    const ofThisKey = [...discards.keys()].filter((other) => other.startsWith(`${key} `));
    const isDue = !discards.has(reason) && ofThisKey.length < MAX_DISCARDS;
    if (isDue) {
      discards.set(reason, monotonicMs);
    }
    return isDue;
  }

  /** True while that very token is held, so that no newer one has taken its place and none is awaited. */
  holds(key: string, token: DownstreamToken): boolean {
    return this.#findHeld(key)?.token === token;
  }

  /** Forgets a token that was refused, unless a newer one has taken its place. */
  discard(key: string, refused: DownstreamToken): void {
    this.#held = this.#held.filter((held) => held.key !== key || held.token !== refused);
  }
}

function meets(held: HeldToken, claims: string): boolean {
  return claims === '' || claims === held.claims;
}
