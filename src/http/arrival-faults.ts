/** Why a connection was closed before a request was read, and what to do about it; told once a minute at most. */
export const ARRIVAL_FAULTS = {
  'foreign peer': {
    reason: 'a connection did not come from server.trustedProxies, and server.proxyProtocol lets in no others',
    remedy: 'Let clients come through the proxy, or add the address of the proxy to server.trustedProxies.',
  },
  'bad proxy header': {
    reason: 'a connection of a trusted proxy did not begin with a PROXY protocol header of version 2 for TCP',
    remedy: 'Let the proxy send version 2 (send-proxy-v2 of HAProxy), or leave out server.proxyProtocol.',
  },
  'late proxy header': {
    reason: 'a connection of a trusted proxy did not bring its PROXY protocol header in time',
    remedy: 'Let the proxy send version 2 (send-proxy-v2 of HAProxy), or leave out server.proxyProtocol.',
  },
  'client certificate': {
    reason: 'a client did not show a certificate that an authority of tls.clientCa of this listener vouches for',
    remedy: 'Give what is in front a certificate of that authority that is still valid, or add its authority.',
  },
  'TLS handshake': {
    reason: 'a TLS handshake failed',
    remedy: 'Look at the code: the client may speak http, an old version of TLS, or only HTTP/2.',
  },
} as const satisfies Record<string, { readonly reason: string; readonly remedy: string }>;

/** One of these reasons. */
export type ArrivalFault = keyof typeof ARRIVAL_FAULTS;

/** What is known of a connection that was closed before a request was read. */
export interface RefusedArrival {
  readonly fault: ArrivalFault;
  /** The address of the client, where a proxy named it, else that at the other end; empty where it is gone. */
  readonly clientAddress: string;
  /** The code of Node or OpenSSL. */
  readonly code: string | undefined;
}
