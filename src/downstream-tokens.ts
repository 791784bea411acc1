import { OffHeapText } from './off-heap-text.ts';

const BEARER = 'Bearer ';

/** When a token ends; milliseconds since the epoch. */
export interface TokenTimes {
  readonly expiresAt: number;
  /** Until when it is given out, so that it survives the call it is for. */
  readonly usableUntil: number;
  /** From when a request that gets it also has a new one fetched in the background. */
  readonly refreshAt: number;
}

/**
 * A token that a downstream accepts. Its text is outside of the JavaScript heap, because with many sessions the tokens
 * would be most of it, and the heap takes more than is alive in it (measured with 100,000: 616 MB resident as strings,
 * 435 so).
 */
export class DownstreamToken implements TokenTimes {
  readonly expiresAt: number;
  readonly usableUntil: number;
  readonly refreshAt: number;
  readonly #authorization: OffHeapText;

  constructor(accessToken: string, { expiresAt, usableUntil, refreshAt }: TokenTimes) {
    this.#authorization = new OffHeapText(BEARER + accessToken);
    this.expiresAt = expiresAt;
    this.usableUntil = usableUntil;
    this.refreshAt = refreshAt;
  }

  get accessToken(): string {
    return this.#authorization.read(BEARER.length);
  }

  /** The same as the value of an `Authorization` header. */
  get authorization(): string {
    return this.#authorization.read();
  }
}

/** A token for a request that had to wait for it, and how it was come by. */
export interface FetchedToken {
  readonly token: DownstreamToken;
  /** `session` when Entra could not give a new one and the held one has to do. */
  readonly from: 'session' | 'redis' | 'entra';
  /** The `client-request-id` of the exchange; `undefined` when there was none. */
  readonly correlationId: string | undefined;
}

/** How long before its end a token is no longer given out; milliseconds. */
const MARGIN = 5 * 60 * 1_000;

/**
 * Decides how long a new token serves: until five minutes before it expires, and at least half of its life. It is to be
 * refreshed when Entra says so, otherwise at some moment of the last five minutes before, another one for each token,
 * so that users who came together do not go to Entra together.
 *
 * @param obtainedAt milliseconds since the epoch
 * @param seconds.expiresIn Entra's `expires_in`
 * @param seconds.refreshIn Entra's `refresh_in`, which it gives for tokens that live long
 */
export function planToken(
  accessToken: string,
  obtainedAt: number,
  seconds: { readonly expiresIn: number; readonly refreshIn: number | undefined },
): DownstreamToken {
  const life = seconds.expiresIn * 1_000;
  const serves = life - Math.min(MARGIN, life / 2);
  const refreshAfter =
    seconds.refreshIn === undefined ? serves - Math.random() * Math.min(MARGIN, serves / 2) : seconds.refreshIn * 1_000;
  return new DownstreamToken(accessToken, {
    expiresAt: obtainedAt + life,
    usableUntil: obtainedAt + serves,
    refreshAt: obtainedAt + Math.min(refreshAfter, serves),
  });
}

/** Milliseconds in which a call still reaches the downstream before the token expires. */
const SHORTEST_USE = 5_000;

/** Milliseconds from the start of a refresh to the next one, should it fail. */
const REFRESH_PAUSE = 30_000;

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
    return now < (this.#isProlonged ? Math.max(usableUntil, expiresAt - SHORTEST_USE) : usableUntil);
  }

  /** True when it is time for a refresh. */
  isRefreshDue(now: number): boolean {
    return now >= this.token.refreshAt;
  }

  /**
   * True for the one who is to refresh it; nobody else is told so for a while.
   *
   * @param monotonicMs milliseconds on the monotonic clock
   */
  claimRefresh(monotonicMs: number): boolean {
    const isClaimed = this.#nextRefreshAt === undefined || monotonicMs >= this.#nextRefreshAt;
    if (isClaimed) {
      this.#nextRefreshAt = monotonicMs + REFRESH_PAUSE;
    }
    return isClaimed;
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

/** Milliseconds between two tokens that are forgotten for the same reason, and how many reasons count in that time. */
const DISCARD_PAUSE = 60_000;
const MOST_DISCARDS = 20;

const NONE: readonly HeldToken[] = [];

interface Remembered {
  readonly error: Error;
  /** On the monotonic clock. */
  readonly until: number;
}

/** A token that is to be fetched. */
interface Fetch {
  readonly key: string;
  readonly claims: string;
  readonly ask: () => Promise<FetchedToken>;
  /** True when the token takes the place of whatever is held when it comes. */
  readonly isStronger: boolean;
}

/** A fetch that is under way. */
interface Request {
  readonly key: string;
  readonly claims: string;
  readonly result: Promise<FetchedToken>;
}

/**
 * The downstream tokens of one assertion, or the gateway's own: those that are held, the requests for them that are
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
  #requests: Map<string, Request> | undefined;
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

  /** The same as {@link DownstreamTokens.find}, but while Entra cannot give a better one. */
  findLastResort(key: string, claims: string, now: number): HeldToken | undefined {
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
   * Asks for a token, once for all who want it at the same time; also a failure is that of all of them. The new token
   * replaces the old.
   *
   * @param claims what the token must meet; a request without claims is content with any that is under way
   */
  request(key: string, claims: string, ask: () => Promise<FetchedToken>): Promise<FetchedToken> {
    const underWay = claims === '' ? this.#latestRequest(key) : undefined;
    if (underWay !== undefined && underWay.claims !== '') {
      // Its success is good for everyone; its failure may be about the claims.
      return underWay.result.catch(() => this.request(key, claims, ask));
    }
    return this.#request(`${key} ${claims}`, { key, claims, ask, isStronger: claims !== '' });
  }

  /** Asks for a token that takes the place of a held one, unless another has taken it by then. */
  refresh(key: string, { claims }: HeldToken, ask: () => Promise<FetchedToken>): Promise<FetchedToken> {
    // Whoever needs claims must not be content with a token that was asked for before they were.
    const flight = claims === '' ? `${key} ` : `${key} ${claims} again`;
    return this.#request(flight, { key, claims, ask, isStronger: false });
  }

  #findHeld(key: string): HeldToken | undefined {
    for (const held of this.#held) {
      if (held.key === key) {
        return held;
      }
    }
    return undefined;
  }

  #latestRequest(key: string): Request | undefined {
    let latest: Request | undefined;
    for (const request of this.#requests?.values() ?? []) {
      latest = request.key === key ? request : latest;
    }
    return latest;
  }

  #request(flight: string, fetch: Fetch): Promise<FetchedToken> {
    const requests = (this.#requests ??= new Map<string, Request>());
    const known = requests.get(flight);
    if (known !== undefined) {
      return known.result;
    }
    const result = this.#askAndHold(fetch).finally(() => {
      requests.delete(flight);
      if (requests.size === 0) {
        this.#requests = undefined;
      }
    });
    requests.set(flight, { key: fetch.key, claims: fetch.claims, result });
    return result;
  }

  async #askAndHold({ key, claims, ask, isStronger }: Fetch): Promise<FetchedToken> {
    const before = this.#findHeld(key);
    const fetched = await ask();
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
   * True when a token may be forgotten for a reason that a new one may not change, such as none at all; for a minute
   * nobody else is told so.
   *
   * @param claims what the downstream asked for, because a token with them may do; empty for nothing
   * @param monotonicMs milliseconds on the monotonic clock
   */
  claimDiscard(key: string, claims: string, monotonicMs: number): boolean {
    const discards = (this.#discards ??= new Map<string, number>());
    for (const [other, at] of discards) {
      if (monotonicMs - at >= DISCARD_PAUSE) {
        discards.delete(other);
      }
    }
    const reason = `${key} ${claims}`;
    const ofThisKey = [...discards.keys()].filter((other) => other.startsWith(`${key} `));
    const isDue = !discards.has(reason) && ofThisKey.length < MOST_DISCARDS;
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
