import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';
import { createProxyConnector, openTunnel, type Proxy } from './proxy.ts';
import { TlsFiles, type TlsSettings, type TlsTexts } from './tls-files.ts';
import { undici } from '../network/undici.ts';

/** How connections to a downstream are opened. */
export interface ConnectorSettings {
  readonly tls: TlsSettings | undefined;
  readonly proxy: Proxy | undefined;
  /** For each part of the way: to the proxy, through it, and to the downstream; 0 is no limit. */
  readonly timeoutMs: number;
}

/**
 * Makes a connector whose connections end at the downstream itself: they lead there directly or in a tunnel through a
 * proxy, with TLS for https.
 */
export function createConnector({ tls, proxy, timeoutMs }: ConnectorSettings): buildConnector.connector {
  const connect =
    tls === undefined ? undici.buildConnector({ timeout: timeoutMs }) : createTlsConnector(tls, timeoutMs);
  if (proxy === undefined) {
    return connect;
  }
  const connectToProxy = createProxyConnector(proxy, timeoutMs);
  return (target, callback) => {
    const { protocol, hostname, port } = target;
    const host = hostname.includes(':') ? `[${hostname}]` : hostname;
    const authority = `${host}:${port || (protocol === 'https:' ? 443 : 80)}`;
    connectToProxy(target, (error, socket) => {
      if (error === null) {
        openTunnel(socket, { proxy, authority, timeoutMs }, onTunnel);
      } else {
        callback(error, null);
      }
    });

    function onTunnel(...[error, tunnel]: [null, Socket] | [Error, null]): void {
      if (error !== null) {
        callback(error, null);
      } else if (protocol === 'https:') {
        connect({ ...target, httpSocket: tunnel }, callback);
      } else {
        callback(null, tunnel);
      }
    }
  };
}

/** Looks at the files for each new connection, so that a certificate can be replaced while the gateway runs. */
function createTlsConnector({ serverName, ...paths }: TlsSettings, timeoutMs: number): buildConnector.connector {
  const files = new TlsFiles(paths);
  let texts: TlsTexts | undefined;
  let connect: buildConnector.connector | undefined;
  return (target, callback) => {
    const named = serverName === undefined ? target : { ...target, servername: serverName };
    files.read().then(
      (read) => {
        if (connect === undefined || read !== texts) {
          texts = read;
          connect = undici.buildConnector({ ...read, timeout: timeoutMs });
        }
        connect(named, callback);
      },
      (error: Error) => callback(error, null),
    );
  };
}
