import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { findClientAddress } from '../../src/request/client-address.ts';
import { Networks } from '../../src/network/networks.ts';

const PROXIES = new Networks(['10.0.0.0/8', '2001:db8:1::/48']);

function requestFrom(remoteAddress: string | undefined, forwardedFor?: string): IncomingMessage {
  return { socket: { remoteAddress }, headers: { 'x-forwarded-for': forwardedFor } } as unknown as IncomingMessage;
}

describe('the address of the client', () => {
  it.each<[peer: string | undefined, forwardedFor: string | undefined, address: string]>([
    ['192.0.2.1', undefined, '192.0.2.1'],
    ['::ffff:192.0.2.1', undefined, '192.0.2.1'],
    [undefined, '192.0.2.1', ''],
    ['192.0.2.1', '198.51.100.7', '192.0.2.1'],
    ['10.1.1.1', '198.51.100.7', '198.51.100.7'],
    ['::ffff:10.1.1.1', '198.51.100.7', '198.51.100.7'],
    ['2001:db8:1::5', '198.51.100.7', '198.51.100.7'],
    ['10.1.1.1', '203.0.113.9, 198.51.100.7', '198.51.100.7'],
    ['10.1.1.1', '203.0.113.9,198.51.100.7 , 10.2.2.2', '198.51.100.7'],
    ['10.1.1.1', '10.3.3.3, 10.2.2.2', '10.3.3.3'],
    ['10.1.1.1', '198.51.100.7:49152', '198.51.100.7'],
    ['10.1.1.1', '[2001:db8::7]:49152', '2001:db8::7'],
    ['10.1.1.1', '2001:db8::7', '2001:db8::7'],
    ['10.1.1.1', '::ffff:198.51.100.7', '198.51.100.7'],
    ['10.1.1.1', '::FFFF:198.51.100.7', '198.51.100.7'],
    ['10.1.1.1', '0:0:0:0:0:ffff:198.51.100.7', '198.51.100.7'],
    ['10.1.1.1', '198.51.100.7, ::ffff:a02:202', '198.51.100.7'],
    ['10.1.1.1', '198.51.100.7, unknown', '10.1.1.1'],
    ['10.1.1.1', '198.51.100.7, unknown, 10.2.2.2', '10.2.2.2'],
    ['10.1.1.1', '', '10.1.1.1'],
    ['10.1.1.1', undefined, '10.1.1.1'],
  ])('at the end of %s with X-Forwarded-For %s is %s', (peer, forwardedFor, address) => {
    expect(findClientAddress(requestFrom(peer, forwardedFor), PROXIES)).toBe(address);
  });

  it('is the other end of the connection when no proxy is trusted', () => {
    expect(findClientAddress(requestFrom('10.1.1.1', '198.51.100.7'), undefined)).toBe('10.1.1.1');
  });
});
