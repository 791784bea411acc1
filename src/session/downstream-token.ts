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

/** How long before its end a token is no longer given out. */
const MARGIN_MS = 5 * 60 * 1_000;

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
  const lifeMs = seconds.expiresIn * 1_000;
  const servesMs = lifeMs - Math.min(MARGIN_MS, lifeMs / 2);
  const refreshAfterMs =
    seconds.refreshIn === undefined
      ? servesMs - Math.random() * Math.min(MARGIN_MS, servesMs / 2)
      : seconds.refreshIn * 1_000;
  return new DownstreamToken(accessToken, {
    expiresAt: obtainedAt + lifeMs,
    usableUntil: obtainedAt + servesMs,
    refreshAt: obtainedAt + Math.min(refreshAfterMs, servesMs),
  });
}
