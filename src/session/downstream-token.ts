import { OffHeapText } from './off-heap-text.ts';

const BEARER = 'Bearer ';

/** How many tokens can be on the heap as well. */
const MAX_RECENT = 128;

/** Instead of its text, for a token that was read once. */
const READ_ONCE = '';

/** The times in the life of a token; milliseconds since the epoch. */
export interface TokenTimes {
  /** When the token expires at the downstream. */
  readonly expiresAt: number;
  /** When the token is no longer given out, so that it outlives the call that it is for. */
  readonly usableUntil: number;
  /** From this time on, a request that gets the token also has a new one fetched in the background. */
  readonly refreshAt: number;
}

/**
 * An access token for a downstream. Its text is outside the JavaScript heap: with many sessions, tokens would fill most
 * of the heap, and a heap takes more memory than what is alive in it (measured with 100,000 tokens: 616 MB resident as
 * strings, 435 MB outside the heap). It extends that text, because another object would take 32 bytes more in each session.
 *
 * Only those that are read again while few others are read in between are strings as well: callers send several requests
 * at a time, and each would make 1.5 kB anew. A token that is read once keeps no string, which would outlive the young
 * generation where thousands of users come in turn.
 */
export class DownstreamToken extends OffHeapText implements TokenTimes {
  /** The tokens that were first read last, each once; the next one takes the place of the oldest. */
  static readonly #ring: { readonly tokens: (DownstreamToken | undefined)[]; next: number } = { tokens: [], next: 0 };
  // V8 keeps small integers in place, and a time of day in milliseconds in 16 bytes more.
  readonly #expiresAtSeconds: number;
  // Milliseconds before `expiresAt`.
  readonly #unusableForMs: number;
  readonly #refreshableForMs: number;
  /** The value of `Authorization` on the heap, for a while; empty for {@link READ_ONCE}. */
  #recent: string | undefined;

  /** @param accessToken the text, or another object of the same token */
  constructor(accessToken: string | DownstreamToken, { expiresAt, usableUntil, refreshAt }: TokenTimes) {
    super(accessToken);
    this.#expiresAtSeconds = toSmallInteger(expiresAt / 1_000);
    this.#unusableForMs = toSmallInteger(expiresAt - usableUntil);
    this.#refreshableForMs = toSmallInteger(expiresAt - refreshAt);
  }

  get expiresAt(): number {
    return Math.round(this.#expiresAtSeconds * 1_000);
  }

  get usableUntil(): number {
    return this.expiresAt - this.#unusableForMs;
  }

  get refreshAt(): number {
    return this.expiresAt - this.#refreshableForMs;
  }

  get accessToken(): string {
    return this.read();
  }

  /** The token as the value of an `Authorization` header. */
  get authorization(): string {
    const recent = this.#recent;
    return recent === undefined || recent === READ_ONCE ? DownstreamToken.#readAnew(this) : recent;
  }

  // Static, because a private method takes 8 bytes of each token.
  static #readAnew(token: DownstreamToken): string {
    const text = BEARER + token.read();
    if (token.#recent === READ_ONCE) {
      token.#recent = text;
    } else {
      DownstreamToken.#enterRing(token);
      token.#recent = READ_ONCE;
    }
    return text;
  }

  static #enterRing(token: DownstreamToken): void {
    const { tokens, next } = DownstreamToken.#ring;
    const oldest = tokens[next];
    if (oldest !== undefined) {
      oldest.#recent = undefined;
    }
    tokens[next] = token;
    DownstreamToken.#ring.next = (next + 1) % MAX_RECENT;
  }
}

/** The same number, which V8 keeps in place where it can: what an interpreted subtraction gives is on the heap. */
function toSmallInteger(value: number): number {
  const small = value | 0;
  return small === value ? small : value;
}

/** A token for a request that had to wait, and where the token comes from. */
export interface FetchedToken {
  readonly token: DownstreamToken;
  /** Where the token comes from; `session` when Entra fails and a token that is already held has to serve. */
  readonly from: 'session' | 'redis' | 'entra';
  /** The `client-request-id` of the exchange; `undefined` when there was none. */
  readonly correlationId: string | undefined;
}

/** How long before it expires a token is no longer given out. */
const MARGIN_MS = 5 * 60 * 1_000;

/**
 * Decides how long a new token serves: until five minutes before it expires, and at least for half of its life. The
 * token is refreshed when Entra says so; otherwise at a random moment of the last five minutes in which it serves, so
 * that users who came at the same time do not go to Entra at the same time.
 *
 * @param obtainedAt milliseconds since the epoch
 * @param seconds.expiresIn Entra's `expires_in`
 * @param seconds.refreshIn Entra's `refresh_in`, which only long-lived tokens have
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5.1
 */
export function planToken(
  accessToken: string,
  obtainedAt: number,
  seconds: { readonly expiresIn: number; readonly refreshIn: number | undefined },
): DownstreamToken {
  // As a whole second, the end of the token takes less memory; Entra counts in seconds, too.
  const startsAt = Math.floor(obtainedAt / 1_000) * 1_000;
  const lifeMs = seconds.expiresIn * 1_000;
  const servesMs = lifeMs - Math.min(MARGIN_MS, lifeMs / 2);
  const refreshAfterMs =
    seconds.refreshIn === undefined
      ? servesMs - Math.random() * Math.min(MARGIN_MS, servesMs / 2)
      : seconds.refreshIn * 1_000;
  return new DownstreamToken(accessToken, {
    expiresAt: startsAt + lifeMs,
    usableUntil: startsAt + servesMs,
    refreshAt: startsAt + Math.floor(Math.min(refreshAfterMs, servesMs)),
  });
}
