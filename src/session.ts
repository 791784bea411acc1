import { LRUCache } from 'lru-cache';
import { DownstreamTokens } from './downstream-tokens.ts';
import type { Principal } from './principal.ts';

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
 * What the gateway remembers of one assertion, from first sight until it expires. The assertion is a private field, so
 * that no log line or error can show it by accident.
 */
export class Session {
  readonly principal: Principal;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly #signingKey: SigningKey;
  readonly #assertion: string;
  /** The tokens that the assertion was exchanged for. */
  readonly tokens = new DownstreamTokens();

  constructor(options: {
    readonly principal: Principal;
    readonly assertion: string;
    readonly expiresAt: number;
    readonly signingKey: SigningKey;
  }) {
    this.principal = options.principal;
    this.expiresAt = options.expiresAt;
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
