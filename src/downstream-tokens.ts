/** A token that a downstream accepts. All times are milliseconds since the epoch. */
export interface DownstreamToken {
  readonly accessToken: string;
  /** The same as the value of an `Authorization` header. */
  readonly authorization: string;
  readonly expiresAt: number;
  /** Until when it is given out, so that it survives the call it is for. */
  readonly usableUntil: number;
  /** From when a request that gets it also has a new one fetched in the background. */
  readonly refreshAt: number;
  /** True when another replica, or an earlier run of this one, asked for it. */
  readonly isShared?: true;
}

/**
 * A token and its header as one text in memory, of which the token is a part. Joined anew for each request, it would be
 * 1.5 kB of garbage that the engine moves to the old space (measured: half of what a warm request leaves there).
 */
export function toBearer(accessToken: string): Pick<DownstreamToken, 'accessToken' | 'authorization'> {
  // Through bytes, because a text that was joined remains two until somebody reads it.
  const authorization = Buffer.from(`Bearer ${accessToken}`, 'latin1').toString('latin1');
  return { accessToken: authorization.slice('Bearer '.length), authorization };
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
  return {
    ...toBearer(accessToken),
    expiresAt: obtainedAt + life,
    usableUntil: obtainedAt + serves,
    refreshAt: obtainedAt + Math.min(refreshAfter, serves),
  };
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
  #usableUntil: number;
  #refreshAt: number;

  constructor(key: string, token: DownstreamToken, claims: string) {
    this.key = key;
    this.token = token;
    this.claims = claims;
    this.#usableUntil = token.usableUntil;
    this.#refreshAt = token.refreshAt;
  }

  isUsable(now: number): boolean {
    return now < this.#usableUntil;
  }

  /** True when it is time for a refresh; nobody else is told so for a while. */
  claimRefresh(now: number): boolean {
    if (now < this.#refreshAt) {
      return false;
    }
    this.#refreshAt = now + REFRESH_PAUSE;
    return true;
  }

  /** Lets it serve almost until it expires, because Entra cannot give a new one; false when that is over, too. */
  prolong(now: number): boolean {
    this.#usableUntil = Math.max(this.token.usableUntil, this.token.expiresAt - SHORTEST_USE);
    return this.isUsable(now);
  }

  /** Lets it serve only until its usual end, because Entra will not give a new one. */
  endAsPlanned(): void {
    this.#usableUntil = this.token.usableUntil;
  }
}

const NONE: readonly HeldToken[] = [];

interface Remembered {
  readonly error: Error;
  readonly until: number;
}

interface Wish {
  readonly key: string;
  readonly claims: string;
  readonly ask: () => Promise<DownstreamToken>;
  /** True when the token takes the place of whatever is held when it comes. */
  readonly isStronger: boolean;
}

/** A wish that Entra was asked for. */
interface Request {
  readonly key: string;
  readonly claims: string;
  readonly token: Promise<DownstreamToken>;
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

  /** The refusal remembered under a key. */
  findRefusal(key: string, now: number): Error | undefined {
    const refusal = this.#refusals?.get(key);
    return refusal !== undefined && now < refusal.until ? refusal.error : undefined;
  }

  /**
   * Asks for a token, once for all who want it at the same time; also a failure is that of all of them. The new token
   * replaces the old.
   *
   * @param claims what the token must meet; a request without claims is content with any that is under way
   */
  request(key: string, claims: string, ask: () => Promise<DownstreamToken>): Promise<DownstreamToken> {
    const underWay = claims === '' ? this.#latestRequest(key) : undefined;
    if (underWay !== undefined && underWay.claims !== '') {
      // Its success is good for everyone; its failure may be about the claims.
      return underWay.token.catch(() => this.request(key, claims, ask));
    }
    return this.#request(`${key} ${claims}`, { key, claims, ask, isStronger: claims !== '' });
  }

  /** Asks for a token that takes the place of a held one, unless another has taken it by then. */
  refresh(key: string, { claims }: HeldToken, ask: () => Promise<DownstreamToken>): Promise<DownstreamToken> {
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

  #request(flight: string, wish: Wish): Promise<DownstreamToken> {
    const requests = (this.#requests ??= new Map<string, Request>());
    const known = requests.get(flight);
    if (known !== undefined) {
      return known.token;
    }
    const token = this.#askAndHold(wish).finally(() => {
      requests.delete(flight);
      if (requests.size === 0) {
        this.#requests = undefined;
      }
    });
    requests.set(flight, { key: wish.key, claims: wish.claims, token });
    return token;
  }

  async #askAndHold(wish: Wish): Promise<DownstreamToken> {
    const { key, claims, ask, isStronger } = wish;
    const before = this.#findHeld(key);
    const token = await ask();
    const held = this.#findHeld(key);
    // A token with claims that came meanwhile is the stronger one.
    if (isStronger || held === undefined || held === before) {
      // Not by spreading, which leaves room for sixteen more.
      this.#held = this.#held.filter((other) => other.key !== key).concat(new HeldToken(key, token, claims));
    }
    return token;
  }

  /** Remembers a refusal for a while; what is over is forgotten on the way. */
  remember(key: string, error: Error, until: number, now: number): void {
    const refusals = (this.#refusals ??= new Map<string, Remembered>());
    for (const [other, refusal] of refusals) {
      if (refusal.until <= now) {
        refusals.delete(other);
      }
    }
    refusals.set(key, { error, until });
  }

  /** Forgets a token that was refused, unless a newer one has taken its place. */
  discard(key: string, refused: DownstreamToken): void {
    this.#held = this.#held.filter((held) => held.key !== key || held.token !== refused);
  }
}

function meets(held: HeldToken, claims: string): boolean {
  return claims === '' || claims === held.claims;
}
