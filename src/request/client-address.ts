import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Networks } from '../network/networks.ts';

/**
 * Reads the address at the other end of the connection; an IPv4 address as such, also where the socket is an IPv6 one.
 */
export function peerAddress({ socket }: Pick<IncomingMessage, 'socket'>): string {
  const address = socket.remoteAddress ?? '';
  // Node writes an IPv4 address on an IPv6 socket always in the same way.
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}

/** True for an address in one of the networks whose headers about where a request came from are believed. */
export function isTrusted(address: string, networks: Networks | undefined): boolean {
  return networks?.has(address) === true;
}

/**
 * Finds the address of the client: the last one in `X-Forwarded-For` that no trusted proxy has, because that client can
 * have written everything before it. Without trusted proxies it is the other end of the connection.
 */
export function findClientAddress(req: IncomingMessage, networks: Networks | undefined): string {
  const chain = String(req.headers['x-forwarded-for'] ?? '').split(',');
  let address = peerAddress(req);
  while (isTrusted(address, networks) && chain.length > 0) {
    const before = withoutPort(chain.pop()?.trim() ?? '');
    if (isIP(before) === 0) {
      break;
    }
    address = toIPv4(before);
  }
  return address;
}

/**
 * Turns an IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2), however it is written, into the IPv4 address; leaves others as
 * they are.
 *
 * @see https://www.rfc-editor.org/rfc/rfc4291#section-2.5.5.2
 */
function toIPv4(address: string): string {
  const [withoutZone = ''] = address.split('%');
  const canonical = isIP(withoutZone) === 6 ? new URL(`http://[${withoutZone}]`).hostname : '';
  const [, high, low] = /^\[::ffff:([0-9a-f]+):([0-9a-f]+)\]$/.exec(canonical) ?? [];
  return high === undefined || low === undefined ? address : [...toBytes(high), ...toBytes(low)].join('.');
}

function toBytes(hextet: string): [number, number] {
  const value = Number.parseInt(hextet, 16);
  return [value >> 8, value & 0xff];
}

/** Removes the port, because some proxies write `192.0.2.1:49152` and `[2001:db8::1]:49152`. */
function withoutPort(text: string): string {
  return /^\[(.+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
}
