import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { hasBody } from '../request/body.ts';

/** The failures of bytes that the parser cannot read as a request. */
export type ParserFault = 'headers_too_large' | 'target_too_long' | 'request_timeout' | 'invalid_request';

/** The error with which Node's parser stops; `rawPacket` is the piece of bytes that it stopped in. */
export type ParserError = NodeJS.ErrnoException & { readonly rawPacket?: Buffer; readonly bytesParsed?: number };

/** Writes the answer to bytes that are no request; `head` is the piece that they came in, as Latin-1. */
export type AnswerFault = (socket: Socket, fault: ParserFault, head: string) => void;

/**
 * A request as Node's parser hands it on; `upgrade` says that it asks for another protocol, and then that it gets one.
 */
type ParsedRequest = IncomingMessage & { upgrade: boolean };

/** Called by Node's parser with the head of each request. */
type OnIncoming = (req: ParsedRequest, shouldKeepAlive: boolean) => number;

/** A socket with what Node's HTTP server leaves on it. */
type HttpSocket = Socket & { readonly parser: { onIncoming: OnIncoming; resume(): void } };

/** A request whose turn has not come. */
interface HeldRequest {
  readonly req: ParsedRequest;
  readonly shouldKeepAlive: boolean;
}

/** The result of the callback of a head that makes llhttp stop there (`HPE_PAUSED` of llhttp.h). */
const STOP = 21;

/** An empty buffer for the parser. Not `Buffer.alloc(0)`, which Node's parser takes for the end of the connection. */
const NO_BYTES = Buffer.from('-').subarray(1);

/**
 * Milliseconds for which a connection that is closing still reads, and drops, what comes: one that closes with unread
 * bytes can take its last answer with it (RFC 9112 §9.6).
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-9.6
 */
export const LINGER_MS = 5_000;

/**
 * One connection of a caller: one of its requests is answered at a time, and the next one is read only then.
 *
 * Node reads 64 kB at once and hands on every request in it, some 2,500, whether or not anyone reads the answers. So
 * the parser is stopped at the head of a request that comes too early: the callback of a head may return `HPE_PAUSED`,
 * and Node tells in `clientError` how far it came. From then on bytes come through here before they go to the parser,
 * and wait while an answer is under way. A connection whose next request comes after the answer is never stopped, and
 * pays a comparison for each request. (To cut the bytes into requests before the parser sees them would work as well,
 * but takes every socket away from the parser, which otherwise reads straight from the handle: a sixth more CPU for a
 * server that says hello, measured side by side.)
 *
 * This rests on what Node does not document: that `socket.parser.onIncoming` is called with each head and may return
 * `HPE_PAUSED` of llhttp, and that `clientError` then has `rawPacket` and `bytesParsed`. Before a move to another major
 * version of Node, run `test/http/pipelines.test.ts` and `test/http/unread.test.ts` with it.
 */
export class Connection {
  /** The answer to the newest request; it may be over. */
  response: ServerResponse | undefined;
  readonly #socket: HttpSocket;
  readonly #answerFault: AnswerFault;
  readonly #onIncoming: OnIncoming;
  readonly #onData = (bytes: Buffer): void => this.#receive(bytes);
  /** Node's own reader of the bytes; set once they come through this class. */
  #parse: ((bytes: Buffer) => void) | undefined;
  #held: HeldRequest | undefined;
  /** The bytes that came behind the head of the held request. */
  #unread: Buffer[] = [];
  /** True once everything that comes is dropped. */
  #isDeaf = false;
  #isTunnel = false;

  constructor(socket: Socket, answerFault: AnswerFault) {
    this.#socket = socket as HttpSocket;
    this.#answerFault = answerFault;
    const { parser } = this.#socket;
    this.#onIncoming = parser.onIncoming;
    parser.onIncoming = (req, shouldKeepAlive) => this.#take(req, shouldKeepAlive);
    // Node calls it after the last answer of a connection.
    socket.destroySoon = () => this.close();
  }

  /** True while an answer is under way. */
  get isAnswering(): boolean {
    return this.response?.closed === false;
  }

  /**
   * True when the answer is complete and the caller does not read it. Never for a tunnel, which has its own timeouts.
   */
  get isUnread(): boolean {
    const { response } = this;
    const { writableEnded, writableFinished } = this.#socket;
    if (response?.statusCode === 101) {
      return false;
    }
    return (response?.closed === false && response.writableEnded) || (writableEnded && !writableFinished);
  }

  /** True when no request is read or answered; the head of one may have begun to come. */
  get isIdle(): boolean {
    return !this.isAnswering && this.#held === undefined && !this.#isDeaf && !this.#isTunnel;
  }

  /** Called when Node's parser stops: at a request that came too early, or at bytes that are no request. */
  receiveError(error: ParserError): void {
    if (this.#isDeaf) {
      return;
    }
    if (this.#held !== undefined) {
      this.#keepRest(error);
      return;
    }
    const { response } = this;
    if (response === undefined || response.closed) {
      this.#refuse(error);
    } else if (response.req.complete) {
      // The fault is in a later request, and answers leave in the order of the requests.
      this.#refuseAfter(response, error);
    } else if (response.headersSent) {
      this.#isDeaf = true;
      response.once('close', () => this.close());
    } else {
      this.#refuse(error);
      // Whoever reads the body must not take it for whole.
      this.#socket.end(() => this.#socket.destroy());
    }
  }

  /**
   * Closes in two steps (RFC 9112 §9.6): what was written goes out, and what still comes is read for a moment and
   * dropped.
   *
   * @see https://www.rfc-editor.org/rfc/rfc9112#section-9.6
   */
  close(): void {
    const socket = this.#socket;
    socket.end(() => {
      const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
      socket.once('close', () => clearTimeout(timer));
    });
    this.#discard();
  }

  /** Called by the parser with each head, in the middle of the bytes that it reads. */
  #take(req: ParsedRequest, shouldKeepAlive: boolean): number {
    if (this.response?.closed === false || this.#isDeaf) {
      return this.#hold(req, shouldKeepAlive);
    }
    if (req.upgrade) {
      return this.#takeUpgrade(req, shouldKeepAlive);
    }
    return this.#onIncoming(req, shouldKeepAlive);
  }

  /**
   * Takes a request that asks for another protocol. One with a body becomes an ordinary request and the last of its
   * connection, because Node loses what follows an upgrade that is not made, unless it hands the socket over.
   */
  #takeUpgrade(req: ParsedRequest, shouldKeepAlive: boolean): number {
    if (req.method !== 'CONNECT' && hasBody(req)) {
      req.upgrade = false;
      return this.#onIncoming(req, false);
    }
    const result = this.#onIncoming(req, shouldKeepAlive);
    if (req.upgrade) {
      this.#isTunnel = true;
      this.#socket.removeListener('data', this.#onData);
    }
    return result;
  }

  #hold(req: ParsedRequest, shouldKeepAlive: boolean): number {
    this.#held = { req, shouldKeepAlive };
    if (req.upgrade) {
      // Node does not say how far its parser came in such a request, so nothing behind it can be read.
      req.upgrade = false;
      this.#held = { req, shouldKeepAlive: false };
      process.nextTick(() => this.#keepNothing());
    }
    return STOP;
  }

  #keepNothing(): void {
    this.#divert();
    this.#discard();
    if (this.isAnswering) {
      this.response?.once('close', () => this.#goOn());
    } else {
      this.#goOn();
    }
  }

  /** Keeps what came behind the head of the held request. */
  #keepRest({ rawPacket, bytesParsed }: ParserError): void {
    this.#divert();
    if (rawPacket !== undefined) {
      this.#unread.unshift(rawPacket.subarray(bytesParsed));
    }
    this.#socket.pause();
    this.#goOnAfterAnswer();
  }

  /**
   * Goes on after a turn for other connections: answers that wait for nothing would follow each other without a pause.
   */
  #goOnAfterAnswer(): void {
    this.response?.once('close', () => setImmediate(() => this.#goOn()));
  }

  /** Hands on the held request, and reads up to the next one. */
  #goOn(): void {
    const socket = this.#socket;
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined || !socket.writable) {
      // The previous answer was the last one of the connection.
      this.#unread = [];
    } else if (held.req.method === 'CONNECT') {
      this.#refuse({ name: '', message: '' });
    } else {
      this.#onIncoming(held.req, held.shouldKeepAlive);
      socket.parser.resume();
      this.#readOn();
    }
  }

  #readOn(): void {
    let bytes: Buffer | undefined = NO_BYTES;
    while (bytes !== undefined && this.#held === undefined) {
      this.#parse?.(bytes);
      bytes = this.#unread.shift();
    }
    if (bytes !== undefined) {
      this.#unread.unshift(bytes);
    } else if (this.#held === undefined) {
      this.#socket.resume();
    }
  }

  #receive(bytes: Buffer): void {
    if (this.#isDeaf) {
      return;
    }
    if (this.#held === undefined) {
      this.#parse?.(bytes);
      return;
    }
    this.#unread.push(bytes);
    this.#socket.pause();
  }

  /** Makes bytes come through this class before they go to the parser. */
  #divert(): void {
    const socket = this.#socket;
    const [parse] = socket.listeners('data') as ((bytes: Buffer) => void)[];
    if (this.#parse !== undefined || parse === undefined) {
      return;
    }
    this.#parse = parse;
    // Node may have stopped the handle for a body; from here on the stream decides, and it does not know of that stop.
    socket.emit('resume');
    socket.removeListener('data', parse);
    // A listener of ours makes Node read through the stream, no longer straight from the handle.
    socket.on('data', this.#onData);
  }

  /** Reads what comes, and drops it: the parser stops at the next head, or stopped already. */
  #discard(): void {
    this.#isDeaf = true;
    this.#unread = [];
    this.#socket.resume();
  }

  #refuse(error: ParserError): void {
    if (this.#socket.writable) {
      this.#answerFault(this.#socket, nameFault(error), error.rawPacket?.toString('latin1') ?? '');
    }
    this.close();
  }

  #refuseAfter(response: ServerResponse, error: ParserError): void {
    this.#discard();
    response.once('close', () => this.#refuse(error));
  }
}

/** A request line that ends in its target. */
const OPEN_TARGET = /^[A-Z-]+ \S*$/;

function nameFault({ code, rawPacket, bytesParsed }: ParserError): ParserFault {
  if (code === 'HPE_HEADER_OVERFLOW') {
    const read = rawPacket?.toString('latin1', 0, bytesParsed) ?? '';
    const end = read.lastIndexOf('\r\n\r\n');
    const head = end === -1 ? read : read.slice(end);
    return OPEN_TARGET.test(head.trimStart()) ? 'target_too_long' : 'headers_too_large';
  }
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request_timeout' : 'invalid_request';
}
