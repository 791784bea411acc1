import { connect, type Socket } from 'node:net';
import { connect as connectSecurely, TLSSocket } from 'node:tls';
import { until } from './gateway-poll.ts';

/** An answer, byte for byte. */
export interface RawResponse {
  readonly status: number;
  /** Names in lower case, in their order. */
  readonly headers: readonly (readonly [string, string])[];
  /** Latin-1. */
  readonly body: string;
  /** The statuses of the interim answers before it. */
  readonly interim: readonly number[];
  /** The first value of a header. */
  readonly header: (name: string) => string | undefined;
  /** Every value of a header. */
  readonly all: (name: string) => string[];
}

/** A listener on loopback; with `ca`, the PEM of an authority, one that speaks TLS as localhost. */
export interface RawTarget {
  readonly port: number;
  readonly ca?: string | undefined;
  /** What is sent before anything else, before TLS too. */
  readonly preface?: Buffer | undefined;
  /** The address to connect from; default 127.0.0.1. */
  readonly localAddress?: string | undefined;
}

/** Connects to a listener. */
export function connectTo(target: RawTarget, options: { readonly allowHalfOpen?: boolean } = {}): Socket {
  const { port, ca, preface, localAddress = '127.0.0.1' } = target;
  const socket = connect({ ...options, port, host: '127.0.0.1', localAddress, noDelay: true });
  if (preface !== undefined) {
    socket.write(preface);
  }
  return ca === undefined ? socket : connectSecurely({ ...options, socket, ca, servername: 'localhost' });
}

/** A connection on which a test sends whatever bytes it likes. */
export class RawConnection {
  readonly socket: Socket;
  /** True once the other side ended or broke the connection. */
  isClosed = false;
  #received = '';
  #closed = false;

  constructor(target: number | RawTarget) {
    this.socket = connectTo(typeof target === 'number' ? { port: target } : target);
    this.socket.setEncoding('latin1');
    this.socket
      .on('data', (text: string) => {
        this.#received += text;
      })
      .on('end', () => {
        this.isClosed = true;
      })
      .on('error', () => undefined)
      .on('close', () => {
        this.isClosed = true;
        this.#closed = true;
      });
  }

  /** What came and was not read yet. */
  get received(): string {
    return this.#received;
  }

  /** True once the socket is gone altogether. */
  get isGone(): boolean {
    return this.#closed;
  }

  write(bytes: string | Buffer): this {
    this.socket.write(bytes, 'latin1');
    return this;
  }

  /** Sends the head of a request: its lines without the empty one. */
  send(...lines: readonly string[]): this {
    return this.write(`${lines.join('\r\n')}\r\n\r\n`);
  }

  /** Waits for a text among what was received. */
  async untilReceived(text: string): Promise<void> {
    await until(`the connection brings ${text}`, () => this.#received.includes(text));
  }

  /** Waits until the other side closes. */
  async untilClosed(): Promise<void> {
    await until('the connection is closed', () => this.isClosed);
  }

  /** Breaks the connection off; one without TLS with a reset. */
  reset(): void {
    if (this.socket instanceof TLSSocket) {
      this.socket.destroy();
    } else {
      this.socket.resetAndDestroy();
    }
  }

  /** Takes the next final answer off the connection. */
  async response(options: { readonly hasBody?: boolean } = {}): Promise<RawResponse> {
    const interim: number[] = [];
    for (;;) {
      await this.untilReceived('\r\n\r\n');
      const head = this.#take(this.#received.indexOf('\r\n\r\n') + 4);
      const response = parseHead(head.trimEnd(), interim);
      if (response.status >= 200) {
        return { ...response, body: options.hasBody === false ? '' : await this.#readBody(response) };
      }
      interim.push(response.status);
    }
  }

  close(): void {
    this.socket.destroy();
  }

  async #readBody({ status, header }: RawResponse): Promise<string> {
    const length = header('content-length');
    if (status === 204 || status === 304) {
      return '';
    }
    if (length !== undefined) {
      await until(`${length} bytes came`, () => this.#received.length >= Number(length) || this.isClosed);
      return this.#take(Number(length));
    }
    if (header('transfer-encoding') === 'chunked') {
      return this.#readChunks();
    }
    await this.untilClosed();
    return this.#take(this.#received.length);
  }

  async #readChunks(): Promise<string> {
    let body = '';
    for (;;) {
      await this.untilReceived('\r\n');
      const line = this.#take(this.#received.indexOf('\r\n') + 2);
      const size = Number.parseInt(line, 16);
      await until(`a chunk of ${size} bytes came`, () => this.#received.length >= size + 2);
      body += this.#take(size);
      this.#take(2);
      if (size === 0) {
        return body;
      }
    }
  }

  #take(length: number): string {
    const taken = this.#received.slice(0, length);
    this.#received = this.#received.slice(length);
    return taken;
  }
}

function parseHead(head: string, interim: readonly number[]): RawResponse {
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  const all = (name: string): string[] => headers.filter(([key]) => key === name).map(([, value]) => value);
  return { status: Number(statusLine.split(' ')[1]), headers, body: '', interim, all, header: (name) => all(name)[0] };
}

/** Sends one request on a connection of its own and reads its answer. */
export async function rawRequest(
  target: number | RawTarget,
  lines: readonly string[],
  body: string | Buffer = '',
): Promise<RawResponse> {
  const connection = new RawConnection(target);
  try {
    connection.send(...lines).write(body);
    return await connection.response({ hasBody: !lines[0]?.startsWith('HEAD ') });
  } finally {
    connection.close();
  }
}
