import { request, type IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';

/** One request of the engine. */
export interface Outgoing {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly method: string;
  /** Path and query, as they go out. */
  readonly target: string;
  /** Names and values in turn, all there are; `Host` is added. */
  readonly headers: readonly string[];
  readonly body?: Readable | undefined;
  /** Milliseconds from the end of the request to the head of the answer. */
  readonly timeoutMs: number;
  /** Ends it where the client has left. */
  readonly signal: AbortSignal;
}

/** Nobody answered in time. */
export class TooSlow extends Error {}

/** Bytes of an answer's head: a token of Entra, or a claims challenge, is one of its headers. */
const MAX_HEAD_BYTES = 64 * 1_024;

/**
 * Sends a request on a connection of its own, and follows no redirect.
 *
 * @returns the head of the answer, whose body is still to be read
 * @throws {TooSlow} when no head comes in time
 * @throws {Error} when there is no connection, it breaks, or what comes is not HTTP
 */
export function send({ origin, method, target, headers, body, timeoutMs, signal }: Outgoing): Promise<IncomingMessage> {
  const { host, hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const outgoing = request({
      hostname,
      port,
      method,
      path: target,
      headers: ['Host', host, ...headers],
      agent: false,
      maxHeaderSize: MAX_HEAD_BYTES,
      signal,
    });
    let timer: NodeJS.Timeout | undefined;
    outgoing
      .on('error', reject)
      .on('finish', () => {
        timer = setTimeout(() => outgoing.destroy(new TooSlow('no answer in time')), timeoutMs);
      })
      .on('response', resolve)
      .on('response', () => clearTimeout(timer))
      .on('close', () => clearTimeout(timer));
    if (body === undefined) {
      outgoing.end();
    } else {
      // Not `pipeline`: an API that answers early must not end the connection to the client.
      body.pipe(outgoing);
    }
  });
}
