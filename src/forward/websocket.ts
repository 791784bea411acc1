import {
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CallerGone } from '../request/caller-gone.ts';
import type { GatewayError } from '../failures.ts';
import { isOwnFault, toFailure } from './call-failure.ts';
import type { DownstreamAnswer } from './downstream-answer.ts';
import { createDownstreamFailure } from './downstream-failure.ts';
import { requireReachable, type DownstreamCall } from './forward.ts';
import { joinSockets } from './join-sockets.ts';
import { undici } from '../network/undici.ts';

/**
 * Asks a downstream for a WebSocket, on a connection of its own, and waits for the head of the answer. Only a 101 for a
 * WebSocket opens the tunnel; any other answer is an ordinary one.
 *
 * @throws {GatewayError} `downstream_unreachable`, `downstream_timeout`, `downstream_unavailable`,
 *   `downstream_invalid_response`
 * @throws {CallerGone} when nobody waits for the answer any more
 */
export async function openWebSocket(
  res: ServerResponse,
  { downstream, path, query, headers, timeouts, onHead }: Omit<DownstreamCall, 'method' | 'body'>,
): Promise<DownstreamAnswer> {
  requireReachable(res, downstream);
  const { circuit, headLimit } = downstream;
  const { responseMs: responseTimeout = downstream.responseTimeout, idleMs: idleTimeout = downstream.idleTimeout } =
    timeouts ?? {};
  try {
    const socket = await downstream.connect().catch((error: Error) => {
      if (!isOwnFault(error)) {
        circuit.recordFailure();
      }
      throw error;
    });
    if (res.closed) {
      socket.on('error', () => {}).destroy();
      throw new CallerGone();
    }
    const request = send(socket, {
      path: `${downstream.ownPath}${path}${query}`,
      headers: ['host', downstream.host, ...headers, 'connection', 'Upgrade', 'upgrade', 'websocket'],
      maxHeaderSize: headLimit,
    });
    const answer = await readAnswer(request, { res, responseTimeout, idleTimeout });
    circuit.recordSuccess();
    return answer;
  } catch (error) {
    throw toFailure(error as Error);
  } finally {
    onHead();
  }
}

function send(socket: Socket, options: RequestOptions): ClientRequest {
  try {
    return httpRequest({ method: 'GET', ...options, createConnection: () => socket });
  } catch (error) {
    socket.on('error', () => {}).destroy();
    throw error;
  }
}

interface Waiting {
  readonly res: ServerResponse;
  /** Milliseconds; may be infinite. */
  readonly responseTimeout: number;
  /** Milliseconds; may be infinite. */
  readonly idleTimeout: number;
}

function readAnswer(request: ClientRequest, { res, responseTimeout, idleTimeout }: Waiting): Promise<DownstreamAnswer> {
  return new Promise<DownstreamAnswer>((resolve, reject) => {
    const timer = Number.isFinite(responseTimeout)
      ? setTimeout(() => request.destroy(new undici.errors.HeadersTimeoutError()), responseTimeout)
      : undefined;
    const leave = (): unknown => request.destroy(new CallerGone());
    res.once('close', leave);
    request
      .once('upgrade', (head: IncomingMessage, socket: Socket, early: Buffer) => {
        if (head.headers.upgrade?.toLowerCase() !== 'websocket') {
          socket.on('error', () => {}).destroy();
          settle(() => reject(unasked()));
          return;
        }
        socket.unshift(early);
        settle(() => resolve(new Tunnel(head, socket, idleTimeout)));
      })
      .once('response', (message: IncomingMessage) => {
        // Node reports a 101 that lacks its headers as an ordinary answer.
        if (message.statusCode === 101) {
          message.destroy();
          settle(() => reject(unasked()));
          return;
        }
        settle(() => resolve(new OrdinaryAnswer(message, idleTimeout)));
      })
      .on('error', (error: NodeJS.ErrnoException) => settle(() => reject(isNoHttp(error) ? invalid(error) : error)))
      .end();

    function settle(outcome: () => void): void {
      clearTimeout(timer);
      res.off('close', leave);
      outcome();
    }
  });
}

function isNoHttp({ code }: NodeJS.ErrnoException): boolean {
  return code?.startsWith('HPE_') === true;
}

function invalid(cause: NodeJS.ErrnoException): GatewayError {
  return createDownstreamFailure('downstream_invalid_response', cause.code, { cause });
}

function unasked(): GatewayError {
  return createDownstreamFailure('downstream_invalid_response', '101 without a WebSocket');
}

/** A 101: once it is passed on, the two connections are one. */
class Tunnel implements DownstreamAnswer {
  readonly status = 101;
  readonly rawHeaders: readonly string[];
  readonly #socket: Socket;
  readonly #idleTimeout: number;

  constructor({ rawHeaders }: IncomingMessage, socket: Socket, idleTimeout: number) {
    // A 1xx has no length (RFC 9110 §8.6), whatever its headers say.
    this.rawHeaders = rawHeaders.filter(
      (_, index) => rawHeaders[index - (index % 2)]?.toLowerCase() !== 'content-length',
    );
    this.#socket = socket;
    this.#idleTimeout = idleTimeout;
    // Until the caller has its answer nobody else listens, and an error without a listener would end the process.
    socket.on('error', () => socket.destroy());
  }

  sendTo(res: ServerResponse, headers: string[]): undefined {
    const { socket } = res;
    if (socket === null || socket.destroyed) {
      this.discard();
      return;
    }
    res.writeHead(this.status, [...headers, 'connection', 'Upgrade', 'upgrade', 'websocket']);
    res.end();
    joinSockets(socket, this.#socket, this.#idleTimeout);
  }

  /** What is spoken on the connection from now on. */
  read(): Readable {
    return this.#socket;
  }

  discard(): void {
    this.#socket.destroy();
  }
}

/** Any answer but a 101, such as a refusal. */
class OrdinaryAnswer implements DownstreamAnswer {
  readonly status: number;
  readonly rawHeaders: readonly string[];
  readonly #message: IncomingMessage;

  constructor(message: IncomingMessage, idleTimeout: number) {
    this.status = message.statusCode ?? 502;
    this.rawHeaders = message.rawHeaders;
    this.#message = message;
    if (Number.isFinite(idleTimeout)) {
      message.setTimeout(idleTimeout, () => message.destroy(new undici.errors.BodyTimeoutError()));
    }
  }

  async sendTo(res: ServerResponse, headers: string[]): Promise<void> {
    res.writeHead(this.status, headers);
    try {
      await pipeline(this.#message, res);
    } catch (error) {
      // A premature close is the caller's: a downstream that breaks off causes another error.
      const isCallers = (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE';
      throw isCallers ? new CallerGone() : toFailure(error as Error);
    }
  }

  read(): Readable {
    return this.#message;
  }

  discard(): void {
    this.#message.on('error', () => {}).destroy();
  }
}
