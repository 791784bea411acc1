import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Networks } from '../network/networks.ts';
import { readTarget } from '../request/receive.ts';
import { LINGER_MS, type AnswerFault } from './connection.ts';
import { Connections, type ConnectionsOptions } from './connections.ts';
import { ListenError } from './listen-error.ts';
import type { ListenerTls } from './listener-tls.ts';
import { takeUpgrades } from './upgrades.ts';

/** The options of a server; each has a default. */
export interface HttpServerOptions extends ConnectionsOptions {
  /** Bytes of a request's line and headers. Default: 16 kB. */
  readonly headLimitBytes?: number | undefined;
  /** Milliseconds for which a connection may wait for its next request; 0 for any time. Default: 65 s. */
  readonly keepAliveMs?: number | undefined;
  /** The certificate and the rest of TLS, already opened. Default: no TLS. */
  readonly tls?: ListenerTls | undefined;
}

/** The limits that can change while a server listens. */
export interface AdaptableLimits {
  readonly keepAliveMs: number;
  readonly maxConnections: number;
  /** Counts only where the server was made with some. */
  readonly proxies: Networks | undefined;
}

/** A server and its connections. */
export interface HttpServer {
  readonly server: Server;
  readonly connections: Connections;
  /** Changes limits; connections that are open are not closed for it. */
  adapt(limits: AdaptableLimits): void;
}

/** Milliseconds in which the head of a request must arrive: a slower client only keeps a connection from others. */
const HEAD_TIMEOUT_MS = 30_000;

/** Milliseconds; longer than the minute of common load balancers, which would otherwise use connections just closed. */
const KEEP_ALIVE_MS = 65_000;

const HEAD_LIMIT_BYTES = 16 * 1_024;

/**
 * Node's parser gives up only at this many times the limit: up to there a head is read to its end, so that the answer
 * can say what in it is too long, and the connection stays open.
 */
const PARSER_SLACK = 2;

/**
 * Spares a request without a body the life of a stream: its stream is at its end from the start, and emits nothing.
 * Newer versions of Node than 20 have this option.
 */
const NO_EMPTY_STREAMS = { optimizeEmptyRequests: true } as const;

/**
 * Makes a server of callers or of operators.
 *
 * @param handle answers each request, and never throws: a request for which it does is a 500 without a body; its `url` begins with a slash, also where the request line has the absolute form
 * @param answerFault answers bytes that cannot be read as a request
 */
export function createHttpServer(
  handle: RequestListener,
  answerFault: AnswerFault,
  options: HttpServerOptions = {},
): HttpServer {
  const { headLimitBytes = HEAD_LIMIT_BYTES, keepAliveMs = KEEP_ALIVE_MS } = options;
  const listener: RequestListener = (req, res) => {
    connections.begin(req, res);
    if (req.url?.startsWith('/') !== true) {
      const { path, query } = readTarget(req.url ?? '');
      req.url = path + query;
    }
    try {
      handle(req, res);
    } catch {
      answerBarely(res, 500);
    }
  };
  const http: ServerOptions = {
    maxHeaderSize: PARSER_SLACK * headLimitBytes,
    headersTimeout: HEAD_TIMEOUT_MS,
    // Uploads may take as long as they keep moving.
    requestTimeout: 0,
    keepAliveTimeout: keepAliveMs,
    // `receive` checks the Host header, so that a refusal is one of ours.
    requireHostHeader: false,
    ...NO_EMPTY_STREAMS,
  };
  const server = createListener(http, listener, options.tls);
  const connections = new Connections(server, answerFault, options);
  // Node drops headers past the limit in silence; without a limit they can be counted.
  server.maxHeadersCount = 0;
  server.on('checkContinue', listener);
  server.on('checkExpectation', listener);
  takeUpgrades(server);
  server.on('connect', (_req, socket: Socket) => {
    // Node hands over the socket of a CONNECT, so its errors and its end have to be handled here.
    socket.on('error', () => socket.destroy());
    answerFault(socket, 'invalid_request', '');
    socket.destroySoon();
  });
  return {
    server,
    connections,
    adapt({ keepAliveMs: idleMs, maxConnections, proxies }) {
      server.keepAliveTimeout = idleMs;
      connections.maxConnections = maxConnections;
      connections.proxies = proxies;
    },
  };
}

function createListener(options: ServerOptions, listener: RequestListener, tls: ListenerTls | undefined): Server {
  if (tls === undefined) {
    return createServer(options, listener);
  }
  const server = createSecureServer({ ...options, ...tls.options }, listener);
  tls.follow(server);
  return server;
}

/** Answers with nothing but a status; breaks off an answer that began. */
export function answerBarely(res: ServerResponse, status: number): void {
  if (res.headersSent) {
    res.destroy();
  } else {
    res.writeHead(status).end();
  }
}

/**
 * Reads, for a moment, the rest of a body that the answer did not wait for, because a connection that closes with
 * unread bytes can take the answer with it.
 */
export function lingerOverBody(req: IncomingMessage): void {
  if (req.complete || req.destroyed) {
    return;
  }
  const discard = (): void => {
    while (req.read() !== null) {
      // The bytes are dropped.
    }
  };
  // resume() would do nothing while an earlier reader's listener is there.
  req.on('readable', discard);
  discard();
  const timer = setTimeout(() => req.destroy(), LINGER_MS);
  timer.unref();
  req.once('close', () => clearTimeout(timer));
}

/**
 * Starts to listen.
 *
 * @param key the key of gateway.yaml that the error names
 * @throws {ListenError} when the port is taken, or the host or the port cannot be used
 */
export function listen(server: Server, host: string, port: number, key: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${error.code})`;
      reject(new ListenError(`${key} ${port} on ${host} ${why}`));
    });
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}
