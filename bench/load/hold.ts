import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Connections that stay as they are. */
export interface HeldConnections {
  /** Ends them all. */
  release(): void;
}

/** What is sent on each of many connections. */
export interface HoldOptions {
  readonly origin: string;
  readonly count: number;
  readonly bytes: Buffer;
  /** True when each connection is to wait for the first bytes of its answer. */
  readonly isAnswered: boolean;
}

/** So many are opened at a time; the queue of a port holds 511. */
const BATCH = 100;

/**
 * Opens connections, sends the same bytes on each, and leaves them open.
 *
 * @throws {Error} when one of them fails
 */
export async function holdConnections({ origin, count, bytes, isAnswered }: HoldOptions): Promise<HeldConnections> {
  const { hostname, port } = new URL(origin);
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(BATCH, count - sockets.length) }, () =>
      connect(Number(port), hostname),
    );
    await Promise.all(batch.map((socket) => begin(socket, bytes, isAnswered)));
    sockets.push(...batch);
  }
  return {
    release: () => sockets.forEach((socket) => socket.destroy()),
  };
}

async function begin(socket: Socket, bytes: Buffer, isAnswered: boolean): Promise<void> {
  await once(socket, 'connect');
  const answered = isAnswered ? once(socket, 'data') : undefined;
  await new Promise<void>((resolve) => {
    socket.write(bytes, () => resolve());
  });
  await answered;
  // Whatever comes later is of no interest, and the end of the gateway is no error.
  socket.on('error', () => {}).resume();
}
