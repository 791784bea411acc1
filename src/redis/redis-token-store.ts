import { hash, randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { Circuit, type WatchedCircuit } from '../resilience/circuit-breaker.ts';
import type { Clock } from '../resilience/clock.ts';
import type { DownstreamToken } from '../session/downstream-token.ts';
import type { TokenRequest } from '../session/token-source.ts';
import type { RecordEvent } from '../telemetry/events.ts';
import type { Logger } from '../telemetry/logger.ts';
import { CommandCircuit, type OnCommand } from './command-circuit.ts';
import { createEntraLogin, type EntraLoginOptions } from './entra-login.ts';
import { OutageLog, type RedisOutage } from './outage-log.ts';
import type { RedisAddress } from './redis-address.ts';
import { RedisConnection, type ConnectionListener } from './redis-connection.ts';
import { RedisDisconnected } from './redis-failure.ts';
import { RedisLogin } from './redis-login.ts';
import { deriveEntry, type SealedEntry } from './seal.ts';
import { readToken, writeToken } from './sealed-token.ts';

/** What {@link RedisTokenStore} works with. */
export interface RedisTokenStoreOptions {
  readonly address: RedisAddress;
  readonly clientId: string;
  readonly authority: string;
  readonly now: Clock;
  readonly monotonicMs: Clock;
  readonly log: Pick<Logger, 'warn' | 'info'>;
  /** Called when a user or a password that stands in a file has changed. */
  readonly recordEvent: RecordEvent;
  /** How long a request waits for a look-up; default {@link LOOKUP_TIMEOUT_MS}. */
  readonly lookupTimeoutMs?: number | undefined;
  /** Gets an access token of the gateway's own for Redis; called only where the address wants a login by Entra. */
  readonly fetchToken?: EntraLoginOptions['fetchToken'] | undefined;
  /** Milliseconds between two looks whether that token has to be renewed. */
  readonly renewalIntervalMs?: number | undefined;
  /** Called after each look-up of a request. */
  readonly onLookup: (outcome: LookupOutcome) => void;
  /** Called after each command that was sent; default nothing. */
  readonly onCommand?: OnCommand | undefined;
}

/** How look-ups end; `skipped` while the circuit is open, `unreadable` for a value that this gateway cannot open. */
export const LOOKUP_OUTCOMES = ['hit', 'miss', 'unreadable', 'error', 'skipped'] as const;

/** How a look-up ended. */
export type LookupOutcome = (typeof LOOKUP_OUTCOMES)[number];

/** What a look-up found. */
export type LookupResult =
  { readonly outcome: 'hit'; readonly token: DownstreamToken } | { readonly outcome: Exclude<LookupOutcome, 'hit'> };

/**
 * Our own lock with its mark; `foreign` when another replica has the lock, `none` when Redis gave no answer in time.
 */
export type TokenLock = { readonly mark: string } | 'foreign' | 'none';

/** How long a request waits for a look-up, unless gateway.yaml says otherwise. */
export const LOOKUP_TIMEOUT_MS = 20;

/** How long a gateway that starts waits for Redis to connect. */
const CONNECT_TIMEOUT_MS = 500;

/** How long a write may take; no request waits for it. */
const STORE_TIMEOUT_MS = 250;

/** How many failures in a row open the circuit (fewer can be a short pause of Redis), and for how long. */
const CIRCUIT = { failures: 5, openForMs: 1_000 };

/** How long a lock lasts: the lock of a replica that died must not stop the others for longer. */
const LOCK_LIFETIME_MS = 2_000;

/** How many refused tokens are remembered. */
const MAX_REFUSED = 10_000;

/**
 * The downstream tokens of users in Redis, sealed so that only a request with the same assertion can find and open
 * them. They survive restarts and serve all replicas. When Redis fails, nothing here throws, and nothing takes longer
 * than its timeout.
 */
export class RedisTokenStore {
  /** How long a request waits for a look-up. */
  readonly lookupTimeoutMs: number;
  readonly #options: RedisTokenStoreOptions;
  readonly #connection: RedisConnection;
  readonly #outages: OutageLog;
  readonly #lookups: CommandCircuit;
  readonly #writes: CommandCircuit;
  /** The hashes of tokens that a downstream refused, by the key under which they may still be in Redis. */
  readonly #refused = new LRUCache<string, string>({ max: MAX_REFUSED });

  constructor(options: RedisTokenStoreOptions) {
    this.#options = options;
    this.lookupTimeoutMs = options.lookupTimeoutMs ?? LOOKUP_TIMEOUT_MS;
    const { address, renewalIntervalMs, log, now } = options;
    const entra = createEntraLogin(address, { fetchToken: options.fetchToken, now, log });
    this.#connection = new RedisConnection(
      address,
      new RedisLogin(address, { reports: options, entra }),
      renewalIntervalMs,
    );
    this.#outages = new OutageLog(options.log, options.address.shown);
    this.#lookups = this.#circuitOf('look-ups');
    // Writes have a circuit of their own, because a read-only replica or a full Redis still answers look-ups.
    this.#writes = this.#circuitOf('writes');
  }

  /**
   * Starts to connect, and waits for success or failure, {@link CONNECT_TIMEOUT_MS} at most. Connecting goes on in the
   * background.
   */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, CONNECT_TIMEOUT_MS);
      const settle = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const listener: ConnectionListener = {
        onReady: () => {
          this.#lookups.reset();
          this.#writes.reset();
          this.#outages.endAll();
          settle();
        },
        onFailure: (error) => {
          this.#outages.begin('connection', error);
          settle();
        },
      };
      this.#connection.open(listener).catch(reject);
    });
  }

  /** Closes the connection. */
  close(): void {
    this.#connection.close();
  }

  /** The circuits to Redis as they are now. */
  watchCircuits(): readonly WatchedCircuit[] {
    return [this.#lookups.watch('redis:lookups'), this.#writes.watch('redis:writes')];
  }

  /** The entry in Redis for the token of a request. */
  entryOf({ assertion, downstream }: TokenRequest): SealedEntry {
    const { clientId, authority } = this.#options;
    const { name, scopes, agent } = downstream;
    return deriveEntry(assertion(), { clientId, authority, downstream: name, scopes, agent });
  }

  /** Finds the token of an entry for a request, and reports the outcome to `onLookup`. */
  async lookUp(entry: SealedEntry): Promise<LookupResult> {
    const found = await this.find(entry, this.lookupTimeoutMs);
    this.#options.onLookup(found.outcome);
    return found;
  }

  /** Finds the token of an entry; a token that has ended, or that a downstream refused, counts as a miss. */
  async find(entry: SealedEntry, timeoutMs: number): Promise<LookupResult> {
    const result = await this.#lookups.run('get', timeoutMs, () => this.#connection.get(entry.tokenKey));
    if (result.outcome !== 'done') {
      return { outcome: result.outcome === 'failed' ? 'error' : 'skipped' };
    }
    if (result.value === undefined) {
      return { outcome: 'miss' };
    }
    const token = readToken(entry.open(result.value));
    if (token === undefined) {
      return { outcome: 'unreadable' };
    }
    const isGood = this.#options.now() < token.usableUntil && this.#refused.get(entry.tokenKey) !== fingerprint(token);
    return isGood ? { outcome: 'hit', token } : { outcome: 'miss' };
  }

  /** Stores the token of a request for as long as the token is given out and the session lasts. */
  async store({ session }: TokenRequest, entry: SealedEntry, token: DownstreamToken): Promise<void> {
    const endsAt = Math.min(token.usableUntil, session.expiresAt);
    const lifetimeMs = Math.floor(endsAt - this.#options.now());
    if (lifetimeMs > 0) {
      const value = entry.seal(writeToken(token));
      await this.#writes.run('set', STORE_TIMEOUT_MS, () => this.#connection.set(entry.tokenKey, value, lifetimeMs));
    }
  }

  /** Forgets a token that a downstream refused, here and in Redis; a newer token in its place stays. */
  discard(request: TokenRequest, refused: DownstreamToken): void {
    if (!mayBeShared(request)) {
      return;
    }
    const entry = this.entryOf(request);
    // The hash works at once: the caller's next look-up may overtake the deletion, and the deletion may fail.
    this.#refused.set(entry.tokenKey, fingerprint(refused));
    void this.#writes.run('delete', STORE_TIMEOUT_MS, async () => {
      const value = await this.#connection.get(entry.tokenKey);
      const token = value && readToken(entry.open(value));
      if (value !== undefined && token?.accessToken === refused.accessToken) {
        await this.#connection.deleteIfEqual(entry.tokenKey, value);
      }
    });
  }

  /** Keeps other replicas from asking Entra for the same token, for {@link LOCK_LIFETIME_MS} at most. */
  async lock(entry: SealedEntry, timeoutMs: number): Promise<TokenLock> {
    const mark = randomUUID();
    const result = await this.#writes.run('lock', timeoutMs, () =>
      this.#connection.setIfAbsent(entry.lockKey, mark, LOCK_LIFETIME_MS),
    );
    if (result.outcome !== 'done') {
      return 'none';
    }
    return result.value ? { mark } : 'foreign';
  }

  /** True while a replica has the lock; false also when Redis gives no answer in time. */
  async isLocked(entry: SealedEntry): Promise<boolean> {
    const result = await this.#lookups.run('get', this.lookupTimeoutMs, () => this.#connection.get(entry.lockKey));
    return result.outcome === 'done' && result.value !== undefined;
  }

  /** Releases our own lock; the lock of another replica stays. */
  async unlock(entry: SealedEntry, lock: TokenLock): Promise<void> {
    if (typeof lock === 'object') {
      await this.#writes.run('unlock', STORE_TIMEOUT_MS, () =>
        this.#connection.deleteIfEqual(entry.lockKey, lock.mark),
      );
    }
  }

  #circuitOf(outage: RedisOutage): CommandCircuit {
    return new CommandCircuit(new Circuit(CIRCUIT, this.#options.monotonicMs), {
      onCommand: this.#options.onCommand ?? ((): void => {}),
      onSuccess: () => this.#outages.end(outage),
      onOpen: (error) => {
        if (!(error instanceof RedisDisconnected)) {
          this.#outages.begin(outage, error);
        }
      },
    });
  }
}

/** False for the gateway's own tokens: no caller's assertion can seal them, and each replica needs only a few. */
export function mayBeShared({ session }: TokenRequest): boolean {
  return session.principal.kind === 'user';
}

function fingerprint({ accessToken }: DownstreamToken): string {
  return hash('sha256', accessToken, 'base64');
}
