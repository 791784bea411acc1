import { DownstreamTokens } from './downstream-tokens.ts';
import type { Principal } from './principal.ts';
import type { SigningKey } from './signing-key.ts';

/**
 * What the gateway remembers of one assertion, from first sight until it expires. The assertion itself is not in it:
 * each request brings it along, and without it a session takes half the memory.
 */
export class Session {
  readonly principal: Principal;
  /** Until when Entra exchanges the assertion; milliseconds since the epoch. */
  readonly assertionExpiresAt: number;
  /** When the gateway lets go of it, which is a little later; milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly #signingKey: SigningKey;
  /** The tokens that the assertion was exchanged for. */
  readonly tokens = new DownstreamTokens();

  constructor(options: {
    readonly principal: Principal;
    /** Milliseconds since the epoch. */
    readonly assertionExpiresAt: number;
    /** Milliseconds for which the assertion is accepted beyond that. */
    readonly clockTolerance: number;
    readonly signingKey: SigningKey;
  }) {
    this.principal = options.principal;
    this.assertionExpiresAt = options.assertionExpiresAt;
    this.expiresAt = options.assertionExpiresAt + options.clockTolerance;
    this.#signingKey = options.signingKey;
  }

  /** False once the assertion expired or the key that signed it left Entra's key set. */
  isLive(now: number): boolean {
    return now < this.expiresAt && !this.#signingKey.retired;
  }
}
