import { createServer, IncomingMessage, ServerResponse, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import express, { type Application } from 'express';
import { readTarget } from '../receive.ts';
import { ListenError } from './listen-error.ts';

/** A parser's complaint about bytes that are no request. */
export type ParserFault = 'headers_too_large' | 'request_timeout' | 'invalid_request';

/** Milliseconds in which the head of a request must be here; a slower client is holding a connection hostage. */
const HEAD_TIMEOUT = 30_000;

/** Milliseconds; longer than the minute of common load balancers, which otherwise meet connections just closed. */
const KEEP_ALIVE = 65_000;

/** Bytes of a request's line and headers. */
const LARGEST_HEAD = 16 * 1_024;

/** Milliseconds that a caller may go on sending a body that nobody wants, so that it can still read its answer. */
const LINGER = 5_000;

/** Makes an Express application and the server that listens for it. */
export function createAppServer(onParserFault: (socket: Socket, fault: ParserFault, head: string) => void): {
  readonly app: Application;
  readonly server: Server;
} {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  const handle = app as unknown as (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;
  const listener: RequestListener = (req, res) => {
    if (req.url?.startsWith('/') !== true) {
      // Express cannot route the absolute form.
      const { path, query } = readTarget(req.url ?? '');
      req.url = path + query;
    }
    // Express' own last words would be a page, with a stack.
    handle(req, res, (error) => answerBarely(res, error === undefined ? 404 : 500));
  };
  const server = createServer(
    {
      maxHeaderSize: LARGEST_HEAD,
      headersTimeout: HEAD_TIMEOUT,
      // Uploads may take as long as they keep moving.
      requestTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE,
      // Hosts are counted by the journey, so that the answer is one of ours.
      requireHostHeader: false,
    },
    listener,
  );
  // Node drops headers past the limit in silence; without a limit they can be counted.
  server.maxHeadersCount = 0;
  server.on('checkContinue', listener);
  server.on('checkExpectation', listener);
  watchConnections(server, onParserFault);
  server.on('connect', (_req, socket: Socket) => {
    // Node lets go of a socket that asked for a tunnel, so its errors and its end are ours.
    socket.on('error', () => socket.destroy());
    onParserFault(socket, 'invalid_request', '');
    socket.destroySoon();
  });
  return { app, server };
}

/**
 * Lets requests and responses keep the prototypes they are born with, so without what Express adds to them.
 *
 * Express gives every request and response another prototype, which throws away what the engine learned about them.
 * Where the application's prototypes are Node's own, that changes nothing (measured on one core, all told: 19 µs for a
 * hello-world request as without Express; 110 µs with prototypes of our own given at birth).
 */
export function keepNativePrototypes(app: Application): void {
  Object.assign(app, { request: IncomingMessage.prototype, response: ServerResponse.prototype });
}

function answerBarely(res: ServerResponse, status: number): void {
  if (res.headersSent) {
    res.destroy();
  } else {
    res.writeHead(status).end();
  }
}

/**
 * Closes connections that are idle for too long, and answers bytes that are no request, unless an answer is on its way
 * that this would garble.
 */
function watchConnections(
  server: Server,
  onParserFault: (socket: Socket, fault: ParserFault, head: string) => void,
): void {
  const latest = new WeakMap<Socket, ServerResponse>();
  for (const event of ['request', 'checkContinue', 'checkExpectation']) {
    server.prependListener(event, (req: IncomingMessage, res: ServerResponse) => {
      const { socket } = req;
      latest.set(socket, res);
    });
  }
  server.on('timeout', (socket) => {
    // A quiet connection may be waiting for its answer; the code that makes the answer has its own clocks.
    if (underWay(socket) === undefined) {
      socket.destroy();
    }
  });
  server.on('clientError', (error: NodeJS.ErrnoException & { readonly rawPacket?: Buffer }, socket: Socket) => {
    const res = underWay(socket);
    if (res !== undefined && (res.headersSent || res.req.complete)) {
      res.once('close', () => socket.destroySoon());
      return;
    }
    if (socket.writable) {
      onParserFault(socket, nameFault(error.code), error.rawPacket?.toString('latin1') ?? '');
    }
    socket.destroySoon();
  });

  function underWay(socket: Socket): ServerResponse | undefined {
    const res = latest.get(socket);
    return res?.closed === false ? res : undefined;
  }
}

function nameFault(code: string | undefined): ParserFault {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return 'headers_too_large';
  }
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request_timeout' : 'invalid_request';
}

/**
 * Reads the rest of a body that the answer did not wait for, for a moment, because a connection that closes with unread
 * bytes can take the answer with it.
 */
export function lingerOverBody(req: IncomingMessage): void {
  if (req.complete || req.destroyed) {
    return;
  }
  const discard = (): void => {
    while (req.read() !== null) {
      // Nobody wants it.
    }
  };
  // resume() would do nothing while an earlier reader's listener is there.
  req.on('readable', discard);
  discard();
  const timer = setTimeout(() => req.destroy(), LINGER);
  timer.unref();
  req.once('close', () => clearTimeout(timer));
}

/**
 * Starts to listen.
 *
 * @param key the key of gateway.yaml that a taken port is named by
 * @throws {ListenError} when the port or the host cannot be had
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

/**
 * Stops listening, lets the requests in flight finish, and closes what is left after a time.
 *
 * @param timeout milliseconds
 */
export async function drain(server: Server, timeout: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection becomes idle when its last answer is out; Node itself would keep it for some seconds more.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const deadline = setTimeout(() => server.closeAllConnections(), timeout);
  await closed;
  clearInterval(sweep);
  clearTimeout(deadline);
}
