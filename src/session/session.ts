import { DownstreamTokens } from './downstream-tokens.ts';
import type { Principal } from './principal.ts';
import type { SigningKey } from './signing-key.ts';

/**
 * What the gateway remembers of one assertion, from its first request until it expires. A session does not hold the
 * assertion itself: each request brings it along, and without it a session takes half the memory.
 */
export class Session {
  readonly principal: Principal;
  /** What the assertion was verified by; after a reload with other rules it is verified again. */
  readonly rules: object;
  /** When Entra stops exchanging the assertion; milliseconds since the epoch. */
  readonly assertionExpiresAt: number;
  readonly #clockTolerance: number;
  readonly #signingKey: SigningKey;
  /** The downstream tokens that the assertion was exchanged for. */
  readonly tokens: DownstreamTokens;

  constructor(options: {
    readonly principal: Principal;
    readonly rules: object;
    /** Milliseconds since the epoch. */
    readonly assertionExpiresAt: number;
    /** How long the gateway accepts the assertion after that; milliseconds. */
    readonly clockTolerance: number;
    readonly signingKey: SigningKey;
    /** Those of the session that this one replaces; default none. */
    readonly tokens?: DownstreamTokens | undefined;
  }) {
    this.principal = options.principal;
    this.rules = options.rules;
    this.tokens = options.tokens ?? new DownstreamTokens();
    this.assertionExpiresAt = options.assertionExpiresAt;
    this.#clockTolerance = options.clockTolerance;
    this.#signingKey = options.signingKey;
  }

  /** When the session ends, which is later than the assertion by the clock tolerance; milliseconds since the epoch. */
  get expiresAt(): number {
    return this.assertionExpiresAt + this.#clockTolerance;
  }

  /** False when the assertion has expired or Entra no longer publishes the key that signed it. */
  isLive(now: number): boolean {
    return now < this.expiresAt && !this.#signingKey.retired;
  }
}
