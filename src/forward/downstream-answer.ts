import type { ServerResponse } from 'node:http';
import { errors, type Dispatcher } from 'undici';
import type { Circuit } from '../circuit.ts';
import { GatewayError } from '../failures.ts';
import { CallerGone } from '../caller-gone.ts';
import { Deferred } from './deferred.ts';

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
  readonly #circuit: Circuit;
  readonly #idleTimeout: number;
  readonly #started = new Deferred<DownstreamAnswer>();
  #controller: Dispatcher.DispatchController | undefined;
  #cancelled: Error | undefined;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #ended = false;
  #failure: Error | undefined;
  #sink: BodySink | undefined;

  /**
   * @param downstream.circuit is told whether the downstream could be reached
   * @param downstream.idleTimeout milliseconds for which a caller may stop reading
   */
  constructor({ circuit, idleTimeout }: { readonly circuit: Circuit; readonly idleTimeout: number }) {
    this.#circuit = circuit;
    this.#idleTimeout = idleTimeout;
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
    this.#circuit.recordSuccess();
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
    if (this.#controller === undefined) {
      // What goes wrong on a connection says nothing about other calls; that there is none does.
      this.#circuit.recordFailure();
    }
    this.#started.reject(this.#failure);
    this.#sink?.fail(this.#failure);
  }

  sendTo(res: ServerResponse, headers: string[]): Promise<void> | undefined {
    res.writeHead(this.status, headers);
    if (this.#ended) {
      endWith(res, this.#waiting);
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

/**
 * Up to so many bytes, head and body go out as one text: copying costs less than a second buffer for the kernel to
 * gather (measured).
 */
const ONE_TEXT_UP_TO = 8 * 1_024;

/** Ends an answer that is complete by now, as short ones are: no stream is needed. */
function endWith(res: ServerResponse, chunks: readonly Buffer[]): void {
  const [first] = chunks;
  const body = first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks);
  if (body.length <= ONE_TEXT_UP_TO) {
    res.end(body.toString('latin1'), 'latin1');
  } else {
    res.end(body);
  }
}

/** The caller's side of a body that streams. */
class BodySink {
  readonly #res: ServerResponse;
  readonly #idleTimeout: number;
  readonly #done = new Deferred<void>();
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
