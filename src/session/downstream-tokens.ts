import type { DownstreamToken, FetchedToken } from './downstream-token.ts';
import { HeldToken } from './held-token.ts';
import { RememberedFailures } from './remembered-failures.ts';

const NONE: readonly HeldToken[] = [];

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
 * way, and the failures that are remembered. Tokens are in private fields, so that no log line or error can show them
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
  #failures: RememberedFailures | undefined;

  /**
   * Finds the token held under a key, unless it is no longer given out.
   *
   * @param claims the claims request that the token must have been asked for with; empty for any
   * @param now milliseconds since the epoch
   */
  find(key: string, claims: string, now: number): HeldToken | undefined {
    const held = DownstreamTokens.#findHeld(this, key);
    return held?.isUsable(now) === true && meets(held, claims) ? held : undefined;
  }

  /**
   * Lets the held token serve until shortly before it expires, because Entra cannot give a better one.
   *
   * @param now milliseconds since the epoch
   * @returns the token; `undefined` when no held token meets the claims, or when it is about to expire
   */
  prolong(key: string, claims: string, now: number): HeldToken | undefined {
    const held = DownstreamTokens.#findHeld(this, key);
    return held !== undefined && meets(held, claims) && held.prolong(now) ? held : undefined;
  }

  /** True when {@link DownstreamTokens.findRefusal} may find something. */
  get hasRefusals(): boolean {
    return this.#failures !== undefined;
  }

  /**
   * Finds the refusal remembered under a key.
   *
   * @param monotonicMs milliseconds on the monotonic clock
   */
  findRefusal(key: string, monotonicMs: number): Error | undefined {
    return this.#failures?.findRefusal(key, monotonicMs);
  }

  /**
   * Fetches a token, once for all requests that need it at the same time; when the fetch fails, it fails for all of
   * them. The new token replaces the old one.
   *
   * @param claims the claims request that the token must meet; a request without claims joins any fetch under way
   */
  fetch(key: string, claims: string, fetch: () => Promise<FetchedToken>): Promise<FetchedToken> {
    const underWay = claims === '' ? DownstreamTokens.#latestFlight(this, key) : undefined;
    if (underWay !== undefined && underWay.claims !== '') {
      // A token with claims serves everyone, but a failure may be about the claims.
      return underWay.result.catch(() => this.fetch(key, claims, fetch));
    }
    return DownstreamTokens.#join(this, `${key} ${claims}`, { key, claims, fetch, isStronger: claims !== '' });
  }

  /** Fetches a token that replaces a held one, unless another token has replaced that one by then. */
  refresh(key: string, { claims }: HeldToken, fetch: () => Promise<FetchedToken>): Promise<FetchedToken> {
    // Under a name of its own: a request with claims must not join a fetch from before the downstream asked for them.
    const name = claims === '' ? `${key} ` : `${key} ${claims} again`;
    return DownstreamTokens.#join(this, name, { key, claims, fetch, isStronger: false });
  }

  // These are static, because a private method takes 8 bytes of each session.

  static #findHeld(tokens: DownstreamTokens, key: string): HeldToken | undefined {
    const first = tokens.#first;
    return first?.key === key ? first : tokens.#others.find((held) => held.key === key);
  }

  /** Every token that is held. */
  static #listHeld(tokens: DownstreamTokens): readonly HeldToken[] {
    return tokens.#first === undefined ? NONE : [tokens.#first, ...tokens.#others];
  }

  static #hold(tokens: DownstreamTokens, held: readonly HeldToken[]): void {
    tokens.#first = held[0];
    // A rest (`[first, ...others]`) would reserve room for sixteen more.
    tokens.#others = held.length > 1 ? held.slice(1) : NONE;
  }

  static #latestFlight(tokens: DownstreamTokens, key: string): Flight | undefined {
    let latest: Flight | undefined;
    for (const flight of tokens.#flights?.values() ?? []) {
      latest = flight.key === key ? flight : latest;
    }
    return latest;
  }

  /** Joins the flight of that name, or begins it. */
  static #join(tokens: DownstreamTokens, name: string, plan: FetchPlan): Promise<FetchedToken> {
    const flights = (tokens.#flights ??= new Map<string, Flight>());
    const known = flights.get(name);
    if (known !== undefined) {
      return known.result;
    }
    const result = DownstreamTokens.#fetchAndHold(tokens, plan).finally(() => {
      flights.delete(name);
      if (flights.size === 0) {
        tokens.#flights = undefined;
      }
    });
    flights.set(name, { key: plan.key, claims: plan.claims, result });
    return result;
  }

  static async #fetchAndHold(tokens: DownstreamTokens, plan: FetchPlan): Promise<FetchedToken> {
    const { key, claims, fetch, isStronger } = plan;
    const before = DownstreamTokens.#findHeld(tokens, key);
    const fetched = await fetch();
    const held = DownstreamTokens.#findHeld(tokens, key);
    // A token with claims that arrived in the meantime is the stronger one and stays.
    if (!isStronger && held !== undefined && held !== before) {
      return fetched;
    }
    const token = new HeldToken(key, fetched.token, claims);
    // With the token that it replaces goes one of other scopes, from before a reload.
    const downstream = downstreamOf(key);
    const others = DownstreamTokens.#listHeld(tokens).filter((other) => downstreamOf(other.key) !== downstream);
    DownstreamTokens.#hold(tokens, others.concat(token));
    return { ...fetched, token };
  }

  /**
   * Remembers a refusal, and forgets those whose time is over.
   *
   * @param until milliseconds on the monotonic clock, as is `monotonicMs`
   */
  remember(key: string, error: Error, until: number, monotonicMs: number): void {
    this.#failures ??= new RememberedFailures();
    this.#failures.rememberRefusal(key, error, until, monotonicMs);
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
    this.#failures ??= new RememberedFailures();
    return this.#failures.tryBeginDiscard(key, claims, monotonicMs);
  }

  /** True while this very token is held: no newer one has replaced it, and nobody has forgotten it. */
  holds(key: string, token: DownstreamToken): boolean {
    return DownstreamTokens.#findHeld(this, key) === token;
  }

  /** Forgets a token that the downstream refused, unless a newer one has replaced it. */
  discard(key: string, refused: DownstreamToken): void {
    const others = DownstreamTokens.#listHeld(this).filter((held) => held.key !== key || held !== refused);
    DownstreamTokens.#hold(this, others);
  }
}

/** What stands before the scopes in the name of a token. */
function downstreamOf(key: string): string {
  return key.split(' ', 1)[0] ?? '';
}

function meets(held: HeldToken, claims: string): boolean {
  return claims === '' || claims === held.claims;
}
