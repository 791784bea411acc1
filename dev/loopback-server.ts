import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Where a demo server listens. */
export interface ListenOptions {
  /** TCP port; default 0, any free one. */
  readonly port?: number | undefined;
  /** Address; default `127.0.0.1`. */
  readonly host?: string | undefined;
}

/** A demo server that listens. */
export interface LoopbackServer {
  /** `http://localhost:{port}`. */
  readonly origin: string;
  /** Stops listening and breaks what is still open. */
  close(): Promise<void>;
}

/** Starts an http server; the handler is made once the origin is known. */
export async function listenOnLoopback(
  options: ListenOptions,
  makeHandler: (origin: string) => RequestListener,
): Promise<LoopbackServer> {
  const server = createServer();
  await listen(server, options);
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  server.on('request', makeHandler(origin));
  return { origin, close: () => close(server) };
}

function listen(server: Server, { port = 0, host = '127.0.0.1' }: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}
