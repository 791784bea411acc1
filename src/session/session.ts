import { DownstreamTokens } from './downstream-tokens.ts';
import { shareTraits, type Principal, type SharedTraits } from './principal.ts';
import type { SigningKey } from './signing-key.ts';

/** Of the rules that an assertion was verified by, what its session needs. */
export interface SessionRules {
  /** How long the gateway accepts the assertion after it expired; milliseconds. */
  readonly clockTolerance: number;
}

/**
 * What the gateway remembers of one assertion, from its first request until it expires. A session does not hold the
 * assertion itself: each request brings it along, and without it a session takes half the memory.
 */
export class Session {
  readonly #traits: SharedTraits;
  readonly #objectId: string | undefined;
  readonly #issuedAtSeconds: number;
  /** What the assertion was verified by; after a reload with other rules it is verified again. */
  readonly rules: SessionRules;
  // V8 keeps a time in seconds in place, and one in milliseconds in 16 bytes more.
  readonly #assertionExpSeconds: number;
  readonly #signingKey: SigningKey;
  /** The downstream tokens that the assertion was exchanged for. */
  readonly tokens: DownstreamTokens;

  constructor(options: {
    readonly principal: Principal;
    readonly rules: SessionRules;
    /** `exp` of the assertion: seconds since the epoch. */
    readonly assertionExpSeconds: number;
    readonly signingKey: SigningKey;
    /** Those of the session that this one replaces; default none. */
    readonly tokens?: DownstreamTokens | undefined;
  }) {
    const { principal } = options;
    this.#traits = shareTraits(principal);
    this.#objectId = principal.objectId;
    this.#issuedAtSeconds = principal.issuedAtSeconds;
    this.rules = options.rules;
    this.tokens = options.tokens ?? new DownstreamTokens();
    this.#assertionExpSeconds = options.assertionExpSeconds;
    this.#signingKey = options.signingKey;
  }

  /** Who is calling. Each reading makes it anew, because kept it would take a sixth of what a session takes on the heap. */
  get principal(): Principal {
    const { kind, tenantId, clientId, scopes, roles, authContexts, handlesClaims, isBound } = this.#traits;
    return {
      kind,
      tenantId,
      objectId: this.#objectId,
      clientId,
      scopes,
      roles,
      authContexts,
      issuedAtSeconds: this.#issuedAtSeconds,
      handlesClaims,
      isBound,
    };
  }

  /** When Entra stops exchanging the assertion; milliseconds since the epoch. */
  get assertionExpiresAt(): number {
    return this.#assertionExpSeconds * 1_000;
  }

  /** When the session ends, which is later than the assertion by the clock tolerance; milliseconds since the epoch. */
  get expiresAt(): number {
    return this.assertionExpiresAt + this.rules.clockTolerance;
  }

  /** False when the assertion has expired or Entra no longer publishes the key that signed it. */
  isLive(now: number): boolean {
    return now < this.expiresAt && !this.#signingKey.retired;
  }
}
