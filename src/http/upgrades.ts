import { ServerResponse, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { GatewayError } from '../failures.ts';
import { hasBody } from '../request/body.ts';

/** Answers that may be 101. Express gives answers another prototype, so that no class can tell. */
const upgradable = new WeakSet<ServerResponse>();

/**
 * Takes the requests that ask for another protocol. One for a WebSocket comes as an ordinary request, whose answer may be
 * 101 ({@link refuseOtherProtocol} says where). One for any other protocol is answered as the ordinary request that it is
 * as well: what it asks for is an offer (RFC 9110 §7.8), and Java's client makes one with its every first request.
 *
 * Node hands the socket of every upgrade over and forgets it, so that answers are made here by hand, and an ordinary request
 * is given back to the server as if its connection were new. From Node 24.9 on a server can choose by
 * `shouldUpgradeCallback` which upgrades it wants; where that is the oldest version, it takes the place of giving back.
 */
export function takeUpgrades(server: Server): void {
  server.on('upgrade', (req: IncomingMessage, duplex: Duplex, head: Buffer) => {
    const socket = duplex as Socket;
    socket.unshift(head);
    if (asksForWebSocket(req)) {
      socket.setTimeout(0);
      server.emit('request', req, answerOn(socket, req));
    } else {
      // Node itself would answer it, and drop what came in the same packet behind it.
      socket.unshift(withoutUpgrade(req));
      server.emit('encrypted' in socket ? 'secureConnection' : 'connection', socket);
    }
  });
}

/**
 * Makes the answer to a request for a WebSocket. It is written as any other; afterwards the connection closes, unless the
 * status is 101: then it belongs to whoever wrote that.
 */
function answerOn(socket: Socket, req: IncomingMessage): ServerResponse {
  const res = new ServerResponse(req);
  upgradable.add(res);
  res.shouldKeepAlive = false;
  res.assignSocket(socket);
  // Node lets go of a socket that it hands over; what follows is what it does for the others.
  socket.on('error', () => socket.destroy());
  socket.on('drain', () => res.writableNeedDrain && res.emit('drain'));
  res.once('finish', () => {
    if (res.statusCode !== 101) {
      // What comes is read, and goes, so that the answer is not lost with it.
      socket.resume().destroySoon();
    }
  });
  return res;
}

/** The head of a request as it came, but for its wish for another protocol. */
function withoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = rawHeaders.slice(index, index + 2);
    const left = name.toLowerCase() === 'connection' ? tokensOf(value).filter(isOfConnection).join(', ') : value;
    if (isOfConnection(name.toLowerCase()) && (left !== '' || value === '')) {
      lines.push(`${name}: ${left}`);
    }
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

function isOfConnection(name: string): boolean {
  return name !== 'upgrade' && name !== 'http2-settings';
}

/** True for a request that asks to speak WebSocket on its connection (RFC 6455 §4.1). */
function asksForWebSocket({ headers, httpVersion }: IncomingMessage): boolean {
  const { upgrade, connection = '' } = headers;
  return (
    upgrade !== undefined &&
    httpVersion !== '1.0' &&
    tokensOf(upgrade).includes('websocket') &&
    tokensOf(connection).includes('upgrade')
  );
}

function tokensOf(list: string): string[] {
  return list
    .toLowerCase()
    .split(',')
    .map((token) => token.trim());
}

/**
 * Refuses an ordinary request where the contract wants a WebSocket, and the reverse.
 *
 * @param wanted what the operation's `x-upgrade` says
 * @throws {GatewayError} `upgrade_required`; `invalid_request` for one with a body
 */
export function refuseOtherProtocol(wanted: 'websocket' | undefined, req: IncomingMessage, res: ServerResponse): void {
  if (wanted === undefined) {
    if (req.headers.upgrade !== undefined && asksForWebSocket(req)) {
      const detail = 'This operation is no WebSocket: send an ordinary request.';
      throw new GatewayError('upgrade_required', { upgrade: 'HTTP/1.1', detail });
    }
    return;
  }
  if (asksForWebSocket(req) && hasBody(req)) {
    throw new GatewayError('invalid_request', { detail: 'Open a WebSocket without a body.' });
  }
  if (!upgradable.has(res)) {
    throw new GatewayError('upgrade_required', { upgrade: wanted });
  }
}
