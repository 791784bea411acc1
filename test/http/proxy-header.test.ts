import { describe, expect, it } from '@jest/globals';
import { MAX_BLOCK_BYTES, PREFIX_BYTES, readClient, readPrefix } from '../../src/http/proxy-header.ts';
import { IPV4_BLOCK, ipv6Block, proxyHeader, type ProxyHeaderParts } from '../support/proxy-header.ts';

/** The client that a header names, `undefined` where it names none. */
function read(parts: ProxyHeaderParts): string | undefined {
  const bytes = proxyHeader(parts);
  const prefix = readPrefix(bytes.subarray(0, PREFIX_BYTES));
  if (prefix === undefined) {
    throw new Error('refused');
  }
  const { family, blockBytes } = prefix;
  expect(bytes.length).toBe(PREFIX_BYTES + blockBytes);
  return family === undefined ? undefined : readClient(family, bytes.subarray(PREFIX_BYTES));
}

const TLVS = Buffer.from([0x03, 0, 4, 1, 2, 3, 4, 0x04, 0, 0, 0xea, 0, 2, 1, 65]);
const ONE = '0'.repeat(31) + '1';

describe('a header names', () => {
  it.each<[string, ProxyHeaderParts, string | undefined]>([
    ['a client of IPv4', {}, '192.0.2.7'],
    ['the lowest address', { block: Buffer.alloc(12) }, '0.0.0.0'],
    ['the highest address', { block: Buffer.alloc(12, 0xff) }, '255.255.255.255'],
    ['a client, and more that is skipped', { block: Buffer.concat([IPV4_BLOCK, TLVS]) }, '192.0.2.7'],
    [
      'a client, and more that is no list of TLVs',
      { block: Buffer.concat([IPV4_BLOCK, Buffer.from([9])]) },
      '192.0.2.7',
    ],
    [
      'a client, and as much as there may be',
      { block: Buffer.concat([IPV4_BLOCK, Buffer.alloc(MAX_BLOCK_BYTES - IPV4_BLOCK.length)]) },
      '192.0.2.7',
    ],
    ['a client of IPv6', { family: 0x21, block: ipv6Block('20010db8000000000000000000000007') }, '2001:db8::7'],
    ['a client of IPv6 on the same machine', { family: 0x21, block: ipv6Block(ONE) }, '::1'],
    ['no address of IPv6', { family: 0x21, block: ipv6Block('0'.repeat(32)) }, '::'],
    [
      'a client of IPv6 with zeros in two places',
      { family: 0x21, block: ipv6Block('20010db8000000000001000000000001') },
      '2001:db8::1:0:0:1',
    ],
    [
      'a client of IPv4 in the form of IPv6',
      { family: 0x21, block: ipv6Block('00000000000000000000ffffc0000207') },
      '192.0.2.7',
    ],
    ['a client of IPv6, and more', { family: 0x21, block: Buffer.concat([ipv6Block(ONE), TLVS]) }, '::1'],
    ['the proxy itself', { command: 0x20, family: 0, block: Buffer.alloc(0) }, undefined],
    ['the proxy itself, with addresses', { command: 0x20 }, undefined],
    ['the proxy itself, with a family that is none', { command: 0x20, family: 0xff, block: TLVS }, undefined],
  ])('%s', (_what, parts, client) => {
    expect(read(parts)).toBe(client);
  });
});

describe('no header is', () => {
  it.each<[string, ProxyHeaderParts]>([
    ['one without the signature', { signature: '\r\n\r\n\0\r\nQUIT\r' }],
    ['an HTTP request', { signature: 'GET / HTTP/1' }],
    ['one of version 1', { signature: 'PROXY TCP4 1' }],
    ['one of version 1 in binary', { command: 0x11 }],
    ['one of version 3', { command: 0x31 }],
    ['one with an unknown command', { command: 0x22 }],
    ['one of an unknown family', { family: 0x41 }],
    ['one of an unspecified client', { family: 0x00 }],
    ['one of an unspecified protocol', { family: 0x10 }],
    ['one of a client over UDP', { family: 0x12 }],
    ['one of a client over UDP and IPv6', { family: 0x22, block: ipv6Block(ONE) }],
    ['one of a client over a Unix socket', { family: 0x31, block: Buffer.alloc(216) }],
    ['one with too few bytes for IPv4', { block: IPV4_BLOCK.subarray(1) }],
    ['one with too few bytes for IPv6', { family: 0x21 }],
    ['one without addresses', { block: Buffer.alloc(0) }],
    ['one that is too long', { block: Buffer.alloc(MAX_BLOCK_BYTES + 1) }],
    ['one that says that it is the longest there can be', { length: 0xffff }],
    ['one of the proxy itself that is too long', { command: 0x20, length: 0xffff }],
  ])('%s', (_what, parts) => {
    expect(readPrefix(proxyHeader(parts).subarray(0, PREFIX_BYTES))).toBeUndefined();
  });
});
