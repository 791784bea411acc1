import { SingleFlight } from './single-flight.ts';

/** A token that a downstream accepts. */
export interface DownstreamToken {
  readonly accessToken: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
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
  readonly #held = new Map<string, DownstreamToken>();
  readonly #requests = new SingleFlight<DownstreamToken>();
  readonly #latest = new Map<string, Promise<DownstreamToken>>();
  readonly #refusals = new Map<string, Remembered>();

  /** The token held under a key, unless it is about to expire. */
  find(key: string, now: number): DownstreamToken | undefined {
    const token = this.#held.get(key);
    return token !== undefined && now < token.expiresAt - MARGIN ? token : undefined;
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
    if (underWay !== undefined) {
      return underWay;
    }
    const request = this.#requests.run(`${key} ${claims}`, async () => {
      try {
        const token = await ask();
        this.#held.set(key, token);
        return token;
      } finally {
        if (this.#latest.get(key) === request) {
          this.#latest.delete(key);
        }
      }
    });
    this.#latest.set(key, request);
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
    if (this.#held.get(key) === refused) {
      this.#held.delete(key);
    }
  }
}
