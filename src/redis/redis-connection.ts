import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import type { Cluster, Redis, RedisOptions } from 'ioredis';
import type { RedisAddress } from './redis-address.ts';
import { RedisDisconnected, tellMore } from './redis-failure.ts';
import type { RedisLogin } from './redis-login.ts';

/** How long it may take to reach Redis. */
const CONNECT_TIMEOUT_MS = 5_000;

/** How long Redis may send nothing while an answer is due, before the connection is given up. */
const SILENCE_TIMEOUT_MS = 2_000;

/** How long Redis may take to close its side of the connection; a gateway that stops does not wait longer. */
const DISCONNECT_TIMEOUT_MS = 100;

/** The first pause between attempts to connect. */
const FIRST_RETRY_MS = 100;

/** The longest pause between attempts to connect. */
const MAX_RETRY_MS = 5_000;

/** The longest pause between attempts to reach the Sentinels; a gateway that stops has to wait until it is over. */
const MAX_SENTINEL_RETRY_MS = 1_000;

/** How often it is seen whether a token of Entra has to be renewed, which it is some ten minutes before it ends. */
const RENEWAL_INTERVAL_MS = 30_000;

/** How often a command follows a cluster that moves its keys; an answer that comes later has no use. */
const MAX_REDIRECTIONS = 3;

/** The longest value that is written, and the most that is read of any value: every token for a header is shorter. */
const MAX_VALUE_BYTES = 64 * 1_024;

/** Deletes a key if it still has the value that the caller knows. */
const DELETE_IF_EQUAL = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

/** Called when the connection begins and when it fails. */
export interface ConnectionListener {
  /** Called when commands can be sent. */
  onReady(): void;
  /**
   * Called when Redis cannot be reached.
   *
   * @param error `undefined` when Redis accepts connections and closes each of them
   */
  onFailure(error: unknown): void;
}

/**
 * The connection to Redis, for each kind of deployment. It is made in the background, and made again when it breaks.
 * While there is none, a command fails at once with {@link RedisDisconnected}.
 */
export class RedisConnection {
  readonly #address: RedisAddress;
  readonly #login: RedisLogin;
  readonly #renewalIntervalMs: number;
  #client: Redis | Cluster | undefined;
  #renewal: NodeJS.Timeout | undefined;
  #reconnect: NodeJS.Timeout | undefined;
  /** The password that the open connections have logged in with. */
  #onlinePassword: string | undefined;
  #isClosed = false;

  /** @param renewalIntervalMs milliseconds between two looks whether a token of Entra has to be renewed; default 30,000 */
  constructor(address: RedisAddress, login: RedisLogin, renewalIntervalMs = RENEWAL_INTERVAL_MS) {
    this.#renewalIntervalMs = renewalIntervalMs;
    this.#address = address;
    this.#login = login;
  }

  /** Starts to connect. The client library is loaded here, so that a gateway without Redis starts without it. */
  async open(listener: ConnectionListener): Promise<void> {
    const { Redis, Cluster } = await import('ioredis');
    await this.#login.refresh();
    this.#onlinePassword = this.#login.values.password;
    if (this.#isClosed) {
      return;
    }
    const { place } = this.#address;
    const pauseBefore = (attempt: number): number => {
      void this.#renewLogin();
      return retryAfter(attempt);
    };
    const client =
      place.kind === 'cluster'
        ? new Cluster([...place.nodes], clusterOptions(this.#address, pauseBefore))
        : new Redis({ ...serverOptions(this.#address, pauseBefore), ...this.#login.values, replyMapping: 'legacy' });
    this.#client = client;
    this.#listen(client, listener, pauseBefore);
    if (this.#login.entra !== undefined) {
      this.#renewal = setInterval(() => void this.#renewOnline(), this.#renewalIntervalMs).unref();
    }
    // The `error` event has told the listener.
    client.connect().catch(() => {});
  }

  /** Tells the listener what becomes of the connection, and does what the client library leaves to do. */
  #listen(client: Redis | Cluster, listener: ConnectionListener, pauseBefore: PauseBefore): void {
    let nodeError: unknown;
    let closes = 0;
    let ends = 0;
    const reportFailure = (error: unknown): void => {
      if (!this.#isClosed) {
        listener.onFailure(nodeError ?? error);
      }
    };
    // Otherwise the first look-up at each node of a cluster would wait for its connection, and mostly time out.
    client.on('+node', (node: Redis) => {
      Object.assign(node.options, this.#login.values);
      node.connect().catch(() => {});
    });
    client.on('-node', () => void this.#renewLogin());
    // A cluster's own errors only say that no node could be reached, and the last one of a node often less than others.
    client.on('node error', (error: unknown) => (nodeError = tellMore(nodeError, error)));
    if (this.#address.place.kind === 'cluster') {
      // The slots are known. When it is not ready before it closes, it said that it is not well.
      client.on('connect', () => (nodeError = new Error('CLUSTERDOWN')));
    }
    client.on('error', reportFailure);
    client.on('close', () => {
      closes += 1;
      // Redis may close a connection that was idle for a while. It is a failure only when the next one is closed, too.
      if (closes > 1) {
        reportFailure(undefined);
      }
    });
    // The client library gives up when the Sentinels name another primary while it asks them for the primary.
    client.on('end', () => {
      if (!this.#isClosed) {
        ends += 1;
        this.#reconnect = setTimeout(() => void client.connect().catch(() => {}), pauseBefore(ends));
      }
    });
    client.on('ready', () => {
      nodeError = undefined;
      closes = 0;
      ends = 0;
      listener.onReady();
    });
  }

  /**
   * Reads again what stands in files, while nothing is connected. The client library takes the login from its options
   * whenever it connects; the nodes of a cluster are new clients, and get it when they are made.
   */
  async #renewLogin(): Promise<void> {
    await this.#login.refresh();
    if (this.#address.place.kind !== 'cluster') {
      Object.assign(this.#client?.options ?? {}, this.#login.values);
    }
  }

  /**
   * Logs in again on the connections that are open, once there is a new token, because Redis closes a connection whose
   * token has ended. When it refuses the new token, the connection stays for as long as the old one is good.
   *
   * @see https://redis.io/docs/latest/commands/auth/
   */
  async #renewOnline(): Promise<void> {
    await this.#renewLogin();
    const { username = '', password = '' } = this.#login.values;
    // Not what it was a moment ago: the new token may have come when one node of a cluster connected anew.
    if (password === this.#onlinePassword || this.#client === undefined) {
      return;
    }
    this.#onlinePassword = password;
    const nodes = 'nodes' in this.#client ? this.#client.nodes() : [this.#client];
    for (const node of nodes) {
      Object.assign(node.options, { username, password });
      // The next connection logs in anew, and a refusal is told then.
      node.auth(username, password).catch(() => {});
    }
  }

  /** Closes the connection; commands that wait for an answer fail. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#renewal);
    clearTimeout(this.#reconnect);
    this.#client?.disconnect();
  }

  /**
   * Gets the value of a key, or only its beginning when it is longer than {@link RedisConnection.set} would store.
   *
   * @returns `undefined` for a key that is not there, or that holds another type than a string
   */
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

  /** Sets a key for a time; does nothing when the value is larger than {@link MAX_VALUE_BYTES}. */
  async set(key: string, value: Buffer, lifetimeMs: number): Promise<void> {
    if (value.length <= MAX_VALUE_BYTES) {
      await this.#ready.set(key, value, 'PX', lifetimeMs);
    }
  }

  /** Sets a key that is not there; false when it is there. */
  async setIfAbsent(key: string, value: string, lifetimeMs: number): Promise<boolean> {
    return (await this.#ready.set(key, value, 'PX', lifetimeMs, 'NX')) === 'OK';
  }

  /** Deletes a key if it still has this value. */
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

/** True when the key holds a list, for example: the key is not ours, and Redis does not fail. */
function isOfAnotherType(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('WRONGTYPE');
}

/**
 * The pause before an attempt to connect: twice as long each time, and random, so that replicas do not come together.
 */
function retryAfter(attempt: number): number {
  const longest = Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), MAX_RETRY_MS);
  return longest * (0.5 + Math.random() / 2);
}

function commonOptions({ encrypted }: RedisAddress): RedisOptions {
  return {
    connectTimeout: CONNECT_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    socketTimeout: SILENCE_TIMEOUT_MS,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // CLIENT SETINFO would be one more command that the operator has to allow.
    disableClientInfo: true,
    ...(encrypted && { tls: {} }),
  };
}

/** Called before each attempt to connect; how long to wait until then, milliseconds. */
type PauseBefore = (attempt: number) => number;

function serverOptions(address: RedisAddress, pauseBefore: PauseBefore): RedisOptions {
  return {
    ...commonOptions(address),
    ...placeOptions(address, pauseBefore),
    db: address.database,
    lazyConnect: true,
    enableOfflineQueue: false,
    retryStrategy: pauseBefore,
  };
}

function placeOptions({ place, encrypted }: RedisAddress, pauseBefore: PauseBefore): RedisOptions {
  switch (place.kind) {
    case 'server':
      return place.node;
    case 'socket':
      return { path: place.path };
    case 'sentinel':
      return {
        sentinels: [...place.nodes],
        name: place.primary,
        sentinelRetryStrategy: (attempt) => Math.min(pauseBefore(attempt), MAX_SENTINEL_RETRY_MS),
        sentinelCommandTimeout: 500,
        // Without this, the connection would stay with a demoted primary, which refuses to write.
        failoverDetector: true,
        ...(encrypted && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
      };
    case 'cluster':
      return {};
  }
}

function clusterOptions(address: RedisAddress, pauseBefore: PauseBefore) {
  const tls = address.encrypted && { tls: clusterTls(address) };
  return {
    redisOptions: { ...commonOptions(address), ...tls, replyMapping: 'legacy' as const },
    // As soon as the client library knows the nodes, it asks one whether the cluster is well, and most are connecting
    // then. Without a queue that question fails, and everything begins anew.
    enableOfflineQueue: true,
    lazyConnect: true,
    clusterRetryStrategy: pauseBefore,
    maxRedirections: MAX_REDIRECTIONS,
    slotsRefreshTimeout: SILENCE_TIMEOUT_MS,
    // Names stay names, for the check of certificates. Looking them up here would also give a connection that ends late
    // the time to stop the next attempt, after which the client library makes none.
    dnsLookup: (host: string, done: (error: null, address: string) => void) => done(null, host),
    // A command that failed is not sent again: nobody waits for it any more, and it could wait for hours in the queue.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
  };
}

/**
 * A cluster mostly names its nodes by IP addresses, which certificates seldom have. So a node may also have the
 * certificate of any host of the address.
 *
 * @see https://nodejs.org/docs/latest-v20.x/api/tls.html#tlscheckserveridentityhostname-cert
 */
function clusterTls({ place }: RedisAddress): ConnectionOptions {
  const hosts = place.kind === 'cluster' ? place.nodes.map(({ host }) => host) : [];
  return {
    checkServerIdentity(host, certificate) {
      const error = checkServerIdentity(host, certificate);
      return hosts.some((known) => checkServerIdentity(known, certificate) === undefined) ? undefined : error;
    },
  };
}
