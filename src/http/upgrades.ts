import { ServerResponse, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { GatewayError } from '../failures.ts';
import { hasBody } from '../request/body.ts';

/** Responses that may be 101. A set, not a class, because Express may give responses another prototype. */
const upgradable = new WeakSet<ServerResponse>();

/**
 * Takes the requests that ask for another protocol. One for a WebSocket becomes an ordinary request whose answer may be
 * 101 ({@link refuseOtherProtocol} checks where). One for any other protocol is answered as an ordinary request: what
 * it asks for is only an offer (RFC 9110 §7.8), and Java's client makes one with its every first request.
 *
 * Node hands over the socket of every upgrade and forgets it, so that answers are made here by hand, and an ordinary
 * request is given back to the server as if its connection were new. From Node 24.9 on, a server can choose with
 * `shouldUpgradeCallback` which upgrades it wants; once that is the oldest supported version, the callback replaces the
 * giving back.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-7.8
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
 * Makes the response to a request for a WebSocket. It is written as any other; afterwards the connection closes, unless
 * the status is 101: then the connection belongs to whoever wrote that.
 */
function answerOn(socket: Socket, req: IncomingMessage): ServerResponse {
  const res = new ServerResponse(req);
  upgradable.add(res);
  res.shouldKeepAlive = false;
  res.assignSocket(socket);
  // Node does not look after a socket that it handed over; this is what it does for others.
  socket.on('error', () => socket.destroy());
  socket.on('drain', () => res.writableNeedDrain && res.emit('drain'));
  res.once('finish', () => {
    if (res.statusCode !== 101) {
      // What still comes is read and dropped: with unread bytes the answer could be lost.
      socket.resume().destroySoon();
    }
  });
  return res;
}

/** Writes the head of a request as it came, without the headers that ask for another protocol. */
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

/**
 * True for a request that asks to speak WebSocket on its connection (RFC 6455 §4.1).
 *
 * @see https://www.rfc-editor.org/rfc/rfc6455#section-4.1
 */
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
      const detail = 'This operation is not a WebSocket: send an ordinary request.';
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
