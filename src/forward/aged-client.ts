import type { Socket } from 'node:net';
import type { buildConnector, Client } from 'undici';
import { undici } from '../network/undici.ts';

/** The share of its age by which a connection may end earlier: those opened together then do not all end together. */
const SPREAD = 0.1;

/**
 * Makes a client of one connection that follows a changed DNS name: at a certain age the connection ends, as soon as no
 * request is under way on it. Not with undici's own `clientTtl`, which keeps a callback for each request that it sees
 * while an old connection still streams.
 *
 * @param options.connect opens the connections
 * @param options.maxAgeMs the most milliseconds that a connection is used; each is used for up to a tenth less
 */
export function createAgedClient(
  origin: URL,
  {
    connect,
    maxAgeMs,
    ...options
  }: Client.Options & { readonly connect: buildConnector.connector; readonly maxAgeMs: number },
): Client {
  const client = new undici.Client(origin, {
    ...options,
    connect(target, callback) {
      connect(target, (...outcome) => {
        const [error, socket] = outcome;
        if (error === null) {
          endAtAge(socket, maxAgeMs * (1 - Math.random() * SPREAD));
        }
        callback(...outcome);
      });
    },
  });
  return client;

  function endAtAge(socket: Socket, ageMs: number): void {
    const end = (): unknown => socket.destroy();
    const timer = setTimeout(() => {
      if (client.stats.size === 0) {
        end();
      } else {
        client.prependOnceListener('drain', end);
      }
    }, ageMs);
    timer.unref();
    socket.once('close', () => {
      clearTimeout(timer);
      client.off('drain', end);
    });
  }
}
