import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Upgrade } from './gateway-downstream.ts';

const KEY_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The operation of a frame that ends the conversation. */
const CLOSE = 8;

/** The lines of a request for a WebSocket, with the key of RFC 6455 §1.3. */
export const ASK_FOR_WEBSOCKET = [
  'Host: x',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
] as const;

/** Agrees to speak WebSocket (RFC 6455 §4.2.2), with more header lines if there are any. */
export function agree({ headers }: IncomingMessage, socket: Socket, more: readonly string[] = []): void {
  const accept = createHash('sha1').update(`${headers['sec-websocket-key']}${KEY_SUFFIX}`).digest('base64');
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
  socket.write(`${[...lines, `Sec-WebSocket-Accept: ${accept}`, ...more].join('\r\n')}\r\n\r\n`);
}

/** Agrees, and sends every byte back. */
export const echoBytes: Upgrade = (req, socket, head) => {
  agree(req, socket);
  socket.write(head);
  socket.on('data', (chunk) => socket.write(chunk)).on('end', () => socket.end());
};

/** Agrees, and sends every message back: frames of one piece (RFC 6455 §5.2), also the one that closes. */
export const echoMessages: Upgrade = (req, socket, head) => {
  agree(req, socket);
  let waiting = head;
  socket.on('data', (chunk) => {
    waiting = Buffer.concat([waiting, chunk]);
    for (let frame = takeFrame(waiting); frame !== undefined; frame = takeFrame(waiting)) {
      waiting = frame.rest;
      socket.write(Buffer.concat([frame.head, frame.payload]));
      if (((frame.head[0] ?? 0) & 0x0f) === CLOSE) {
        socket.end();
      }
    }
  });
};

interface Frame {
  /** As a server writes it: without the mask. */
  readonly head: Buffer;
  readonly payload: Buffer;
  readonly rest: Buffer;
}

function takeFrame(bytes: Buffer): Frame | undefined {
  const size = (bytes[1] ?? 0) & 0x7f;
  const sizeBytes = size === 127 ? 8 : size === 126 ? 2 : 0;
  const begin = 2 + sizeBytes + 4;
  if (bytes.length < begin) {
    return undefined;
  }
  const length = size === 127 ? Number(bytes.readBigUInt64BE(2)) : size === 126 ? bytes.readUInt16BE(2) : size;
  if (bytes.length < begin + length) {
    return undefined;
  }
  const mask = bytes.subarray(begin - 4, begin);
  const payload = Buffer.from(bytes.subarray(begin, begin + length)).map(
    (byte, index) => byte ^ (mask[index % 4] ?? 0),
  );
  const head = Buffer.from(bytes.subarray(0, 2 + sizeBytes));
  head[1] = size;
  return { head, payload: Buffer.from(payload), rest: bytes.subarray(begin + length) };
}
