/**
 * The first bytes of each PROXY protocol header of version 2, which no HTTP request and no TLS handshake begins with.
 *
 * @see https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt section 2.2
 */
const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** Bytes before the address block: the signature, version and command, family and protocol, the length of the block. */
export const PREFIX_BYTES = 16;

/** Bytes of the longest address block that is read: 4 kB with what stands before it, many times what proxies send. */
export const MAX_BLOCK_BYTES = 4_096 - PREFIX_BYTES;

/** Version 2 in the upper four bits, the command in the lower ones. */
const LOCAL = 0x20;
const PROXY = 0x21;

/** Bytes of the two addresses and ports at the beginning of the block, by family and protocol. */
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;
const ENDPOINTS_BYTES: ReadonlyMap<number, number> = new Map([
  [TCP_OVER_IPV4, 12],
  [TCP_OVER_IPV6, 36],
]);

/** What the first 16 bytes of a header say. */
export interface ProxyPrefix {
  /** `undefined` for a connection of the proxy itself, such as a health check. */
  readonly family: number | undefined;
  /** Bytes that follow: the addresses, and whatever else the proxy says. */
  readonly blockBytes: number;
}

/**
 * Reads the beginning of a header.
 *
 * @param bytes {@link PREFIX_BYTES} bytes
 * @returns `undefined` when it is no header of version 2, is too long, or names no client of TCP: what comes over Unix
 *   sockets, UDP or something unknown may be refused (section 2.2), and would otherwise count as the proxy itself
 */
export function readPrefix(bytes: Buffer): ProxyPrefix | undefined {
  const command = bytes[12] ?? 0;
  const family = bytes[13] ?? 0;
  const blockBytes = bytes.readUInt16BE(14);
  if (SIGNATURE.compare(bytes, 0, SIGNATURE.length) !== 0 || blockBytes > MAX_BLOCK_BYTES) {
    return undefined;
  }
  if (command === LOCAL) {
    return { family: undefined, blockBytes };
  }
  const endpointsBytes = ENDPOINTS_BYTES.get(family) ?? Number.POSITIVE_INFINITY;
  return command === PROXY && blockBytes >= endpointsBytes ? { family, blockBytes } : undefined;
}

/**
 * Reads the address of the client from the block; what follows the addresses is skipped.
 *
 * @param family that of {@link readPrefix}
 * @returns an IPv4 address as such, also where the block has it as an IPv6 one
 */
export function readClient(family: number, block: Buffer): string {
  if (family === TCP_OVER_IPV4) {
    return toIPv4(block, 0);
  }
  const isMapped = block.readBigUInt64BE(0) === 0n && block.readUInt32BE(8) === 0xffff;
  return isMapped ? toIPv4(block, 12) : toIPv6(block);
}

function toIPv4(block: Buffer, from: number): string {
  return block.subarray(from, from + 4).join('.');
}

/** Writes an IPv6 address as Node writes those of its sockets (RFC 5952). */
function toIPv6(block: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => block.readUInt16BE(2 * index).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
