/** What a PROXY protocol header of version 2 says; by default that a client came over TCP and IPv4. */
export interface ProxyHeaderParts {
  readonly signature?: string;
  /** Version and command. */
  readonly command?: number;
  /** Family and protocol. */
  readonly family?: number;
  readonly block?: Buffer;
  /** Bytes of the block, as the header says it. */
  readonly length?: number;
}

/** The addresses 192.0.2.7:56324 and 198.51.100.9:443. */
export const IPV4_BLOCK = Buffer.from([192, 0, 2, 7, 198, 51, 100, 9, 0xdc, 0x04, 0x01, 0xbb]);

/** Writes a header, good or not. */
export function proxyHeader(parts: ProxyHeaderParts = {}): Buffer {
  const { signature = '\r\n\r\n\0\r\nQUIT\n', command = 0x21, family = 0x11, block = IPV4_BLOCK } = parts;
  const { length = block.length } = parts;
  return Buffer.concat([
    Buffer.from(signature, 'latin1'),
    Buffer.from([command, family, length >> 8, length & 0xff]),
    block,
  ]);
}

/** The addresses of a connection over IPv6, each 16 bytes in hexadecimal. */
export function ipv6Block(client: string): Buffer {
  return Buffer.concat([Buffer.from(client, 'hex'), Buffer.from('20010db8'.padEnd(32, '0'), 'hex'), Buffer.alloc(4)]);
}
