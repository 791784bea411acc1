import { SingleFlight } from './single-flight.ts';

/** A token that a downstream accepts. */
export interface DownstreamToken {
  readonly accessToken: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

interface Held {
  readonly token: DownstreamToken;
  /** What it was asked to meet; empty for nothing. */
  readonly claims: string;
}

interface Remembered {
  readonly error: Error;
  readonly until: number;
}

/** A held token is given out until five minutes before it expires, so that it survives the call it is for. */
const MARGIN = 5 * 60 * 1_000;

/**
 * The downstream tokens of one assertion, or the gateway's own: those that are held, the requests for them that are
 * under way, and the refusals that need not be heard again yet. Tokens are in private fields, so that no log line or
 * error can show them by accident.
 */
export class DownstreamTokens {
  readonly #held = new Map<string, Held>();
  readonly #requests = new SingleFlight<DownstreamToken>();
  readonly #latest = new Map<string, { readonly claims: string; readonly token: Promise<DownstreamToken> }>();
  readonly #refusals = new Map<string, Remembered>();

  /**
   * The token held under a key, unless it is about to expire.
   *
   * @param claims what it must meet; a token that was asked for without them, or with others, does not
   */
  find(key: string, claims: string, now: number): DownstreamToken | undefined {
    const held = this.#held.get(key);
    const isGood = held !== undefined && now < held.token.expiresAt - MARGIN;
    return isGood && (claims === '' || claims === held.claims) ? held.token : undefined;
  }

  /** The refusal remembered under a key. */
  findRefusal(key: string, now: number): Error | undefined {
    const refusal = this.#refusals.get(key);
    return refusal !== undefined && now < refusal.until ? refusal.error : undefined;
  }

  /**
   * Asks for a token, once for all who want it at the same time; the new one replaces the old.
   *
   * @param claims what the token must meet; a request without claims is content with any that is under way
   */
  request(key: string, claims: string, ask: () => Promise<DownstreamToken>): Promise<DownstreamToken> {
    const underWay = claims === '' ? this.#latest.get(key) : undefined;
    if (underWay !== undefined && underWay.claims !== '') {
      // Its success is good for everyone; its failure may be about the claims.
      return underWay.token.catch(() => this.request(key, claims, ask));
    }
    const request = this.#requests.run(`${key} ${claims}`, async () => {
      const before = this.#held.get(key);
      try {
        const token = await ask();
        // A token with claims that came meanwhile is the stronger one.
        if (claims !== '' || this.#held.get(key) === before) {
          this.#held.set(key, { token, claims });
        }
        return token;
      } finally {
        if (this.#latest.get(key)?.token === request) {
          this.#latest.delete(key);
        }
      }
    });
    this.#latest.set(key, { claims, token: request });
    return request;
  }

  /** Remembers a refusal for a while; what is over is forgotten on the way. */
  remember(key: string, error: Error, until: number, now: number): void {
    for (const [other, refusal] of this.#refusals) {
      if (refusal.until <= now) {
        this.#refusals.delete(other);
      }
    }
    this.#refusals.set(key, { error, until });
  }

  /** Forgets a token that was refused, unless a newer one has taken its place. */
  discard(key: string, refused: DownstreamToken): void {
    if (this.#held.get(key)?.token === refused) {
      this.#held.delete(key);
    }
  }
}
