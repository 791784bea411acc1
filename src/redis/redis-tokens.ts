import { setTimeout as sleep } from 'node:timers/promises';
import type { DownstreamToken, FetchedToken } from '../session/downstream-token.ts';
import type { RemoteTokenSource, TokenRequest } from '../session/token-source.ts';
import { mayBeShared, type RedisTokenStore, type TokenLock } from './redis-token-store.ts';
import type { SealedEntry } from './seal.ts';

/** How long a replica waits for the token that another replica asks Entra for: an exchange seldom takes longer. */
const MAX_WAIT_MS = 1_000;

/** The first pause between two look-ups of the token that another replica asks for. */
const FIRST_PAUSE_MS = 10;

/** The longest pause between them. */
const MAX_PAUSE_MS = 50;

/**
 * The second source: the tokens of users in Redis (the second level). When a token is not there, one replica asks the
 * next source, and the others wait for that token instead of asking, too. When Redis fails in any way, a request gets
 * its token as if there were no Redis, a moment later at most.
 */
export class RedisTokens implements RemoteTokenSource {
  readonly #next: RemoteTokenSource;
  readonly #store: RedisTokenStore;

  constructor(next: RemoteTokenSource, store: RedisTokenStore) {
    this.#next = next;
    this.#store = store;
  }

  /** @throws {Error} what the next source throws; nothing of Redis */
  async acquire(request: TokenRequest): Promise<FetchedToken> {
    if (!mayBeShared(request)) {
      return this.#next.acquire(request);
    }
    const entry = this.#store.entryOf(request);
    // A request with claims needs a new token from Entra, and that token replaces the one in Redis.
    if (request.claims !== '' || request.isRefresh === true) {
      return this.#fetchAndStore(request, entry, 'none');
    }
    const deadline = performance.now() + this.#store.lookupTimeoutMs;
    const beforeLock = await this.#store.lookUp(entry);
    if (beforeLock.outcome === 'hit') {
      return fromRedis(beforeLock.token);
    }
    const leftMs = deadline - performance.now();
    // While Redis fails, trying to lock would only take time.
    const isWell = (beforeLock.outcome === 'miss' || beforeLock.outcome === 'unreadable') && leftMs > 1;
    if (!isWell) {
      return this.#fetchAndStore(request, entry, 'none');
    }
    // Another replica may have stored its token and released the lock since; the second look-up takes no extra time.
    const [lock, withLock] = await Promise.all([this.#store.lock(entry, leftMs), this.#store.find(entry, leftMs)]);
    if (withLock.outcome === 'hit') {
      void this.#store.unlock(entry, lock);
      return fromRedis(withLock.token);
    }
    const awaited = lock === 'foreign' ? await this.#waitForOther(entry) : undefined;
    return awaited === undefined ? this.#fetchAndStore(request, entry, lock) : fromRedis(awaited);
  }

  /** Waits for the token of another replica; `undefined` when that replica or Redis fails, or takes too long. */
  async #waitForOther(entry: SealedEntry): Promise<DownstreamToken | undefined> {
    const deadline = performance.now() + MAX_WAIT_MS;
    let pauseMs = FIRST_PAUSE_MS;
    while (performance.now() < deadline) {
      await sleep(pauseMs * (0.5 + Math.random() / 2));
      pauseMs = Math.min(pauseMs * 1.5, MAX_PAUSE_MS);
      // The lock is read first, because the other replica stores its token before it releases the lock.
      const [isLocked, found] = await Promise.all([
        this.#store.isLocked(entry),
        this.#store.find(entry, this.#store.lookupTimeoutMs),
      ]);
      if (found.outcome === 'hit') {
        return found.token;
      }
      if (!isLocked) {
        return undefined;
      }
    }
    return undefined;
  }

  async #fetchAndStore(request: TokenRequest, entry: SealedEntry, lock: TokenLock): Promise<FetchedToken> {
    let fetched: FetchedToken | undefined;
    try {
      fetched = await this.#next.acquire(request);
      return fetched;
    } finally {
      // The request does not wait for this, because it has its token.
      void this.#finish(request, entry, fetched?.token, lock);
    }
  }

  /** Stores the token, if there is one, and releases the lock. */
  async #finish(
    request: TokenRequest,
    entry: SealedEntry,
    token: DownstreamToken | undefined,
    lock: TokenLock,
  ): Promise<void> {
    if (token !== undefined) {
      await this.#store.store(request, entry, token);
    }
    await this.#store.unlock(entry, lock);
  }
}

function fromRedis(token: DownstreamToken): FetchedToken {
  return { token, from: 'redis', correlationId: undefined };
}
