import type { Socket } from 'node:net';
import type { Pool } from 'undici';
import { Circuit } from '../resilience/circuit-breaker.ts';
import type { Clock } from '../resilience/clock.ts';
import { createAgedClient } from './aged-client.ts';
import { createConnector } from './connector.ts';
import { keepTimer } from './kept-timer.ts';
import { createProxyConnector, readProxy } from './proxy.ts';
import type { TlsSettings } from './tls-files.ts';
import { tolerateUnaskedContinue } from './unasked-continue.ts';
import { undici } from '../network/undici.ts';

/** What gateway.yaml says of a downstream; times in milliseconds, `undefined` for no limit. */
export interface DownstreamSettings {
  /** Without a slash at the end; may have a path. */
  readonly baseUrl: string;
  readonly timeout: {
    readonly connect: number | undefined;
    readonly response: number | undefined;
    readonly idle: number | undefined;
    /** True where gateway.yaml says `idle`, and the default does not count; default false. */
    readonly isIdleSet?: boolean;
  };
  /** Absent: Node's own authorities are trusted, and the gateway shows no certificate. */
  readonly tls?: TlsSettings | undefined;
  /** How long a connection is used. */
  readonly connections: { readonly maxAge: number | undefined };
  /** Bytes that the head of an answer may have. */
  readonly headLimit: number;
  /** `http(s)://[user:password@]host:port`; absent for none. */
  readonly proxy?: string | undefined;
}

/** How long one call may take, in milliseconds that may be infinite; what is absent is as the downstream has it. */
export interface Timeouts {
  /** To the head of the answer. */
  readonly responseMs?: number;
  /** Between two pieces of a body. */
  readonly idleMs?: number;
  /** True where an answer that is an event stream may be silent for ever, unless gateway.yaml says `idle`; default false. */
  readonly endlessStreams?: boolean;
}

/** A restart or a lost connection causes fewer failures in a row than these, and the pause hardly delays a recovery. */
const CIRCUIT = { failures: 50, openForMs: 2_000 } as const;

/** An API behind the gateway and the connections to it. */
export class Downstream {
  readonly name: string;
  readonly pool: Pool;
  /** Makes a new connection for each call; for calls that a kept connection lost. */
  readonly newConnections: Pool;
  /**
   * What the target of every request begins with: the path of the base address, or nothing when it has none. A proxy
   * for http gets the whole address (RFC 9112 §3.2.2).
   *
   * @see https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
   */
  readonly basePath: string;
  /** The same for a connection of {@link connect}, which ends at the API: always the path alone. */
  readonly ownPath: string;
  /** The value of `Host` for such a connection. */
  readonly host: string;
  /** The headers of every request to a proxy for http: names and values in turn. */
  readonly proxyHeaders: readonly string[];
  /** Opens when the API cannot be reached many times in a row. */
  readonly circuit: Circuit;
  /** Milliseconds until the head of an answer is here; may be infinite. */
  readonly responseTimeout: number;
  /** Milliseconds that may pass between two pieces of a body; may be infinite. */
  readonly idleTimeout: number;
  /** True where gateway.yaml says so itself. */
  readonly isIdleSet: boolean;
  /** Bytes that the head of an answer may have. */
  readonly headLimit: number;
  readonly #origin: URL;
  readonly #connect: ReturnType<typeof createConnector>;
  #isConnecting = false;

  /** @param circuit that of connections to the same API before; default a new one */
  constructor(
    name: string,
    settings: DownstreamSettings,
    monotonicMs: Clock,
    circuit = new Circuit(CIRCUIT, monotonicMs),
  ) {
    const { timeout, tls, connections, headLimit } = settings;
    const baseUrl = new URL(settings.baseUrl);
    const proxy = settings.proxy === undefined ? undefined : readProxy(settings.proxy);
    // For undici, 0 is no limit.
    const timeoutMs = timeout.connect ?? 0;
    // Proxies expect a tunnel for https and single requests for http; many refuse a tunnel to port 80.
    const httpProxy = baseUrl.protocol === 'http:' ? proxy : undefined;
    this.name = name;
    this.ownPath = baseUrl.pathname.replace(/\/$/, '');
    this.host = baseUrl.host;
    this.basePath = httpProxy === undefined ? this.ownPath : `${baseUrl.origin}${this.ownPath}`;
    this.proxyHeaders = httpProxy === undefined ? [] : ['host', this.host, ...httpProxy.headers];
    this.responseTimeout = timeout.response ?? Number.POSITIVE_INFINITY;
    this.idleTimeout = timeout.idle ?? Number.POSITIVE_INFINITY;
    this.isIdleSet = timeout.isIdleSet === true;
    this.headLimit = headLimit;
    this.circuit = circuit;
    this.#origin = new URL(baseUrl.origin);
    this.#connect = createConnector({ tls, proxy, timeoutMs });
    const connect = httpProxy === undefined ? this.#connect : createProxyConnector(httpProxy, timeoutMs);
    const { maxAge } = connections;
    const first = httpProxy?.origin ?? this.#origin;
    const options = {
      connect,
      headersTimeout: timeout.response ?? 0,
      bodyTimeout: timeout.idle ?? 0,
      maxHeaderSize: headLimit,
    };
    this.pool = new undici.Pool(first, {
      ...options,
      ...(maxAge !== undefined && {
        factory: (origin: URL, given: object) => createAgedClient(origin, { ...given, connect, maxAgeMs: maxAge }),
      }),
    }).on('connect', (_origin, targets) => {
      this.#noteConnection();
      targets.forEach(tolerateUnaskedContinue);
      targets.forEach(keepTimer);
    });
    this.newConnections = new undici.Pool(first, { ...options, pipelining: 0 }).on('connect', (_origin, targets) => {
      targets.forEach(tolerateUnaskedContinue);
    });
  }

  /** True while the first request goes out on a connection of {@link pool} that was just made for it. */
  get isConnecting(): boolean {
    return this.#isConnecting;
  }

  /** undici emits `connect` and sends the first request on the connection in one go, before any microtask runs. */
  #noteConnection(): void {
    this.#isConnecting = true;
    queueMicrotask(() => {
      this.#isConnecting = false;
    });
  }

  /**
   * Opens a connection outside the pools, for a WebSocket; behind a proxy it is a tunnel.
   *
   * @throws {Error} of undici or Node, or a {@link ProxyError}
   */
  connect(): Promise<Socket> {
    const { host, hostname, protocol, port } = this.#origin;
    return new Promise((resolve, reject) => {
      this.#connect({ host, hostname: hostname.replace(/^\[|\]$/g, ''), protocol, port }, (error, socket) => {
        if (error === null) {
          resolve(socket);
        } else {
          reject(error);
        }
      });
    });
  }

  /** Ends each connection once no request is under way on it; to be called when no more requests come. */
  async close(): Promise<void> {
    await Promise.all([this.pool.close(), this.newConnections.close()]);
  }

  /** Ends the connections at once. */
  async destroy(): Promise<void> {
    await Promise.all([this.pool.destroy(), this.newConnections.destroy()]);
  }
}
