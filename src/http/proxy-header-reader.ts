import type { Socket } from 'node:net';
import { PREFIX_BYTES, readClient, readPrefix, type ProxyPrefix } from './proxy-header.ts';

/** What came of reading a header. */
export type HeaderOutcome =
  /** The address of the client; `undefined` for the proxy itself. */
  { readonly client: string | undefined } | { readonly fault: 'bad proxy header' | 'late proxy header' | 'left' };

/**
 * Milliseconds for a header. Proxies send it with their first packet, which may be lost and sent again.
 *
 * @see https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt section 2
 */
const HEADER_TIMEOUT_MS = 5_000;

const BAD: HeaderOutcome = { fault: 'bad proxy header' };

/** Reads the header of one connection and not a byte more: what follows stays in the socket for whoever is next. */
export class ProxyHeaderReader {
  readonly #socket: Socket;
  readonly #onOutcome: (outcome: HeaderOutcome) => void;
  readonly #deadline: NodeJS.Timeout;
  #prefix: ProxyPrefix | undefined;
  readonly #read = (): void => {
    const outcome = this.#tryReading();
    if (outcome !== undefined) {
      this.#finish(outcome);
    }
  };
  readonly #leave = (): void => this.#finish({ fault: 'left' });

  /** @param onOutcome called once, when nothing listens on the socket any more */
  constructor(socket: Socket, onOutcome: (outcome: HeaderOutcome) => void, timeoutMs: number = HEADER_TIMEOUT_MS) {
    this.#socket = socket;
    this.#onOutcome = onOutcome;
    this.#deadline = setTimeout(() => this.#finish({ fault: 'late proxy header' }), timeoutMs);
    socket.on('readable', this.#read).on('end', this.#leave).on('error', this.#leave).on('close', this.#leave);
  }

  #tryReading(): HeaderOutcome | undefined {
    if (this.#prefix === undefined) {
      const bytes = this.#take(PREFIX_BYTES);
      if (bytes === undefined) {
        return undefined;
      }
      this.#prefix = bytes.length === PREFIX_BYTES ? readPrefix(bytes) : undefined;
      if (this.#prefix === undefined) {
        return BAD;
      }
    }
    return this.#readBlock(this.#prefix);
  }

  #readBlock({ family, blockBytes }: ProxyPrefix): HeaderOutcome | undefined {
    const block = blockBytes === 0 ? Buffer.alloc(0) : this.#take(blockBytes);
    if (block === undefined) {
      return undefined;
    }
    if (block.length < blockBytes) {
      return BAD;
    }
    return { client: family === undefined ? undefined : readClient(family, block) };
  }

  /** @returns fewer bytes where no more will come; `undefined` while they have not */
  #take(bytes: number): Buffer | undefined {
    return (this.#socket.read(bytes) as Buffer | null) ?? undefined;
  }

  #finish(outcome: HeaderOutcome): void {
    clearTimeout(this.#deadline);
    this.#socket
      .off('readable', this.#read)
      .off('end', this.#leave)
      .off('error', this.#leave)
      .off('close', this.#leave);
    this.#onOutcome(outcome);
  }
}
