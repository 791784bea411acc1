import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Where a demo server listens. */
export interface ListenOptions {
  /** TCP port; default 0, any free one. */
  readonly port?: number | undefined;
  /** Address; default `127.0.0.1`. */
  readonly host?: string | undefined;
  /** Bytes of a request's head; default Node's, 16 kB. */
  readonly maxHeadBytes?: number | undefined;
}

/** A demo server that listens. */
export interface LoopbackServer {
  /** `http://localhost:{port}`. */
  readonly origin: string;
  /** Stops listening until `resume` and breaks what is still open; connections are refused from then on. */
  pause(): Promise<void>;
  /** Listens again, on the same port. */
  resume(): Promise<void>;
  /** Stops listening and breaks what is still open. */
  close(): Promise<void>;
}

/** Starts an http server; the handler is made once the origin is known. */
export async function listenOnLoopback(
  options: ListenOptions,
  makeHandler: (origin: string) => RequestListener,
): Promise<LoopbackServer> {
  const { maxHeadBytes } = options;
  const server = createServer(maxHeadBytes === undefined ? {} : { maxHeaderSize: maxHeadBytes });
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const origin = `http://localhost:${port}`;
  server.on('request', makeHandler(origin));
  return {
    origin,
    pause: () => close(server),
    resume: async () => {
      if (!server.listening) {
        await listen(server, { ...options, port });
      }
    },
    close: () => close(server),
  };
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

async function close(server: Server): Promise<void> {
  if (!server.listening) {
    return;
  }
  await new Promise<void>((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}
