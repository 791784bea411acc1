import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Networks } from '../network/networks.ts';
import { isTrusted, peerAddress } from '../request/client-address.ts';
import type { ArrivalFault, RefusedArrival } from './arrival-faults.ts';
import { ProxyHeaderReader } from './proxy-header-reader.ts';

/** What has to happen on a connection before HTTP begins. */
export interface ArrivalsOptions {
  /** Further connections are closed at once; those on which HTTP has begun count, too. Default: any number. */
  readonly maxConnections?: number | undefined;
  /** The only peers that may connect; each of their connections begins with a PROXY protocol header. Default: anyone. */
  readonly proxies?: Networks | undefined;
  /** Called for each connection that is closed for a fault, not for one whose peer just left. */
  readonly onRefusedArrival?: ((refused: RefusedArrival) => void) | undefined;
}

/** Who may connect now, and how many. */
export interface ArrivalLimits {
  readonly maxConnections: number;
  readonly proxies: Networks | undefined;
}

/** The code of a handshake whose peer left, as the health checks of load balancers do, or that Node gave up. */
const ENDED = 'ECONNRESET';

/** A connection on which HTTP has not begun. */
interface Arrival {
  readonly socket: Socket;
  /** The address of the client that the proxy names; `undefined` for the peer itself. */
  client: string | undefined;
}

/**
 * The connections of a listener on which something comes before HTTP: a PROXY protocol header, a TLS handshake, or both,
 * in this order. Other listeners do without this class.
 */
export class Arrivals {
  readonly #server: Server;
  readonly #limits: ArrivalLimits;
  readonly #onRefused: ArrivalsOptions['onRefusedArrival'];
  /** What listened before: it begins the handshake or HTTP. */
  readonly #begin: readonly ((socket: Socket) => void)[];
  readonly #isSecure: boolean;
  /** By their two ends, all that a socket and the TLS socket that Node makes of it have in common for others to see. */
  readonly #arriving = new Map<string, Arrival>();
  /** Sockets on which HTTP has begun: http/upgrades.ts emits some of them again. */
  readonly #arrived = new WeakSet<Socket>();
  #open = 0;

  /**
   * @param server has all its listeners for new connections
   * @param isSecure whether it speaks TLS
   * @param limits are looked at for each connection
   */
  constructor(
    server: Server,
    isSecure: boolean,
    limits: ArrivalLimits,
    onRefused: ArrivalsOptions['onRefusedArrival'],
  ) {
    this.#server = server;
    this.#isSecure = isSecure;
    this.#limits = limits;
    this.#onRefused = onRefused;
    this.#begin = server.listeners('connection') as ((socket: Socket) => void)[];
    server.removeAllListeners('connection');
    server.on('connection', (socket) => this.#accept(socket));
    if (isSecure) {
      server.prependListener('secureConnection', (socket: TLSSocket) => this.#secure(socket));
      server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => this.#fail(error, socket));
    }
  }

  /** The sockets on which HTTP has not begun. */
  get sockets(): readonly Socket[] {
    return [...this.#arriving.values()].map(({ socket }) => socket);
  }

  #accept(socket: Socket): void {
    if (this.#arrived.has(socket)) {
      this.#hand(socket);
      return;
    }
    const { maxConnections, proxies } = this.#limits;
    // A peer that is gone already has no address any more.
    if (this.#open >= maxConnections || socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    const arrival = this.#note(socket);
    if (proxies === undefined) {
      this.#goOn(arrival);
    } else if (!isTrusted(peerAddress({ socket }), proxies)) {
      this.#refuse(socket, 'foreign peer');
    } else {
      this.#readHeader(arrival);
    }
  }

  #note(socket: Socket): Arrival {
    const ends = endsOf(socket);
    const arrival: Arrival = { socket, client: undefined };
    this.#open += 1;
    this.#arriving.set(ends, arrival);
    socket.once('close', () => {
      this.#open -= 1;
      // The same two ends may have met again before this event.
      if (this.#arriving.get(ends) === arrival) {
        this.#arriving.delete(ends);
      }
    });
    return arrival;
  }

  #readHeader(arrival: Arrival): void {
    const { socket } = arrival;
    const reader = new ProxyHeaderReader(socket, (outcome) => {
      if (!('fault' in outcome)) {
        arrival.client = outcome.client;
        this.#goOn(arrival);
      } else if (outcome.fault === 'left') {
        socket.destroy();
      } else {
        this.#refuse(socket, outcome.fault);
      }
    });
    void reader;
  }

  /** Begins the handshake, or HTTP where there is none. */
  #goOn({ socket, client }: Arrival): void {
    if (!this.#isSecure) {
      this.#arriving.delete(endsOf(socket));
      this.#arrived.add(socket);
      nameClient(socket, client);
    }
    this.#hand(socket);
  }

  #hand(socket: Socket): void {
    for (const begin of this.#begin) {
      begin.call(this.#server, socket);
    }
  }

  /** Called before HTTP begins on a TLS socket, and for those that http/upgrades.ts emits again. */
  #secure(socket: TLSSocket): void {
    if (this.#arrived.has(socket)) {
      return;
    }
    const ends = endsOf(socket);
    const arrival = this.#arriving.get(ends);
    this.#arriving.delete(ends);
    this.#arrived.add(socket);
    if (arrival === undefined) {
      // The peer is gone, and with it the address by which the connection would be known.
      socket.destroy();
    } else {
      nameClient(socket, arrival.client);
    }
  }

  #fail({ code }: NodeJS.ErrnoException, socket: TLSSocket): void {
    const { authorizationError } = socket as { readonly authorizationError?: unknown };
    if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') {
      this.#refuse(socket, 'client certificate', code);
    } else if (typeof authorizationError === 'string') {
      // Node ends the connection itself, and then reports a connection that ended.
      this.#refuse(socket, 'client certificate', authorizationError);
    } else if (code === ENDED) {
      socket.destroy();
    } else {
      this.#refuse(socket, 'TLS handshake', code);
    }
  }

  #refuse(socket: Socket, fault: ArrivalFault, code?: string): void {
    const client = this.#arriving.get(endsOf(socket))?.client;
    this.#onRefused?.({ fault, code, clientAddress: client ?? peerAddress({ socket }) });
    socket.destroy();
  }
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

/** Lets whoever asks for the address at the other end get that of the client, as if it had connected itself. */
function nameClient(socket: Socket, address: string | undefined): void {
  if (address !== undefined) {
    Object.defineProperty(socket, 'remoteAddress', { value: address });
  }
}
