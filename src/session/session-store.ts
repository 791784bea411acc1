import { hash } from 'node:crypto';
import type { Clock } from '../resilience/clock.ts';
import { DigestTable, type Digest } from './digest-table.ts';
import { RecentDigests } from './recent-digests.ts';
import type { Session } from './session.ts';

/** How many expired sessions one {@link SessionStore.sweep} removes at most: some milliseconds of work. */
const MAX_SWEPT = 2_000;

const MINUTE_MS = 60_000;

/**
 * The sessions, by the SHA-256 of their assertion. When there are too many, the least recently used session leaves
 * first.
 *
 * With the assertion itself as the key of a map, a look-up would take longer, because V8's own hash of a string is slower
 * than SHA-256 in hardware, and each session would take 1.5 kB more. For callers who come again soon, the digest
 * is remembered ({@link RecentDigests}).
 */
export class SessionStore {
  /** How many sessions there may be at most. */
  readonly maxSize: number;
  #capacity: number;
  readonly #sessions: DigestTable<Session>;
  /** Only of assertions with sessions: nobody fills them with anything else, and they leave with the session. */
  readonly #recentDigests = new RecentDigests();
  readonly #now: Clock;

  /** @param now the time of day */
  constructor(maxSessions: number, now: Clock) {
    this.maxSize = maxSessions;
    this.#capacity = maxSessions;
    this.#now = now;
    this.#sessions = new DigestTable(maxSessions);
  }

  /** How many sessions there are, with those that expired since the last sweep. */
  get size(): number {
    return this.#sessions.size;
  }

  /** How many sessions there may be now: fewer than {@link SessionStore.maxSize} while memory is short. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Evicts the least recently used sessions above the new capacity, at least 1. */
  set capacity(sessions: number) {
    this.#capacity = Math.max(sessions, 1);
    this.#evictAbove(this.#capacity);
  }

  /**
   * Finds the live session of an assertion. A session that has ended is dropped on the way: the sweep would keep one
   * whose signing key was retired until its assertion expires.
   */
  find(assertion: string): Session | undefined {
    const recentDigest = this.#recentDigests.find(assertion);
    const digest = recentDigest ?? digestOf(assertion);
    const session = this.#sessions.find(digest);
    if (session === undefined) {
      return undefined;
    }
    if (!session.isLive(this.#now())) {
      this.#remove(digest);
      return undefined;
    }
    if (recentDigest === undefined) {
      this.#recentDigests.offer(assertion, digest);
    }
    return session;
  }

  /**
   * Adds the session of an assertion, in place of the one that it has; evicts the least recently used one when there are
   * too many.
   */
  add(assertion: string, session: Session): void {
    const digest = digestOf(assertion);
    this.#remove(digest);
    this.#evictAbove(this.#capacity - 1);
    this.#sessions.add(digest, session, minuteOf(session.expiresAt));
  }

  /** Removes expired sessions, a bounded number at a time; to be called about once a second. */
  sweep(): void {
    for (const digest of this.#sessions.removeEnded(minuteOf(this.#now()), MAX_SWEPT)) {
      this.#recentDigests.forget(digest);
    }
  }

  #remove(digest: Digest): void {
    this.#sessions.remove(digest);
    this.#recentDigests.forget(digest);
  }

  #evictAbove(sessions: number): void {
    while (this.#sessions.size > sessions) {
      const evicted = this.#sessions.removeOldest();
      if (evicted !== undefined) {
        this.#recentDigests.forget(evicted);
      }
    }
  }
}

function digestOf(assertion: string): Digest {
  return hash('sha256', assertion, 'binary');
}

function minuteOf(time: number): number {
  return Math.floor(time / MINUTE_MS);
}
