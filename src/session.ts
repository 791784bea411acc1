import { LRUCache } from 'lru-cache';
import type { Principal } from './principal.ts';
import { SingleFlight } from './single-flight.ts';

/** A token that a downstream accepts. */
export interface DownstreamToken {
  readonly accessToken: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** A key that signed tokens; it is retired when Entra publishes it no more. */
export interface SigningKey {
  readonly kid: string;
  /** SubjectPublicKeyInfo in PEM. */
  readonly pem: string;
  /** The issuer that Entra binds the key to, perhaps with `{tenantid}` in it. */
  readonly issuer: string | undefined;
  retired: boolean;
}

/**
 * What the gateway remembers of one assertion, from first sight until it expires. Tokens are private fields, so that
 * no log line or error can show them by accident.
 */
export class Session {
  readonly principal: Principal;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** When Entra issued the assertion; milliseconds since the epoch, 0 when it does not say. */
  readonly issuedAt: number;
  readonly #signingKey: SigningKey;
  readonly #assertion: string;
  readonly #tokens = new Map<string, DownstreamToken>();
  /** The exchanges of this assertion that are under way, by downstream and claims. */
  readonly exchanges = new SingleFlight<DownstreamToken>();

  constructor(options: {
    readonly principal: Principal;
    readonly assertion: string;
    readonly expiresAt: number;
    readonly issuedAt: number;
    readonly signingKey: SigningKey;
  }) {
    this.principal = options.principal;
    this.expiresAt = options.expiresAt;
    this.issuedAt = options.issuedAt;
    this.#assertion = options.assertion;
    this.#signingKey = options.signingKey;
  }

  /** The caller's access token, for the exchange only. */
  get assertion(): string {
    return this.#assertion;
  }

  /** False once the assertion expired or the key that signed it left Entra's key set. */
  isLive(now: number): boolean {
    return now < this.expiresAt && !this.#signingKey.retired;
  }

  /** The downstream token held for a downstream, expired or not. */
  token(downstream: string): DownstreamToken | undefined {
    return this.#tokens.get(downstream);
  }

  hold(downstream: string, token: DownstreamToken): void {
    this.#tokens.set(downstream, token);
  }

  drop(downstream: string): void {
    this.#tokens.delete(downstream);
  }
}

/** The sessions by assertion; when there are too many, the least recently used leaves first. */
export class SessionStore {
  readonly #sessions: LRUCache<string, Session>;
  readonly #now: () => number;

  /** @param now milliseconds since the epoch */
  constructor(maxSessions: number, now: () => number) {
    this.#sessions = new LRUCache({ max: maxSessions });
    this.#now = now;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** The live session of an assertion; one that ended is forgotten here. */
  find(assertion: string): Session | undefined {
    const session = this.#sessions.get(assertion);
    if (session === undefined || session.isLive(this.#now())) {
      return session;
    }
    this.#sessions.delete(assertion);
    return undefined;
  }

  add(session: Session): void {
    this.#sessions.set(session.assertion, session);
  }
}
