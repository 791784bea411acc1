import type { DownstreamToken, FetchedToken } from './downstream-token.ts';
import { HeldToken } from './held-token.ts';

/** How long no second token is forgotten for the same reason. */
const DISCARD_PAUSE_MS = 60_000;

/** How many tokens of one downstream are forgotten in that time, for different reasons. */
const MAX_DISCARDS = 20;

const NONE: readonly HeldToken[] = [];

/** A refusal, and how long it is remembered. */
interface Remembered {
  readonly error: Error;
  /** On the monotonic clock; milliseconds. */
  readonly until: number;
}

/** A token to fetch, and how. */
interface FetchPlan {
  readonly key: string;
  readonly claims: string;
  readonly fetch: () => Promise<FetchedToken>;
  /** True when the fetched token replaces whatever token is held by then. */
  readonly isStronger: boolean;
}

/** A fetch under way, which every request for the same token waits for. */
interface Flight {
  readonly key: string;
  readonly claims: string;
  readonly result: Promise<FetchedToken>;
}

/**
 * The downstream tokens of one assertion, or the gateway's own: the tokens that are held, the fetches that are under
 * way, and the refusals that are remembered. Tokens are in private fields, so that no log line or error can show them
 * by accident.
 *
 * The keys name downstreams and their scopes ({@link nameTokens}); there are few. Each session has one such object, and most objects
 * hold one token and nothing else. So the first token is in a field, the others are in an array instead of a map, and the
 * rarely used maps are made when they are needed, which saves half of the memory that a session takes besides its token.
 */
export class DownstreamTokens {
  #first: HeldToken | undefined;
  #others: readonly HeldToken[] = NONE;
  /** By key and claims, in the order in which the fetches began. */
  #flights: Map<string, Flight> | undefined;
  #refusals: Map<string, Remembered> | undefined;
  /** When a token was last forgotten for each reason that a new token may not end; on the monotonic clock. */
  #discards: Map<string, number> | undefined;

  /**
   * Finds the token held under a key, unless it is no longer given out.
   *
   * @param claims the claims request that the token must have been asked for with; empty for any
   * @param now milliseconds since the epoch
   */
  find(key: string, claims: string, now: number): HeldToken | undefined {
    const held = this.#findHeld(key);
    return held?.isUsable(now) === true && meets(held, claims) ? held : undefined;
  }

  /**
   * Lets the held token serve until shortly before it expires, because Entra cannot give a better one.
   *
   * @param now milliseconds since the epoch
   * @returns the token; `undefined` when no held token meets the claims, or when it is about to expire
   */
  prolong(key: string, claims: string, now: number): HeldToken | undefined {
    const held = this.#findHeld(key);
    return held !== undefined && meets(held, claims) && held.prolong(now) ? held : undefined;
  }

  /** True when {@link DownstreamTokens.findRefusal} may find something. */
  get hasRefusals(): boolean {
    return this.#refusals !== undefined;
  }

  /**
   * Finds the refusal remembered under a key.
   *
   * @param monotonicMs milliseconds on the monotonic clock
   */
  findRefusal(key: string, monotonicMs: number): Error | undefined {
    const refusal = this.#refusals?.get(key);
    return refusal !== undefined && monotonicMs < refusal.until ? refusal.error : undefined;
  }

  /**
   * Fetches a token, once for all requests that need it at the same time; when the fetch fails, it fails for all of
   * them. The new token replaces the old one.
   *
   * @param claims the claims request that the token must meet; a request without claims joins any fetch under way
   */
  fetch(key: string, claims: string, fetch: () => Promise<FetchedToken>): Promise<FetchedToken> {
    const underWay = claims === '' ? this.#latestFlight(key) : undefined;
    if (underWay !== undefined && underWay.claims !== '') {
      // A token with claims serves everyone, but a failure may be about the claims.
      return underWay.result.catch(() => this.fetch(key, claims, fetch));
    }
    return this.#join(`${key} ${claims}`, { key, claims, fetch, isStronger: claims !== '' });
  }

  /** Fetches a token that replaces a held one, unless another token has replaced that one by then. */
  refresh(key: string, { claims }: HeldToken, fetch: () => Promise<FetchedToken>): Promise<FetchedToken> {
    // Under a name of its own: a request with claims must not join a fetch from before the downstream asked for them.
    const name = claims === '' ? `${key} ` : `${key} ${claims} again`;
    return this.#join(name, { key, claims, fetch, isStronger: false });
  }

  #findHeld(key: string): HeldToken | undefined {
    const first = this.#first;
    return first?.key === key ? first : this.#others.find((held) => held.key === key);
  }

  /** Every token that is held. */
  get #held(): readonly HeldToken[] {
    return this.#first === undefined ? NONE : [this.#first, ...this.#others];
  }

  set #held(held: readonly HeldToken[]) {
    this.#first = held[0];
    // A rest (`[first, ...others]`) would reserve room for sixteen more.
    this.#others = held.length > 1 ? held.slice(1) : NONE;
  }

  #latestFlight(key: string): Flight | undefined {
    let latest: Flight | undefined;
    for (const flight of this.#flights?.values() ?? []) {
      latest = flight.key === key ? flight : latest;
    }
    return latest;
  }

  /** Joins the flight of that name, or begins it. */
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
    // A token with claims that arrived in the meantime is the stronger one and stays.
    if (isStronger || held === undefined || held === before) {
      // With the token goes one of other scopes, from before a reload.
      const downstream = downstreamOf(key);
      this.#held = this.#held
        .filter((other) => downstreamOf(other.key) !== downstream)
        .concat(new HeldToken(key, fetched.token, claims));
    }
    return fetched;
  }

  /**
   * Remembers a refusal, and forgets those whose time is over.
   *
   * @param until milliseconds on the monotonic clock, as is `monotonicMs`
   */
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
   * Lets one request forget a token for a reason that a new token may not end, such as a 401 without any claims, and no
   * other request for a minute.
   *
   * @param claims the claims request of the downstream, because a token with them may be accepted; empty for none
   * @param monotonicMs milliseconds on the monotonic clock
   * @returns true for the request that is to forget the token
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

  /** True while this very token is held: no newer one has replaced it, and nobody has forgotten it. */
  holds(key: string, token: DownstreamToken): boolean {
    return this.#findHeld(key)?.token === token;
  }

  /** Forgets a token that the downstream refused, unless a newer one has replaced it. */
  discard(key: string, refused: DownstreamToken): void {
    this.#held = this.#held.filter((held) => held.key !== key || held.token !== refused);
  }
}

/** What stands before the scopes in the name of a token. */
function downstreamOf(key: string): string {
  return key.split(' ', 1)[0] ?? '';
}

function meets(held: HeldToken, claims: string): boolean {
  return claims === '' || claims === held.claims;
}
