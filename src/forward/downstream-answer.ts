import { STATUS_CODES, type ServerResponse } from 'node:http';
import { errors, type Dispatcher } from 'undici';
import { CallerGone } from '../request/caller-gone.ts';
import { GatewayError } from '../failures.ts';
import { isDeadConnection, isOwnFault, toFailure } from './call-failure.ts';
import { Deferred } from './deferred.ts';
import type { Downstream } from './downstream.ts';
import { passInterimAnswer } from './interim-answer.ts';
import { UNASKED_CONTINUE } from './unasked-continue.ts';

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
const MAX_WAITING_BYTES = 64 * 1_024;

/** So many interim answers of one call pass; the rest is dropped. */
const MAX_INTERIM_ANSWERS = 100;

/** What a call to a downstream is part of. */
export interface AnswerSurroundings {
  readonly downstream: Pick<Downstream, 'circuit' | 'responseTimeout' | 'idleTimeout' | 'isConnecting'>;
  /** The caller's side, which hears interim answers at once. */
  readonly res: ServerResponse;
  /** Called once, when the head of the answer is here or when there will be none. */
  readonly onHead: () => void;
  /**
   * Sends the request once more, on a new connection; absent where that could do something twice.
   *
   * @returns false where its body is not at hand any more
   */
  readonly sendAgain: (() => boolean) | undefined;
}

/**
 * Receives one answer from undici; the callbacks come in the order in which they are written here.
 *
 * These are undici 7's older callbacks, on which it builds the newer ones: those cost two more objects a request and
 * parse the headers of the answer and its trailers into objects that nobody reads (measured: about
 * 0.5 to 1 µs of the 28 µs of a bare proxy). undici 7 marks them as deprecated and undici 8 has removed them: a move to
 * it rewrites this class for `onRequestStart`, `onResponseStart`, `onResponseData`, `onResponseEnd` and
 * `onResponseError`, with the raw headers of the controller, and with its `pause()` where a callback returns false.
 */
export class AnswerReceiver implements Dispatcher.DispatchHandler, DownstreamAnswer {
  status = 0;
  rawHeaders: readonly string[] = [];
  readonly #surroundings: AnswerSurroundings;
  readonly #started = new Deferred<DownstreamAnswer>();
  #abort: ((reason?: Error) => void) | undefined;
  #resume: () => void = () => {};
  #reason: string | undefined;
  #cancelled: Error | undefined;
  /** True when the request went out on a connection that had been used or waiting before. */
  #isOnKept = false;
  #wasSentAgain = false;
  #hasBegun = false;
  #interimAnswers = 0;
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

  /** True once undici has nothing more to say of the call. */
  get isOver(): boolean {
    return this.#ended || this.#failure !== undefined;
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
    this.#isOnKept = !this.#surroundings.downstream.isConnecting;
    if (this.#cancelled !== undefined) {
      abort(this.#cancelled);
    }
  }

  onResponseStarted(): void {
    this.#hasBegun = true;
  }

  /** While a request is being sent, its answer is not late: undici, too, begins its wait anew with each piece. */
  onBodySent(): void {
    this.#interimSince = undefined;
  }

  /** @returns true, because the body may come too */
  onHeaders(status: number, rawHeaders: readonly Buffer[], resume: () => void, reason: string): boolean {
    if (status === 101) {
      // Another protocol, for which nobody asked: what follows is no HTTP.
      this.#abort?.(new GatewayError('downstream_invalid_response', { log: { reason: '101 without an upgrade' } }));
      return true;
    }
    if (status < 200) {
      this.#boundInterim();
      this.#passInterim(status, rawHeaders);
      return true;
    }
    const { downstream, onHead } = this.#surroundings;
    downstream.circuit.recordSuccess();
    onHead();
    this.status = status;
    this.#reason = reason;
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
    return this.#waitingBytes <= MAX_WAITING_BYTES;
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
      this.#failure = this.#cancelled;
      this.#sink?.end();
      return;
    }
    if (this.#sendAgain(error)) {
      return;
    }
    const failure = toFailure(error);
    this.#failure = failure;
    if (this.#abort === undefined && !isOwnFault(error)) {
      // What goes wrong on a connection says nothing about other calls; that there is none does.
      this.#surroundings.downstream.circuit.recordFailure();
    }
    this.#refuse(failure);
    this.#sink?.fail(failure);
  }

  sendTo(res: ServerResponse, headers: string[]): Promise<void> | undefined {
    const reason = toReasonPhrase(this.status, this.#reason);
    if (reason === undefined) {
      res.writeHead(this.status, headers);
    } else {
      res.writeHead(this.status, reason, headers);
    }
    if (this.#ended) {
      endWith(res, this.#waiting);
      return undefined;
    }
    if (this.#failure !== undefined) {
      return Promise.reject(this.#failure);
    }
    this.#sink = new BodySink(res, this.#surroundings.downstream.idleTimeout, this.#resume);
    // Not flushHeaders(), which writes the head as UTF-8 (Node 20 to 26).
    res.write('', 'latin1');
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
    if (now - this.#interimSince > this.#surroundings.downstream.responseTimeout) {
      this.#abort?.(new errors.HeadersTimeoutError());
    }
  }

  #passInterim(status: number, rawHeaders: readonly Buffer[]): void {
    this.#interimAnswers += 1;
    const isWanted = status !== UNASKED_CONTINUE && this.#interimAnswers <= MAX_INTERIM_ANSWERS;
    if (isWanted && this.#cancelled === undefined) {
      passInterimAnswer(this.#surroundings.res, status, toTexts(rawHeaders));
    }
  }

  /** A kept connection may be closed by the other side just as the request goes out (RFC 9110 §9.2.2, RFC 9112 §9.3.1). */
  #sendAgain(error: Error): boolean {
    const isWorthIt = this.#isOnKept && !this.#hasBegun && !this.#wasSentAgain && isDeadConnection(error);
    if (!isWorthIt || this.#surroundings.sendAgain === undefined) {
      return false;
    }
    const abort = this.#abort;
    this.#wasSentAgain = true;
    this.#abort = undefined;
    this.#interimSince = undefined;
    const isUnderWay = this.#surroundings.sendAgain();
    if (!isUnderWay) {
      this.#abort = abort;
    }
    return isUnderWay;
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
const MAX_ONE_TEXT_BYTES = 8 * 1_024;

/** Ends an answer that is complete by now, as short ones are: no stream is needed. */
function endWith(res: ServerResponse, chunks: readonly Buffer[]): void {
  const [first] = chunks;
  const body = first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks);
  if (body.length <= MAX_ONE_TEXT_BYTES) {
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
  #isStalled = false;
  #patience: NodeJS.Timeout | undefined;

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
    if (!this.#isStalled) {
      this.#waitForDrain();
    }
    return false;
  }

  #waitForDrain(): void {
    this.#isStalled = true;
    if (Number.isFinite(this.#idleTimeout)) {
      this.#patience = setTimeout(() => this.#res.destroy(), this.#idleTimeout);
    }
    this.#res.once('drain', () => {
      clearTimeout(this.#patience);
      this.#isStalled = false;
      this.#resume();
    });
  }

  end(): void {
    clearTimeout(this.#patience);
    this.#res.end();
    this.#done.resolve();
  }

  fail(failure: Error): void {
    clearTimeout(this.#patience);
    this.#done.reject(failure);
  }
}

/** undici gives names and values as buffers, in Latin-1 as HTTP/1.1 has them. */
function toTexts(rawHeaders: readonly Buffer[]): string[] {
  return rawHeaders.map((part) => part.toString('latin1'));
}

/** What Node writes in a status line (RFC 9112 §4). */
const REASON_PHRASE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * The reason phrase of the downstream, byte for byte, as far as undici keeps it: it decodes UTF-8, and of a phrase that
 * comes in two pieces it keeps the second.
 *
 * @returns `undefined` for the usual phrase of a status
 */
function toReasonPhrase(status: number, reason = ''): string | undefined {
  const usual = STATUS_CODES[status];
  if (reason === usual || (reason !== '' && usual?.endsWith(reason) === true) || reason.includes('\ufffd')) {
    return undefined;
  }
  const bytes = Buffer.from(reason).toString('latin1');
  return REASON_PHRASE.test(bytes) ? bytes : undefined;
}
