import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a port that takes time, as a network does. */
export interface SlowNetwork {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Passes connections on to a port, byte for byte, with their ends and breaks.
 *
 * @param delay milliseconds that everything takes, in each direction
 */
export async function startSlowNetwork(target: number, delay: number): Promise<SlowNetwork> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true });
    pass(near, far);
    pass(far, near);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        sockets.forEach((socket) => socket.destroy());
      }),
  };

  function pass(from: Socket, to: Socket): void {
    sockets.add(from);
    from
      .on('data', (bytes) => setTimeout(() => to.write(bytes), delay))
      .on('end', () => setTimeout(() => to.end(), delay))
      .on('error', () => setTimeout(() => to.resetAndDestroy(), delay))
      .on('close', () => sockets.delete(from));
  }
}
