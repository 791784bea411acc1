import { setTimeout as sleep } from 'node:timers/promises';
import type { DownstreamToken, FetchedToken } from '../session/downstream-token.ts';
import type { RemoteTokenSource, TokenRequest } from '../session/token-source.ts';
import { mayBeShared, type RedisTokenStore, type TokenLock } from './redis-token-store.ts';
import type { SealedEntry } from './seal.ts';

/** How long a replica waits for a token that another one asks Entra for: an exchange seldom takes longer. */
const MAX_WAIT_MS = 1_000;

/** How long to pause between two looks at what another replica asked for: the first pause, and the longest. */
const FIRST_PAUSE_MS = 10;
const MAX_PAUSE_MS = 50;

/**
 * The second level of the users' tokens: what lies in Redis; otherwise a new token, which other replicas wait for
 * instead of asking as well. Whatever Redis does, a request gets its token as if there were none, at most a moment later.
 */
export class RedisTokens implements RemoteTokenSource {
  readonly #next: RemoteTokenSource;
  readonly #store: RedisTokenStore;

  constructor(next: RemoteTokenSource, store: RedisTokenStore) {
    this.#next = next;
    this.#store = store;
  }

  async acquire(request: TokenRequest): Promise<FetchedToken> {
    if (!mayBeShared(request)) {
      return this.#next.acquire(request);
    }
    const entry = this.#store.entryOf(request);
    // With claims only Entra's word counts, and a new token takes the place of what lies in Redis.
    if (request.claims !== '' || request.isRefresh === true) {
      return this.#fetchAndStore(request, entry, 'none');
    }
    const deadline = performance.now() + this.#store.lookupTimeoutMs;
    const beforeLock = await this.#store.lookUp(entry);
    if (beforeLock.outcome === 'hit') {
      return fromRedis(beforeLock.token);
    }
    const leftMs = deadline - performance.now();
    // While Redis fails, a lock would only cost time.
    const isWell = (beforeLock.outcome === 'miss' || beforeLock.outcome === 'unreadable') && leftMs > 1;
    if (!isWell) {
      return this.#fetchAndStore(request, entry, 'none');
    }
    // The other replica may have stored its token and given up the lock since; the second look costs no time of its own.
    const [lock, withLock] = await Promise.all([this.#store.lock(entry, leftMs), this.#store.find(entry, leftMs)]);
    if (withLock.outcome === 'hit') {
      void this.#store.unlock(entry, lock);
      return fromRedis(withLock.token);
    }
    const awaited = lock === 'foreign' ? await this.#waitForOther(entry) : undefined;
    return awaited === undefined ? this.#fetchAndStore(request, entry, lock) : fromRedis(awaited);
  }

  /** The token that another replica gets; `undefined` once it failed, took too long, or Redis does. */
  async #waitForOther(entry: SealedEntry): Promise<DownstreamToken | undefined> {
    const deadline = performance.now() + MAX_WAIT_MS;
    let pauseMs = FIRST_PAUSE_MS;
    while (performance.now() < deadline) {
      await sleep(pauseMs * (0.5 + Math.random() / 2));
      pauseMs = Math.min(pauseMs * 1.5, MAX_PAUSE_MS);
      // In this order: the other one stores its token before it gives up the lock.
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
      // Nobody waits for it: the request has what it came for.
      void this.#finish(request, entry, fetched?.token, lock);
    }
  }

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
