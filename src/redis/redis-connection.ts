import type { Cluster, Redis, RedisOptions } from 'ioredis';
import type { RedisAddress } from './redis-address.ts';
import { RedisDisconnected } from './redis-failure.ts';

/** How long it may take to reach Redis, and for it to answer anything at all before the connection is given up. */
const CONNECT_TIMEOUT_MS = 5_000;
const SILENCE_TIMEOUT_MS = 2_000;

/** How long Redis may take to hang up as well; a gateway that stops does not wait longer. */
const DISCONNECT_TIMEOUT_MS = 100;

/** The pause between attempts to connect: the first, and the longest. */
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5_000;

/** The same for the Sentinels; a gateway that stops has to wait for the end of the pause. */
const MAX_SENTINEL_RETRY_MS = 1_000;

/** A command that meets a cluster in motion is worth little later. */
const MAX_REDIRECTIONS = 3;

/** The size of a value: no token that fits into a header comes near it. What a stranger put there is not read beyond. */
const MAX_VALUE_BYTES = 64 * 1_024;

/** Deletes a key if it still has the value that the caller knows. */
const DELETE_IF_EQUAL = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

/** Is called when the connection is there and when it is not. */
export interface ConnectionListener {
  onReady(): void;
  /** @param error `undefined` when Redis only hangs up, again and again */
  onFailure(error: unknown): void;
}

/**
 * The connection to Redis, whatever kind it is. It is made and made again in the background; while there is none, a
 * command fails at once.
 */
export class RedisConnection {
  readonly #address: RedisAddress;
  #client: Redis | Cluster | undefined;
  #isClosed = false;

  constructor(address: RedisAddress) {
    this.#address = address;
  }

  /** Starts to connect. The client library is only loaded here: a gateway without Redis starts without it. */
  async open(listener: ConnectionListener): Promise<void> {
    const { Redis, Cluster } = await import('ioredis');
    if (this.#isClosed) {
      return;
    }
    const { place } = this.#address;
    const client =
      place.kind === 'cluster'
        ? new Cluster([...place.nodes], clusterOptions(this.#address))
        : new Redis({ ...serverOptions(this.#address), replyMapping: 'legacy' });
    let nodeError: unknown;
    let closes = 0;
    const reportFailure = (error: unknown): void => {
      if (!this.#isClosed) {
        listener.onFailure(nodeError ?? error);
      }
    };
    // Otherwise the first look-up at each node of a cluster would wait for its connection, and mostly in vain.
    client.on('+node', (node: Redis) => void node.connect().catch(() => {}));
    // A cluster's own errors only say that no node could be reached.
    client.on('node error', (error: unknown) => (nodeError = error));
    client.on('error', reportFailure);
    client.on('close', () => {
      closes += 1;
      // Redis may hang up on a connection that nobody used for a while; that is only a failure if it does so again.
      if (closes > 1) {
        reportFailure(undefined);
      }
    });
    client.on('ready', () => {
      nodeError = undefined;
      closes = 0;
      listener.onReady();
    });
    this.#client = client;
    // Whoever listens has heard of it.
    client.connect().catch(() => {});
  }

  /** Hangs up; what waits for an answer fails. */
  close(): void {
    this.#isClosed = true;
    this.#client?.disconnect();
  }

  /** The value of a key, cut off where it is longer than {@link RedisConnection.set} would store. */
  async get(key: string): Promise<Buffer | undefined> {
    try {
      const value = await this.#ready.getrangeBuffer(key, 0, MAX_VALUE_BYTES - 1);
      return value.length === 0 ? undefined : value;
    } catch (error) {
      if (isOfAnotherType(error)) {
        return undefined;
      }
      throw error;
    }
  }

  /** Sets a key, unless its value is larger than 64 kB. */
  async set(key: string, value: Buffer, lifetimeMs: number): Promise<void> {
    if (value.length <= MAX_VALUE_BYTES) {
      await this.#ready.set(key, value, 'PX', lifetimeMs);
    }
  }

  /** Sets a key that is not there; false when it is. */
  async setIfAbsent(key: string, value: string, lifetimeMs: number): Promise<boolean> {
    return (await this.#ready.set(key, value, 'PX', lifetimeMs, 'NX')) === 'OK';
  }

  async deleteIfEqual(key: string, value: Buffer | string): Promise<void> {
    await this.#ready.eval(DELETE_IF_EQUAL, 1, key, value);
  }

  get #ready(): Redis | Cluster {
    if (this.#client?.status !== 'ready') {
      throw new RedisDisconnected();
    }
    return this.#client;
  }
}

/** True when the key holds a list, for one: nothing of ours, and no failure of Redis. */
function isOfAnotherType(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('WRONGTYPE');
}

/** Twice as long each time, and never at the same moment as the other replicas. */
function retryAfter(attempt: number): number {
  const longest = Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), MAX_RETRY_MS);
  return longest * (0.5 + Math.random() / 2);
}

function commonOptions({ encrypted, username, password }: RedisAddress): RedisOptions {
  return {
    username,
    password,
    connectTimeout: CONNECT_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    socketTimeout: SILENCE_TIMEOUT_MS,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // Spares the operator one more command to allow.
    disableClientInfo: true,
    ...(encrypted && { tls: {} }),
  };
}

function serverOptions(address: RedisAddress): RedisOptions {
  return {
    ...commonOptions(address),
    ...placeOptions(address),
    db: address.database,
    lazyConnect: true,
    retryStrategy: retryAfter,
  };
}

function placeOptions({ place, encrypted }: RedisAddress): RedisOptions {
  switch (place.kind) {
    case 'server':
      return place.node;
    case 'socket':
      return { path: place.path };
    case 'sentinel':
      return {
        sentinels: [...place.nodes],
        name: place.primary,
        sentinelUsername: place.username,
        sentinelPassword: place.password,
        sentinelRetryStrategy: (attempt) => Math.min(retryAfter(attempt), MAX_SENTINEL_RETRY_MS),
        sentinelCommandTimeout: 500,
        // A demoted primary that lives on would refuse to write until somebody hangs up.
        failoverDetector: true,
        ...(encrypted && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
      };
    case 'cluster':
      return {};
  }
}

function clusterOptions(address: RedisAddress) {
  const { enableOfflineQueue, ...redisOptions } = commonOptions(address);
  return {
    redisOptions: { ...redisOptions, replyMapping: 'legacy' as const },
    lazyConnect: true,
    enableOfflineQueue,
    clusterRetryStrategy: retryAfter,
    maxRedirections: MAX_REDIRECTIONS,
    slotsRefreshTimeout: SILENCE_TIMEOUT_MS,
  };
}
