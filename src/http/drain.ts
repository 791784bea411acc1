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
 * Milliseconds for which a connection without any request is kept after the port closed: its caller may just have opened
 * it, or have kept it without knowing that the gateway stops, with a request still on the way.
 */
const REQUEST_ON_ITS_WAY_MS = 1_000;

/** Milliseconds for which a server that is never quiet goes on taking connections before its port closes. */
const MAX_TAKING_MS = 1_000;

/**
 * How many times as long as a turn of the event loop the search for it has to last, so that the turn counts as short: one of
 * ten microseconds after a millisecond, and in a busy process one of a millisecond after a tenth of a second.
 */
const SEARCH_FOR_SHORT_TURN = 100;

/** Milliseconds of a turn that is short enough where the port has to close at once. */
const URGENT_TURN_MS = 2;

/**
 * Stops a server without losing a request. While the delay lasts, load balancers find out that the gateway stops, and
 * each answer tells its caller to send the next request on another connection (`Connection: close`). After that nobody
 * can connect any more, connections without a request are closed, and the rest may finish.
 *
 * @returns how many connections did not finish in time, and were cut off
 */
export async function drain(
  server: Server,
  connections: Connections,
  { delayMs, timeoutMs }: DrainTimes,
): Promise<number> {
  const quiet = new QuietConnections(connections);
  connections.startClosing();
  if (delayMs > 0) {
    await new Promise((resolve) => setTimeout(resolve, delayMs));
  }
  const beganAt = performance.now();
  // It may be closed as soon as its port is.
  const closed = new Promise<unknown>((resolve) => server.once('close', resolve));
  await closePort(server, delayMs === 0);
  const leftMs = Math.max(timeoutMs - (performance.now() - beganAt), 0);
  quiet.startPatience();
  // Over before the deadline, which cuts off what it finds.
  const patienceMs = delayMs > 0 ? Math.min(REQUEST_ON_ITS_WAY_MS, leftMs / 2) : 0;
  const looking = setInterval(() => setImmediate(() => quiet.close(patienceMs)), LOOK_INTERVAL_MS);
  let cutOff = 0;
  const deadline = setTimeout(() => (cutOff = connections.destroy()), leftMs);
  quiet.close(patienceMs);
  await closed;
  clearInterval(looking);
  clearTimeout(deadline);
  server.close(() => undefined);
  return cutOff;
}

/**
 * Closes the port once no connection waits that the system has accepted for the server: those that still do are reset,
 * and a proxy does not send again a POST that it wrote there. Node takes them in each turn of its event loop, so the port
 * closes after a turn without any. What comes in the rest of that turn is reset all the same; so it has to be a short
 * one, and nothing happens between it and the end of the port.
 *
 * @param isUrgent true without a delay: who asks for none wants the port to close now, also in a busy process
 */
async function closePort(server: Server, isUrgent: boolean): Promise<void> {
  let isQuiet = false;
  const note = (): void => {
    isQuiet = false;
  };
  server.on('connection', note);
  const beganAt = performance.now();
  let now = beganAt;
  let isShort = false;
  while (!(isQuiet && isShort) && now - beganAt < MAX_TAKING_MS) {
    const turnBeganAt = now;
    isQuiet = true;
    await new Promise((resolve) => setImmediate(resolve));
    now = performance.now();
    isShort = now - turnBeganAt < (isUrgent ? URGENT_TURN_MS : (now - beganAt) / SEARCH_FOR_SHORT_TURN);
  }
  // Not the server's own close(), which cuts off answers that are not read yet, and stops the timeout of slow heads.
  NetServer.prototype.close.call(server);
  server.off('connection', note);
}

/** The connections that wait for a request, and how long they do. */
class QuietConnections {
  readonly #connections: Connections;
  /** What had come on a connection when it was last seen at work, and when that was. */
  readonly #seen = new Map<Socket, { readonly bytesRead: number; readonly at: number }>();
  #patientFrom = 0;

  constructor(connections: Connections) {
    this.#connections = connections;
    for (const socket of [...connections.arriving, ...[...connections.all].map(([open]) => open)]) {
      this.#see(socket, socket.bytesRead);
    }
  }

  /**
   * Lets the time of all of them begin now. Whoever keeps a connection notices only when the port is closed that it has
   * to go elsewhere, and may write a request until then, however long the connection was idle.
   */
  startPatience(): void {
    this.#patientFrom = performance.now();
  }

  /** Closes those on which nothing has come for a time. */
  close(patienceMs: number): void {
    for (const [socket, connection] of this.#connections.all) {
      if (!connection.isIdle) {
        this.#see(socket, socket.bytesRead);
      } else if (this.#isQuiet(socket, patienceMs)) {
        connection.close();
      }
    }
    for (const socket of this.#connections.arriving) {
      if (this.#isQuiet(socket, patienceMs)) {
        socket.destroy();
      }
    }
  }

  #isQuiet(socket: Socket, patienceMs: number): boolean {
    const { bytesRead, at } = this.#seen.get(socket) ?? this.#see(socket, 0);
    return socket.bytesRead === bytesRead && performance.now() - Math.max(at, this.#patientFrom) >= patienceMs;
  }

  #see(socket: Socket, bytesRead: number): { readonly bytesRead: number; readonly at: number } {
    const seen = { bytesRead, at: performance.now() };
    this.#seen.set(socket, seen);
    return seen;
  }
}
