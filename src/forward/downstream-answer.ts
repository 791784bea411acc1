import type { ServerResponse } from 'node:http';
import { errors, type Dispatcher } from 'undici';
import { GatewayError } from '../failures.ts';
import { CallerGone } from '../caller-gone.ts';
import { createDeferred } from './deferred.ts';

/** A downstream answers, and this is what it says; the body waits until someone wants it. */
export interface DownstreamAnswer {
  readonly status: number;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  /**
   * Streams the body to the caller, as fast as the caller reads.
   *
   * @throws {GatewayError} when the downstream breaks off; the caller's connection must then break too
   */
  sendTo(res: ServerResponse, headers: string[]): Promise<void> | undefined;
  /** Lets the answer go unread. */
  discard(): void;
}

/** While nobody reads yet, this many bytes may wait here. */
const WAITING_AT_MOST = 64 * 1_024;

/** Receives one answer from undici; the callbacks come in the order in which they are written here. */
export class AnswerReceiver implements Dispatcher.DispatchHandler, DownstreamAnswer {
  status = 0;
  rawHeaders: readonly string[] = [];
  readonly #idleTimeout: number;
  readonly #started = createDeferred<DownstreamAnswer>();
  #controller: Dispatcher.DispatchController | undefined;
  #cancelled: Error | undefined;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #ended = false;
  #failure: Error | undefined;
  #sink: BodySink | undefined;

  /** @param idleTimeout milliseconds for which a caller may stop reading */
  constructor(idleTimeout: number) {
    this.#idleTimeout = idleTimeout;
  }

  /** False while not even a connection was had. */
  get wasReached(): boolean {
    return this.#controller !== undefined;
  }

  /** Resolves when the headers are here. */
  get started(): Promise<DownstreamAnswer> {
    return this.#started.promise;
  }

  /** Cancels the call: the caller left, or sends no more. */
  cancel(reason: Error): void {
    this.#cancelled ??= reason;
    this.#controller?.abort(reason);
    this.#started.reject(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#cancelled !== undefined) {
      controller.abort(this.#cancelled);
    }
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200) {
      return;
    }
    this.status = status;
    this.rawHeaders = toTexts(controller.rawHeaders);
    this.#started.resolve(this);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#sink !== undefined) {
      this.#sink.write(chunk, controller);
      return;
    }
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes > WAITING_AT_MOST) {
      controller.pause();
    }
  }

  onResponseEnd(): void {
    this.#ended = true;
    this.#sink?.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#cancelled !== undefined) {
      this.#sink?.end();
      return;
    }
    this.#failure = toFailure(error);
    this.#started.reject(this.#failure);
    this.#sink?.fail(this.#failure);
  }

  sendTo(res: ServerResponse, headers: string[]): Promise<void> | undefined {
    res.writeHead(this.status, headers);
    if (this.#ended) {
      // Short answers are complete by now, so they need no stream at all.
      res.end(this.#waiting.length === 1 ? this.#waiting[0] : Buffer.concat(this.#waiting));
      return undefined;
    }
    const controller = this.#controller;
    if (this.#failure !== undefined || controller === undefined) {
      return Promise.reject(this.#failure ?? new GatewayError('downstream_unreachable'));
    }
    this.#sink = new BodySink(res, this.#idleTimeout);
    res.flushHeaders();
    for (const chunk of this.#waiting) {
      this.#sink.write(chunk, controller);
    }
    this.#waiting = [];
    if (!res.writableNeedDrain) {
      controller.resume();
    }
    return this.#sink.done;
  }

  discard(): void {
    this.cancel(new CallerGone());
  }
}

/** The caller's side of a body that streams. */
class BodySink {
  readonly #res: ServerResponse;
  readonly #idleTimeout: number;
  readonly #done = createDeferred<void>();
  #stalled: NodeJS.Timeout | undefined;

  constructor(res: ServerResponse, idleTimeout: number) {
    this.#res = res;
    this.#idleTimeout = idleTimeout;
  }

  get done(): Promise<void> {
    return this.#done.promise;
  }

  write(chunk: Buffer, controller: Dispatcher.DispatchController): void {
    if (this.#res.write(chunk) || this.#stalled !== undefined) {
      return;
    }
    controller.pause();
    this.#stalled = setTimeout(() => this.#res.destroy(), this.#idleTimeout);
    this.#res.once('drain', () => {
      clearTimeout(this.#stalled);
      this.#stalled = undefined;
      controller.resume();
    });
  }

  end(): void {
    clearTimeout(this.#stalled);
    this.#res.end();
    this.#done.resolve();
  }

  fail(failure: Error): void {
    clearTimeout(this.#stalled);
    this.#done.reject(failure);
  }
}

/** undici gives names and values as buffers, in Latin-1 as HTTP/1.1 has them. */
function toTexts(rawHeaders: Dispatcher.DispatchController['rawHeaders']): string[] {
  return Array.isArray(rawHeaders) ? rawHeaders.map((part) => part.toString('latin1')) : [];
}

/** Whose fault it is that no answer came, or that it broke off. */
function toFailure(error: Error): Error {
  if (error instanceof GatewayError || error instanceof CallerGone) {
    return error;
  }
  if (error instanceof errors.InvalidArgumentError || error instanceof errors.NotSupportedError) {
    return new GatewayError('internal_error', { cause: error });
  }
  const log = { reason: 'code' in error ? String(error.code) : error.name };
  const isTimeout =
    error instanceof errors.ConnectTimeoutError ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError;
  return new GatewayError(isTimeout ? 'downstream_timeout' : 'downstream_unreachable', { log, cause: error });
}
