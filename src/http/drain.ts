import type { Server } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import type { Connections } from './connections.ts';

/** How long a server takes to stop. */
export interface DrainTimes {
  /** Milliseconds for which requests and connections go on being taken. */
  readonly delayMs: number;
  /** Milliseconds after that in which what is in flight may finish. */
  readonly timeoutMs: number;
}

/** Milliseconds between two checks which connections became idle. */
const LOOK_INTERVAL_MS = 50;

/**
 * Milliseconds for which a connection without any request is kept after the listener closed: its caller may just have
 * opened it, with the request still on the way.
 */
const REQUEST_ON_ITS_WAY_MS = 1_000;

/**
 * Stops a server without losing a request. While the delay lasts, load balancers find out that the gateway stops, and
 * each answer tells its caller to send the next request on another connection (`Connection: close`). After that nobody
 * can connect any more, connections without a request are closed, and the rest may finish.
 */
export async function drain(
  server: Server,
  connections: Connections,
  { delayMs, timeoutMs }: DrainTimes,
): Promise<void> {
  const quiet = new QuietConnections(connections);
  connections.startClosing();
  if (delayMs > 0) {
    await new Promise((resolve) => setTimeout(resolve, delayMs));
  }
  // Connections that the system has taken already come in before this turn of the event loop is over.
  await new Promise((resolve) => setImmediate(resolve));
  // Not the server's own close(), which cuts off answers that are not read yet, and stops the timeout of slow heads.
  const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
  const patienceMs = delayMs > 0 ? REQUEST_ON_ITS_WAY_MS : 0;
  const looking = setInterval(() => setImmediate(() => quiet.close(patienceMs)), LOOK_INTERVAL_MS);
  const deadline = setTimeout(() => connections.destroy(), timeoutMs);
  quiet.close(patienceMs);
  await closed;
  clearInterval(looking);
  clearTimeout(deadline);
  server.close(() => undefined);
}

/** The connections that wait for a request, and how long they do. */
class QuietConnections {
  readonly #connections: Connections;
  /** What had come on a connection when it was last seen at work, and when that was. */
  readonly #seen = new Map<Socket, { readonly bytesRead: number; readonly at: number }>();

  constructor(connections: Connections) {
    this.#connections = connections;
    for (const [socket] of connections.all) {
      this.#see(socket, socket.bytesRead);
    }
  }

  /** Closes those on which nothing has come for a time. */
  close(patienceMs: number): void {
    for (const [socket, connection] of this.#connections.all) {
      const { bytesRead, at } = this.#seen.get(socket) ?? this.#see(socket, 0);
      if (!connection.isIdle) {
        this.#see(socket, socket.bytesRead);
      } else if (socket.bytesRead === bytesRead && performance.now() - at >= patienceMs) {
        connection.close();
      }
    }
  }

  #see(socket: Socket, bytesRead: number): { readonly bytesRead: number; readonly at: number } {
    const seen = { bytesRead, at: performance.now() };
    this.#seen.set(socket, seen);
    return seen;
  }
}
