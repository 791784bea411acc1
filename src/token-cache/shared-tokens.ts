import { hash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { Circuit } from '../circuit.ts';
import type { DownstreamToken, FetchedToken } from '../downstream-tokens.ts';
import type { MonotonicClock } from '../monotonic-clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Guard } from './guard.ts';
import type { RedisAddress } from './redis-address.ts';
import { RedisConnection, type ConnectionListener } from './redis-connection.ts';
import { readToken, writeToken } from './sealed-token.ts';
import { deriveEntry, type EntryContext, type SealedEntry } from './seal.ts';
import { TroubleLog, type Trouble } from './trouble-log.ts';
import { RedisDisconnected } from './trouble.ts';

/** What {@link SharedTokens} works with. */
export interface SharedTokensOptions {
  readonly address: RedisAddress;
  readonly clientId: string;
  readonly authority: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly monotonicMs: MonotonicClock;
  readonly log: Pick<Logger, 'warn' | 'info'>;
  /** Milliseconds that a request gives Redis to say whether it has the token; default {@link LOOKUP_PATIENCE}. */
  readonly patience?: number | undefined;
  /** Is told of each look-up. */
  readonly onLookup: (outcome: LookupOutcome) => void;
}

/** How a look-up ended; `skipped` because Redis failed every time before, `unreadable` for a value that is not ours. */
export type LookupOutcome = 'hit' | 'miss' | 'unreadable' | 'error' | 'skipped';

/** Whose token, and for what. */
export interface TokenPlace {
  /** The caller's access token. */
  readonly assertion: string;
  /** When nobody can come with it any more; milliseconds since the epoch. */
  readonly assertionEndsAt: number;
  readonly downstream: string;
  readonly scopes: readonly string[];
}

/** Milliseconds that a request gives Redis to say whether it has the token. */
export const LOOKUP_PATIENCE = 20;

/** Milliseconds that a gateway that starts gives Redis to connect. */
const CONNECT_PATIENCE = 500;

/** Milliseconds for a store, which nobody waits for. */
const STORE_PATIENCE = 250;

/** Fewer failures in a row may be a pause of Redis; with more it is left alone for a while. */
const CIRCUIT = { failures: 5, openFor: 1_000 };

/**
 * Milliseconds for which a replica that asks Entra keeps the others from it, and for which the others wait at most. An
 * exchange seldom takes longer than the wait; a replica that died holds the others up for no longer than the lock.
 */
const LOCK_LIFETIME = 2_000;
const LONGEST_WAIT = 1_000;

/** Milliseconds between two looks at what another replica asked for: the first pause, and the longest. */
const FIRST_PAUSE = 10;
const LONGEST_PAUSE = 50;

const MOST_REFUSED = 10_000;

/**
 * The second level of the token cache: the users' downstream tokens in Redis, sealed so that only a request with the
 * same assertion can find and open them. It survives restarts and serves all replicas. Whatever Redis does, a request
 * gets its token as if there were none, at most a moment later.
 */
export class SharedTokens {
  readonly #options: SharedTokensOptions;
  readonly #patience: number;
  readonly #connection: RedisConnection;
  readonly #trouble: TroubleLog;
  readonly #lookups: Guard;
  readonly #writes: Guard;
  /** Fingerprints of tokens that a downstream refused, by the key they may still lie under. */
  readonly #refused = new LRUCache<string, string>({ max: MOST_REFUSED });

  constructor(options: SharedTokensOptions) {
    this.#options = options;
    this.#patience = options.patience ?? LOOKUP_PATIENCE;
    this.#connection = new RedisConnection(options.address);
    this.#trouble = new TroubleLog(options.log, options.address.shown);
    this.#lookups = this.#guard('look-ups');
    // A replica that may only be read, or a Redis that is full, still answers look-ups.
    this.#writes = this.#guard('writes');
  }

  /** Starts to connect, and waits until that succeeded or failed, but only a moment. It goes on in the background. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, CONNECT_PATIENCE);
      const settle = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const listener: ConnectionListener = {
        onReady: () => {
          this.#lookups.reset();
          this.#writes.reset();
          this.#trouble.endAll();
          settle();
        },
        onTrouble: (error) => {
          this.#trouble.begin('connection', error);
          settle();
        },
      };
      this.#connection.open(listener).catch(reject);
    });
  }

  close(): void {
    this.#connection.close();
  }

  /**
   * The token that lies in Redis; otherwise a new one, which other replicas wait for instead of asking as well.
   *
   * @param ask asks Entra; what it throws is thrown
   */
  async acquire(place: TokenPlace, ask: () => Promise<FetchedToken>): Promise<FetchedToken> {
    const entry = this.#entryOf(place);
    const deadline = performance.now() + this.#patience;
    const beforeLock = await this.#find(entry, this.#patience);
    this.#options.onLookup(beforeLock.outcome);
    if (beforeLock.outcome === 'hit') {
      return fromRedis(beforeLock.token);
    }
    const patience = deadline - performance.now();
    // With Redis in trouble, a lock would only cost time.
    const isWell = (beforeLock.outcome === 'miss' || beforeLock.outcome === 'unreadable') && patience > 1;
    if (!isWell) {
      return this.#ask(place, entry, ask, 'none');
    }
    // The other replica may have stored its token and given up the lock since; the second look costs no time of its own.
    const [lock, withLock] = await Promise.all([this.#lock(entry, patience), this.#find(entry, patience)]);
    if (withLock.outcome === 'hit') {
      void this.#unlock(entry, lock);
      return fromRedis(withLock.token);
    }
    const awaited = lock === 'foreign' ? await this.#waitForOther(entry) : undefined;
    return awaited === undefined ? this.#ask(place, entry, ask, lock) : fromRedis(awaited);
  }

  /**
   * A new token, whatever lies in Redis, where it takes the place of the old: before an old one ends, and when a
   * downstream wants more of it.
   *
   * @param ask asks Entra; what it throws is thrown
   */
  async renew(place: TokenPlace, ask: () => Promise<FetchedToken>): Promise<FetchedToken> {
    return this.#ask(place, this.#entryOf(place), ask, 'none');
  }

  /** Lets nobody find a token again that a downstream refused; a newer one in its place stays. */
  discard(place: TokenPlace, refused: DownstreamToken): void {
    const entry = this.#entryOf(place);
    // At once and without Redis, because this caller's next look-up may overtake the deletion, or that may fail.
    this.#refused.set(entry.tokenKey, fingerprint(refused));
    void this.#writes.attempt(STORE_PATIENCE, async () => {
      const value = await this.#connection.get(entry.tokenKey);
      const token = value && readToken(entry.open(value));
      if (value !== undefined && token?.accessToken === refused.accessToken) {
        await this.#connection.deleteIfEqual(entry.tokenKey, value);
      }
    });
  }

  #guard(trouble: Trouble): Guard {
    return new Guard(new Circuit(CIRCUIT, this.#options.monotonicMs), {
      onSuccess: () => this.#trouble.end(trouble),
      onOpen: (error) => {
        if (!(error instanceof RedisDisconnected)) {
          this.#trouble.begin(trouble, error);
        }
      },
    });
  }

  #entryOf({ assertion, downstream, scopes }: TokenPlace): SealedEntry {
    const { clientId, authority } = this.#options;
    const context: EntryContext = { clientId, authority, downstream, scopes };
    return deriveEntry(assertion, context);
  }

  async #find(entry: SealedEntry, patience: number): Promise<Finding> {
    const attempt = await this.#lookups.attempt(patience, () => this.#connection.get(entry.tokenKey));
    if (attempt.outcome !== 'done') {
      return { outcome: attempt.outcome === 'failed' ? 'error' : 'skipped' };
    }
    if (attempt.value === undefined) {
      return { outcome: 'miss' };
    }
    const token = readToken(entry.open(attempt.value));
    if (token === undefined) {
      return { outcome: 'unreadable' };
    }
    const isGood = this.#options.now() < token.usableUntil && this.#refused.get(entry.tokenKey) !== fingerprint(token);
    return isGood ? { outcome: 'hit', token } : { outcome: 'miss' };
  }

  /** `foreign` when another replica has it, `none` when Redis did not say in time. */
  async #lock(entry: SealedEntry, patience: number): Promise<Lock> {
    const mark = randomUUID();
    const attempt = await this.#writes.attempt(patience, () =>
      this.#connection.setIfAbsent(entry.lockKey, mark, LOCK_LIFETIME),
    );
    if (attempt.outcome !== 'done') {
      return 'none';
    }
    return attempt.value ? { mark } : 'foreign';
  }

  /** The token that another replica gets; `undefined` once it failed, took too long, or Redis does. */
  async #waitForOther(entry: SealedEntry): Promise<DownstreamToken | undefined> {
    const deadline = performance.now() + LONGEST_WAIT;
    let pause = FIRST_PAUSE;
    while (performance.now() < deadline) {
      await sleep(pause * (0.5 + Math.random() / 2));
      pause = Math.min(pause * 1.5, LONGEST_PAUSE);
      // In this order: the other one stores its token before it gives up the lock.
      const [lock, found] = await Promise.all([
        this.#lookups.attempt(this.#patience, () => this.#connection.get(entry.lockKey)),
        this.#find(entry, this.#patience),
      ]);
      if (found.outcome === 'hit') {
        return found.token;
      }
      if (lock.outcome !== 'done' || lock.value === undefined) {
        return undefined;
      }
    }
    return undefined;
  }

  async #ask(
    place: TokenPlace,
    entry: SealedEntry,
    ask: () => Promise<FetchedToken>,
    lock: Lock,
  ): Promise<FetchedToken> {
    let fetched: FetchedToken | undefined;
    try {
      fetched = await ask();
      return fetched;
    } finally {
      // Nobody waits for it: the request has what it came for.
      void this.#store(place, entry, fetched?.token).then(() => this.#unlock(entry, lock));
    }
  }

  async #store(place: TokenPlace, entry: SealedEntry, token: DownstreamToken | undefined): Promise<void> {
    const endsAt = Math.min(token?.usableUntil ?? 0, place.assertionEndsAt);
    const lifetime = Math.floor(endsAt - this.#options.now());
    if (token !== undefined && lifetime > 0) {
      const value = entry.seal(writeToken(token));
      await this.#writes.attempt(STORE_PATIENCE, () => this.#connection.set(entry.tokenKey, value, lifetime));
    }
  }

  async #unlock(entry: SealedEntry, lock: Lock): Promise<void> {
    if (typeof lock === 'object') {
      await this.#writes.attempt(STORE_PATIENCE, () => this.#connection.deleteIfEqual(entry.lockKey, lock.mark));
    }
  }
}

type Finding =
  { readonly outcome: 'hit'; readonly token: DownstreamToken } | { readonly outcome: Exclude<LookupOutcome, 'hit'> };

type Lock = { readonly mark: string } | 'foreign' | 'none';

function fromRedis(token: DownstreamToken): FetchedToken {
  return { token, from: 'redis', correlationId: undefined };
}

function fingerprint({ accessToken }: DownstreamToken): string {
  return hash('sha256', accessToken, 'base64');
}
