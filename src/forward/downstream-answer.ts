import { ServerResponse, STATUS_CODES } from 'node:http';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { CallerGone } from '../request/caller-gone.ts';
import { afterTurn } from '../runtime/after-turn.ts';
import { countPassedBytes } from '../runtime/v8-heap.ts';
import { writeHead } from '../runtime/write-head.ts';
import { BODILESS } from '../syntax/http-syntax.ts';
import { isDeadConnection, isOwnFault, toFailure } from './call-failure.ts';
import { Deferred } from './deferred.ts';
import type { Downstream, Timeouts } from './downstream.ts';
import { createDownstreamFailure } from './downstream-failure.ts';
import { BodySink, type Sink } from './body-sink.ts';
import { passInterimAnswer } from './interim-answer.ts';
import { findHeaders } from './response-headers.ts';
import { UNASKED_CONTINUE } from './unasked-continue.ts';
import { undici } from '../network/undici.ts';

/** The answer of a downstream. Its head is here; its body waits until it is sent on or discarded. */
export interface DownstreamAnswer {
  readonly status: number;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  /**
   * Streams the body to the caller, as fast as the caller reads.
   *
   * @returns `undefined` when there is nothing to wait for
   * @throws {GatewayError} when the downstream breaks off; the caller's connection must then break too
   */
  sendTo(res: ServerResponse, headers: string[]): Promise<void> | undefined;
  /**
   * Gives the body as a stream, as fast as it is read; destroying the stream cancels the call, and so does a reader that
   * takes nothing for the idle time.
   *
   * @param toError makes what the stream fails with, of a {@link GatewayError} when the downstream breaks off, or of
   *   whatever else ends it early; default the same
   */
  read(toError?: (error: Error) => Error): Readable;
  /** Drops the answer without reading its body. */
  discard(): void;
}

/** Bytes of a body that may wait here before the caller reads it. */
const MAX_WAITING_BYTES = 64 * 1_024;

/** Interim answers of one call that pass; further ones are dropped. */
const MAX_INTERIM_ANSWERS = 100;

/** What the answer to a call has to do with: its downstream, its caller and its request. */
export interface AnswerSurroundings {
  readonly downstream: Pick<Downstream, 'circuit' | 'responseTimeout' | 'idleTimeout' | 'isConnecting'>;
  /** What counts in the place of the downstream's times. */
  readonly timeouts?: Timeouts | undefined;
  /** True where undici watches no body, and only one that is no event stream ends for being silent; default false. */
  readonly endlessStreams?: boolean;
  /** The response to the caller, which gets interim answers at once; absent where nobody waits for these. */
  readonly res?: ServerResponse | undefined;
  /** Called once, when the head of the answer is here or when there will be none. */
  readonly onHead: () => void;
  /**
   * Sends the request once more, on a new connection; absent where that could do something twice.
   *
   * @returns false when its body is not available any more
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
  #sink: Sink | undefined;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(surroundings: AnswerSurroundings) {
    this.#surroundings = surroundings;
  }

  /** True once the call is over and no callback follows. */
  get isOver(): boolean {
    return this.#ended || this.#failure !== undefined;
  }

  /** Resolves when the headers are here. */
  get started(): Promise<DownstreamAnswer> {
    return this.#started.promise;
  }

  /** Cancels the call, because the caller left or stopped sending. */
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

  /** An answer is not late while its request is still being sent: undici, too, restarts its wait with each piece. */
  onBodySent(): void {
    this.#interimSince = undefined;
  }

  /** @returns true, so that undici goes on to the body */
  onHeaders(status: number, rawHeaders: readonly Buffer[], resume: () => void, reason: string): boolean {
    if (status === 101) {
      // The downstream changed to a protocol that nobody asked for: what follows is not HTTP.
      this.#abort?.(createDownstreamFailure('downstream_invalid_response', '101 without an upgrade'));
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
    if (this.#surroundings.endlessStreams === true && !isEventStream(this.rawHeaders)) {
      this.#watchIdle();
    }
    this.#started.resolve(this);
    return true;
  }

  /** @returns false to get no more data until it is resumed */
  onData(chunk: Buffer): boolean {
    this.#idleTimer?.refresh();
    countPassedBytes(chunk.length);
    if (this.#sink !== undefined) {
      return this.#sink.write(chunk);
    }
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    return this.#waitingBytes <= MAX_WAITING_BYTES;
  }

  onComplete(): void {
    clearTimeout(this.#idleTimer);
    this.#ended = true;
    this.#sink?.end();
  }

  onError(error: Error): void {
    clearTimeout(this.#idleTimer);
    if (BODILESS.has(this.status) && error instanceof undici.errors.ResponseContentLengthMismatchError) {
      // Such an answer may give the length of a body that it does not have (RFC 9110 §8.6); undici waits for that body.
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
      // A fault on a connection says nothing about other calls; that no connection could be made does.
      this.#surroundings.downstream.circuit.recordFailure();
    }
    this.#refuse(failure);
    this.#sink?.fail(failure);
  }

  sendTo(res: ServerResponse, headers: string[]): Promise<void> | undefined {
    const reason = toReasonPhrase(this.status, this.#reason);
    writeHead(res, this.status, headers, reason);
    if (this.#ended) {
      endWith(res, this.#waiting);
      return undefined;
    }
    if (this.#failure !== undefined) {
      return Promise.reject(this.#failure);
    }
    const { downstream, timeouts } = this.#surroundings;
    // Not flushHeaders(), which writes the head as UTF-8 (Node 20 to 26).
    res.write('', 'latin1');
    const sink = new BodySink(res, timeouts?.idleMs ?? downstream.idleTimeout, this.#resume);
    this.#sink = sink;
    for (const chunk of this.#waiting) {
      sink.write(chunk);
    }
    // In the same turn as the head, so that both go out at once.
    sink.flush();
    this.#waiting = [];
    if (!sink.isStalled) {
      this.#resume();
    }
    return sink.done;
  }

  read(toError = (error: Error): Error => error): Readable {
    const { downstream, timeouts } = this.#surroundings;
    const idleMs = timeouts?.idleMs ?? downstream.idleTimeout;
    let stallTimer: NodeJS.Timeout | undefined;
    const body = new Readable({
      read: () => {
        clearTimeout(stallTimer);
        this.#resume();
      },
      destroy: (error, done) => {
        clearTimeout(stallTimer);
        if (!this.isOver) {
          this.cancel(error ?? new CallerGone());
        }
        done(error && toError(error));
      },
    });
    const push = (chunk: Buffer): boolean => {
      const isWanted = body.push(chunk);
      clearTimeout(stallTimer);
      if (!isWanted && Number.isFinite(idleMs)) {
        stallTimer = setTimeout(() => body.destroy(new CallerGone('nobody read the answer')), idleMs).unref();
      }
      return isWanted;
    };
    this.#waiting.forEach(push);
    this.#waiting = [];
    if (this.#ended) {
      clearTimeout(stallTimer);
      body.push(null);
    } else if (this.#failure !== undefined) {
      body.destroy(this.#failure);
    } else {
      this.#sink = {
        // As much as a stream takes is waiting in it.
        get isStalled() {
          return body.readableLength >= body.readableHighWaterMark;
        },
        write: push,
        end: () => {
          clearTimeout(stallTimer);
          // What was cancelled ends, too, and must not look whole.
          if (this.#cancelled === undefined) {
            body.push(null);
          } else {
            body.destroy(this.#cancelled);
          }
        },
        fail: (failure) => body.destroy(failure),
      };
    }
    return body;
  }

  discard(): void {
    this.cancel(new CallerGone());
  }

  /** Ends an answer that is silent for too long while the caller reads. */
  #watchIdle(): void {
    const { downstream, timeouts } = this.#surroundings;
    const idleMs = timeouts?.idleMs ?? downstream.idleTimeout;
    if (!Number.isFinite(idleMs)) {
      return;
    }
    this.#idleTimer = setTimeout(() => {
      if (this.#sink?.isStalled === true || this.#waitingBytes > MAX_WAITING_BYTES) {
        this.#idleTimer?.refresh();
      } else {
        this.#abort?.(new undici.errors.BodyTimeoutError());
      }
    }, idleMs);
  }

  /**
   * Limits the time of interim answers: undici restarts its wait for the head with each, so that it could last for
   * ever.
   */
  #boundInterim(): void {
    const now = performance.now();
    this.#interimSince ??= now;
    const { downstream, timeouts } = this.#surroundings;
    if (now - this.#interimSince > (timeouts?.responseMs ?? downstream.responseTimeout)) {
      this.#abort?.(new undici.errors.HeadersTimeoutError());
    }
  }

  #passInterim(status: number, rawHeaders: readonly Buffer[]): void {
    this.#interimAnswers += 1;
    const { res } = this.#surroundings;
    const isWanted = status !== UNASKED_CONTINUE && this.#interimAnswers <= MAX_INTERIM_ANSWERS;
    if (res !== undefined && isWanted && this.#cancelled === undefined) {
      passInterimAnswer(res, status, toTexts(rawHeaders));
    }
  }

  /**
   * Sends the request once more when it went out on a kept connection just as the other side closed it (RFC 9110
   * §9.2.2, RFC 9112 §9.3.1).
   *
   * @see https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2
   * @see https://www.rfc-editor.org/rfc/rfc9112#section-9.3.1
   */
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

function isEventStream(rawHeaders: readonly string[]): boolean {
  const [contentType = ''] = findHeaders(rawHeaders, 'content-type');
  return /^text\/event-stream\s*(?:;|$)/i.test(contentType);
}

/**
 * The largest body that goes out as one text with its head: copying it costs less than a second buffer for the kernel
 * to gather (measured: about 0.5 µs a request).
 */
const MAX_ONE_TEXT_BYTES = 8 * 1_024;

/** Ends an answer whose whole body is here, as that of a short one is, without a stream; a short one with others of its turn. */
function endWith(res: ServerResponse, chunks: readonly Buffer[]): void {
  const [first] = chunks;
  const body = first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks);
  if (body.length > MAX_ONE_TEXT_BYTES) {
    res.end(body);
    return;
  }
  const text = body.toString('latin1');
  // An `end` of an application's middleware may throw, which must fail this request alone.
  if (res.end === ServerResponse.prototype.end) {
    afterTurn(() => res.end(text, 'latin1'));
  } else {
    res.end(text, 'latin1');
  }
}

/** Turns the names and values that undici gives as buffers into text: they are Latin-1, as HTTP/1.1 has them. */
function toTexts(rawHeaders: readonly Buffer[]): string[] {
  return rawHeaders.map((part) => part.toString('latin1'));
}

/**
 * A reason phrase that Node accepts for a status line (RFC 9112 §4).
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-4
 */
const REASON_PHRASE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Restores the bytes of the downstream's reason phrase, as far as undici keeps them: it decodes the phrase as UTF-8,
 * and keeps only the second half of one that arrives in two pieces.
 *
 * @returns `undefined` where the usual phrase of the status is to be written
 */
function toReasonPhrase(status: number, reason = ''): string | undefined {
  const usual = STATUS_CODES[status];
  if (reason === usual || (reason !== '' && usual?.endsWith(reason) === true) || reason.includes('\ufffd')) {
    return undefined;
  }
  const bytes = Buffer.from(reason).toString('latin1');
  return REASON_PHRASE.test(bytes) ? bytes : undefined;
}
