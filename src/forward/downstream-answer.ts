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

/** Answers that have no body, whatever their headers announce. */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

/** While nobody reads yet, this many bytes may wait here. */
const WAITING_AT_MOST = 64 * 1_024;

/** What a call to a downstream is part of. */
export interface AnswerSurroundings {
  /** Is told whether the downstream could be reached. */
  readonly circuit: Circuit;
  /** Milliseconds for which the downstream, once it has the request, may send interim answers (1xx) and nothing else. */
  readonly responseTimeout: number;
  /** Milliseconds for which a caller may stop reading. */
  readonly idleTimeout: number;
  /** Is told once that the head of the answer is here, or that there will be none. */
  readonly onHead: () => void;
}

/**
 * Receives one answer from undici; the callbacks come in the order in which they are written here.
 *
 * These are undici 7's older callbacks, on which it builds the newer ones: those cost two more objects a request and
 * parse the headers of the answer and its trailers into objects that nobody reads (measured: about
 * 0.5 to 1 µs of the 28 µs of a bare proxy).
 */
export class AnswerReceiver implements Dispatcher.DispatchHandler, DownstreamAnswer {
  status = 0;
  rawHeaders: readonly string[] = [];
  readonly #surroundings: AnswerSurroundings;
  readonly #started = new Deferred<DownstreamAnswer>();
  #abort: ((reason?: Error) => void) | undefined;
  #resume: () => void = () => {};
  #cancelled: Error | undefined;
  /** When the first interim answer since the last piece of the request came. */
  #interimSince: number | undefined;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #ended = false;
  #failure: Error | undefined;
  #sink: BodySink | undefined;

  constructor(surroundings: AnswerSurroundings) {
    this.#surroundings = surroundings;
  }

  /** Resolves when the headers are here. */
  get started(): Promise<DownstreamAnswer> {
    return this.#started.promise;
  }

  /** Cancels the call: the caller left, or sends no more. */
  cancel(reason: Error): void {
    this.#cancelled ??= reason;
    this.#abort?.(reason);
    this.#refuse(reason);
  }

  onConnect(abort: (reason?: Error) => void): void {
    this.#abort = abort;
    if (this.#cancelled !== undefined) {
      abort(this.#cancelled);
    }
  }

  /** While a request is being sent, its answer is not late: undici, too, begins its wait anew with each piece. */
  onBodySent(): void {
    this.#interimSince = undefined;
  }

  /** @returns true, because the body may come too */
  onHeaders(status: number, rawHeaders: readonly Buffer[], resume: () => void): boolean {
    if (status < 200) {
      this.#boundInterim();
      return true;
    }
    const { circuit, onHead } = this.#surroundings;
    circuit.recordSuccess();
    onHead();
    this.status = status;
    this.rawHeaders = toTexts(rawHeaders);
    this.#resume = resume;
    this.#started.resolve(this);
    return true;
  }

  /** @returns false to hear no more until it is resumed */
  onData(chunk: Buffer): boolean {
    if (this.#sink !== undefined) {
      return this.#sink.write(chunk);
    }
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    return this.#waitingBytes <= WAITING_AT_MOST;
  }

  onComplete(): void {
    this.#ended = true;
    this.#sink?.end();
  }

  onError(error: Error): void {
    if (BODILESS.has(this.status) && error instanceof errors.ResponseContentLengthMismatchError) {
      // The length is that of the body which another answer would have (RFC 9110 §8.6); undici waits for it.
      this.onComplete();
      return;
    }
    if (this.#cancelled !== undefined) {
      this.#sink?.end();
      return;
    }
    const failure = toFailure(error);
    this.#failure = failure;
    if (this.#abort === undefined) {
      // What goes wrong on a connection says nothing about other calls; that there is none does.
      this.#surroundings.circuit.recordFailure();
    }
    this.#refuse(failure);
    this.#sink?.fail(failure);
  }

  sendTo(res: ServerResponse, headers: string[]): Promise<void> | undefined {
    res.writeHead(this.status, headers);
    if (this.#ended) {
      endWith(res, this.#waiting);
      return undefined;
    }
    if (this.#failure !== undefined) {
      return Promise.reject(this.#failure);
    }
    this.#sink = new BodySink(res, this.#surroundings.idleTimeout, this.#resume);
    res.flushHeaders();
    for (const chunk of this.#waiting) {
      this.#sink.write(chunk);
    }
    this.#waiting = [];
    if (!res.writableNeedDrain) {
      this.#resume();
    }
    return this.#sink.done;
  }

  discard(): void {
    this.cancel(new CallerGone());
  }

  /** undici begins its wait for the head anew with each interim answer, so that it could go on for ever. */
  #boundInterim(): void {
    const now = performance.now();
    this.#interimSince ??= now;
    if (now - this.#interimSince > this.#surroundings.responseTimeout) {
      this.#abort?.(new errors.HeadersTimeoutError());
    }
  }

  #refuse(reason: Error): void {
    if (this.status === 0) {
      this.#surroundings.onHead();
      this.#started.reject(reason);
    }
  }
}

/**
 * Up to so many bytes, head and body go out as one text: copying costs less than a second buffer for the kernel to
 * gather (measured: about 0.5 µs a request).
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
  readonly #resume: () => void;
  readonly #done = new Deferred<void>();
  #stalled: NodeJS.Timeout | undefined;

  constructor(res: ServerResponse, idleTimeout: number, resume: () => void) {
    this.#res = res;
    this.#idleTimeout = idleTimeout;
    this.#resume = resume;
  }

  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** @returns false while the caller does not read */
  write(chunk: Buffer): boolean {
    if (this.#res.write(chunk)) {
      return true;
    }
    this.#stalled ??= this.#waitForDrain();
    return false;
  }

  #waitForDrain(): NodeJS.Timeout | undefined {
    this.#res.once('drain', () => {
      clearTimeout(this.#stalled);
      this.#stalled = undefined;
      this.#resume();
    });
    return Number.isFinite(this.#idleTimeout) ? setTimeout(() => this.#res.destroy(), this.#idleTimeout) : undefined;
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
function toTexts(rawHeaders: readonly Buffer[]): string[] {
  return rawHeaders.map((part) => part.toString('latin1'));
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
