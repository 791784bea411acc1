import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';
import { undici } from '../network/undici.ts';

/** A proxy on the way to a downstream. */
export interface Proxy {
  /** Where it listens; without user and password. */
  readonly origin: URL;
  /** The headers of every request or tunnel: names and values in turn; they hold the password. */
  readonly headers: readonly string[];
}

/**
 * The proxy refused, or cannot be reached. The code says that it was the proxy and why; it holds nothing of the proxy's
 * address or text.
 */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  readonly code: string;

  /** @param why the code of an error, or the status of its answer */
  constructor(why: string | number) {
    super('the proxy on the way to the downstream failed');
    this.code = `proxy: ${why}`;
  }
}

/** Reads `http(s)://[user:password@]host:port`. */
export function readProxy(address: string): Proxy {
  const { origin, username, password } = new URL(address);
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return {
    origin: new URL(origin),
    headers: username === '' ? [] : ['proxy-authorization', `Basic ${Buffer.from(user).toString('base64')}`],
  };
}

/**
 * Makes a connector that always connects to the proxy, whatever address it is asked for.
 *
 * @param timeoutMs for each connection; 0 is no limit
 */
export function createProxyConnector({ origin }: Proxy, timeoutMs: number): buildConnector.connector {
  const connect = undici.buildConnector({ timeout: timeoutMs });
  const { host, hostname, protocol, port } = origin;
  const isName = /[a-z]/i.test(hostname) && !hostname.startsWith('[');
  const target = { host, hostname: hostname.replace(/^\[|\]$/g, ''), protocol, port };
  return (_asked, callback) => {
    connect({ ...target, ...(isName && { servername: hostname }) }, (error, socket) => {
      if (error === null) {
        callback(null, socket);
      } else {
        callback(toProxyError(error), null);
      }
    });
  };
}

/**
 * Opens a tunnel through a connection to a proxy (CONNECT, RFC 9110 §9.3.6).
 *
 * @param socket a connection to the proxy, which becomes the tunnel
 * @param authority host and port of the other end
 * @param timeoutMs until the proxy must have answered; 0 is no limit
 * @param callback gets a {@link ProxyError} when the proxy refuses
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6
 */
export function openTunnel(
  socket: Socket,
  { proxy, authority, timeoutMs }: { readonly proxy: Proxy; readonly authority: string; readonly timeoutMs: number },
  callback: buildConnector.Callback,
): void {
  const headers = ['host', authority, 'connection', 'keep-alive', 'proxy-connection', 'keep-alive', ...proxy.headers];
  const request = httpRequest({ method: 'CONNECT', path: authority, headers, createConnection: () => socket });
  const timer =
    timeoutMs > 0 ? setTimeout(() => request.destroy(new undici.errors.ConnectTimeoutError()), timeoutMs) : undefined;
  request.once('connect', ({ statusCode = 0 }: IncomingMessage, _socket, head: Buffer) => {
    clearTimeout(timer);
    if (statusCode >= 200 && statusCode < 300 && head.length === 0) {
      callback(null, socket);
      return;
    }
    socket.on('error', () => {}).destroy();
    callback(new ProxyError(statusCode), null);
  });
  request.once('error', (error) => {
    clearTimeout(timer);
    socket.destroy();
    callback(toProxyError(error), null);
  });
  request.end();
}

function toProxyError(error: NodeJS.ErrnoException): Error {
  return error instanceof undici.errors.ConnectTimeoutError ? error : new ProxyError(error.code ?? error.name);
}
