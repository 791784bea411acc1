import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as TlsServer } from 'node:tls';
import type { Socket } from 'node:net';
import type { Networks } from '../network/networks.ts';
import { Arrivals, type ArrivalsOptions } from './arrivals.ts';
import { Connection, type AnswerFault, type ParserError } from './connection.ts';
import { hasFreeDescriptor } from './file-descriptors.ts';

/** The limits of a server's connections. */
export interface ConnectionsOptions extends ArrivalsOptions {
  /** Milliseconds for which a caller may read nothing of an answer that is complete. Default: a minute. */
  readonly unreadTimeoutMs?: number | undefined;
  /** Called when the process has no file descriptor left for a new connection; once a minute at most. */
  readonly onDescriptorsExhausted?: (() => void) | undefined;
}

const UNREAD_TIMEOUT_MS = 60_000;

/** Milliseconds between two sweeps of all connections. */
const SWEEP_INTERVAL_MS = 1_000;

/** Milliseconds between two calls of `onDescriptorsExhausted`. */
const COMPLAINT_INTERVAL_MS = 60_000;

/**
 * The connections of one server: how many there are, which are idle, and whose caller stopped reading. One sweep a
 * second checks the times of all connections, so that no request pays for a timer.
 */
export class Connections {
  /** True once every answer ends its connection. */
  isClosing = false;
  readonly #server: Server;
  readonly #answerFault: AnswerFault;
  readonly #options: ConnectionsOptions;
  /** Further connections are closed at once, unanswered. */
  maxConnections: number;
  /** The only peers that may connect where a PROXY protocol header comes first; `undefined` for anyone, without one. */
  proxies: Networks | undefined;
  readonly #bySocket = new Map<Socket, Connection>();
  /** Only where something comes before HTTP. */
  readonly #arrivals: Arrivals | undefined;
  #complainedAt = Number.NEGATIVE_INFINITY;

  constructor(server: Server, answerFault: AnswerFault, options: ConnectionsOptions) {
    this.#server = server;
    this.#answerFault = answerFault;
    this.#options = options;
    this.maxConnections = options.maxConnections ?? Number.POSITIVE_INFINITY;
    this.proxies = options.proxies;
    const isSecure = server instanceof TlsServer;
    server.on(isSecure ? 'secureConnection' : 'connection', (socket: Socket) => this.#accept(socket));
    if (isSecure || options.proxies !== undefined) {
      this.#arrivals = new Arrivals(server, isSecure, this, options.onRefusedArrival);
    }
    server.on('clientError', (error: ParserError, socket: Socket) => {
      this.#bySocket.get(socket)?.receiveError(error);
    });
    server.on('timeout', (socket) => this.#endQuiet(socket));
    // listen() reports why listening failed; here a connection could not be accepted.
    server.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (server.listening && (code === 'EMFILE' || code === 'ENFILE')) {
        this.#complain();
      }
    });
    const sweeping = setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS).unref();
    server.on('close', () => clearInterval(sweeping));
  }

  /** All connections with their sockets. */
  get all(): Iterable<readonly [Socket, Connection]> {
    return this.#bySocket;
  }

  /** The sockets on which HTTP has not begun. */
  get arriving(): readonly Socket[] {
    return this.#arrivals?.sockets ?? [];
  }

  /** Notes that a request is answered on its connection. */
  begin({ socket }: IncomingMessage, res: ServerResponse): void {
    const connection = this.#bySocket.get(socket);
    if (connection !== undefined) {
      connection.response = res;
    }
    if (this.isClosing) {
      res.shouldKeepAlive = false;
    }
  }

  /** Makes each answer end its connection from now on, also an answer under way whose head is not sent yet. */
  startClosing(): void {
    this.isClosing = true;
    for (const { response } of this.#bySocket.values()) {
      if (response?.headersSent === false) {
        response.shouldKeepAlive = false;
      }
    }
  }

  /**
   * Breaks all of them off.
   *
   * @returns how many there were
   */
  destroy(): number {
    const sockets = [...this.arriving, ...this.#bySocket.keys()];
    for (const socket of sockets) {
      socket.destroy();
    }
    return sockets.length;
  }

  #accept(socket: Socket): void {
    // A connection whose request asked for another protocol is emitted again (http/upgrades.ts).
    const isNew = !this.#bySocket.has(socket);
    if (isNew && this.#bySocket.size >= this.maxConnections) {
      socket.destroy();
      return;
    }
    // Node remembers the address once it was read; of a connection that is over it can be read no more.
    void socket.remoteAddress;
    this.#bySocket.set(socket, new Connection(socket, this.#answerFault));
    if (isNew) {
      socket.once('close', () => this.#bySocket.delete(socket));
    }
  }

  /** Ends a quiet connection, unless it waits for its answer: the code that makes the answer has its own timeouts. */
  #endQuiet(socket: Socket): void {
    const connection = this.#bySocket.get(socket);
    const isUnused = connection?.isIdle === true && this.#server.keepAliveTimeout > 0;
    if (isUnused || connection?.isUnread !== false) {
      socket.destroy();
    }
  }

  #sweep(): void {
    const { unreadTimeoutMs = UNREAD_TIMEOUT_MS } = this.#options;
    for (const [socket, connection] of this.#bySocket) {
      if (connection.isUnread && socket.timeout !== unreadTimeoutMs) {
        // The time begins anew whenever the caller reads something.
        socket.setTimeout(unreadTimeoutMs);
      }
    }
    if (this.#options.onDescriptorsExhausted !== undefined && !hasFreeDescriptor()) {
      this.#complain();
    }
  }

  #complain(): void {
    const now = performance.now();
    if (now - this.#complainedAt >= COMPLAINT_INTERVAL_MS) {
      this.#complainedAt = now;
      this.#options.onDescriptorsExhausted?.();
    }
  }
}
