import { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { afterTurn } from '../runtime/after-turn.ts';
import { BODILESS } from '../syntax/http-syntax.ts';
import { Deferred } from './deferred.ts';

/** Where a body goes that still comes. */
export interface Sink {
  /** True while nobody reads. */
  readonly isStalled: boolean;
  /** @returns false while nobody reads */
  write(chunk: Buffer): boolean;
  end(): void;
  fail(failure: Error): void;
}

/** The longest chunk that goes out as text; below this, copying costs less than two more buffers for the kernel to gather. */
const MAX_TEXT_BYTES = 8 * 1_024;

/**
 * Writes a body that streams to the caller, and pauses it while the caller does not read.
 *
 * A chunked answer goes straight to the connection: what comes in one turn is one chunk, and its length, its bytes and
 * its end are one text (RFC 9112 §7.1). Node's own `write` makes four buffers of each piece, and holds them back for a
 * turn (measured: 2.5 µs of the 20 µs of an event that is sent on). A body that needs no framing goes there as it is: a
 * piece that Node holds back counts as not read, so that the downstream was stopped and started again for each 64 kB. This
 * rests on what Node does not document: that a response leaves the framing of its body to `write`, by `chunkedEncoding`,
 * and that what it has written itself, its head and later its end, is handed to its socket in the same order.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-7.1
 */
export class BodySink implements Sink {
  readonly #res: ServerResponse;
  /** The connection to which the body goes; `undefined` where pieces go through the response. */
  readonly #socket: Socket | undefined;
  readonly #idleTimeout: number;
  readonly #resume: () => void;
  readonly #done = new Deferred<void>();
  readonly #writeCollected = (): void => this.flush();
  readonly #goOn = (): void => this.#endStall();
  /** The chunk that this turn makes, in Latin-1. */
  #text = '';
  #isStalled = false;
  #stallTimer: NodeJS.Timeout | undefined;

  /**
   * @param res its head is written, and nothing of its body
   * @param idleTimeout milliseconds for which the caller may read nothing; may be infinite
   * @param resume called whenever the caller reads again
   */
  constructor(res: ServerResponse, idleTimeout: number, resume: () => void) {
    this.#res = res;
    this.#idleTimeout = idleTimeout;
    this.#resume = resume;
    // Middleware of an application that put a `write` of its own in the place of Node's has to see the pieces, and so has
    // a response that counts them or drops them: one that such middleware made a 304 of is not even sent before its end.
    const isDropped = res.req.method === 'HEAD' || BODILESS.has(res.statusCode);
    const isSeen = res.write !== ServerResponse.prototype.write || res.strictContentLength || isDropped;
    this.#socket = (!isSeen && res.socket) || undefined;
  }

  /** True while the caller does not read. */
  get isStalled(): boolean {
    return this.#isStalled;
  }

  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** @returns false while the caller does not read */
  write(piece: Buffer): boolean {
    if (this.#socket === undefined) {
      this.#noteWrite(this.#res.write(piece));
    } else if (!this.#res.chunkedEncoding) {
      this.#writePlain(this.#socket, piece);
    } else if (piece.length > MAX_TEXT_BYTES) {
      this.flush();
      this.#writeChunk(this.#socket, piece);
    } else {
      this.#collect(piece);
    }
    return !this.#isStalled;
  }

  /** Writes what was collected in this turn, without waiting for its end. */
  flush(): void {
    const text = this.#text;
    this.#text = '';
    if (text !== '' && this.#socket?.writable === true) {
      this.#noteWrite(this.#socket.write(`${text.length.toString(16)}\r\n${text}\r\n`, 'latin1'));
    }
  }

  end(): void {
    this.#stopWaiting();
    this.#res.end(this.#text, 'latin1');
    this.#text = '';
    this.#done.resolve();
  }

  fail(failure: Error): void {
    this.flush();
    this.#stopWaiting();
    this.#done.reject(failure);
  }

  #collect(piece: Buffer): void {
    if (this.#text === '') {
      afterTurn(this.#writeCollected);
    }
    this.#text += piece.toString('latin1');
    if (this.#text.length > MAX_TEXT_BYTES) {
      this.flush();
    }
  }

  #writePlain(socket: Socket, bytes: Buffer): void {
    if (socket.writable) {
      this.#noteWrite(socket.write(bytes));
    }
  }

  #writeChunk(socket: Socket, bytes: Buffer): void {
    if (!socket.writable) {
      return;
    }
    socket.cork();
    socket.write(`${bytes.length.toString(16)}\r\n`, 'latin1');
    socket.write(bytes);
    const isRead = socket.write('\r\n', 'latin1');
    socket.uncork();
    this.#noteWrite(isRead);
  }

  #noteWrite(isRead: boolean): void {
    // What the kernel took at once waits for nobody, though it was more than Node calls full.
    if (isRead || this.#isStalled || this.#socket?.writableLength === 0) {
      return;
    }
    this.#isStalled = true;
    if (Number.isFinite(this.#idleTimeout)) {
      this.#stallTimer = setTimeout(() => this.#res.destroy(), this.#idleTimeout);
    }
    (this.#socket ?? this.#res).once('drain', this.#goOn);
  }

  #endStall(): void {
    clearTimeout(this.#stallTimer);
    this.#isStalled = false;
    this.#resume();
  }

  #stopWaiting(): void {
    clearTimeout(this.#stallTimer);
    this.#socket?.off('drain', this.#goOn);
  }
}
