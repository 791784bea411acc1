import { describe, expect, it } from '@jest/globals';
import { Networks } from '../../src/network/networks.ts';

describe('a list of networks', () => {
  const networks = new Networks(['10.0.0.0/8', '192.0.2.1', '2001:db8:1::/48', '::1']);

  it.each([
    ['10.255.0.1', true],
    ['11.0.0.1', false],
    ['192.0.2.1', true],
    ['192.0.2.2', false],
    ['2001:db8:1::5', true],
    ['2001:db8:2::5', false],
    ['::1', true],
    ['10.0.0.1.example', false],
    ['10.0.0', false],
    ['', false],
  ])('has %s: %s, however often it is asked', (address, has) => {
    expect([networks.has(address), networks.has(address), networks.has(address)]).toEqual([has, has, has]);
  });

  it('says the same of an address after it has seen more than it remembers', () => {
    const addresses = Array.from({ length: 3_000 }, (_, index) => `10.${index % 100}.${index % 7}.${index % 251}`);
    expect(addresses.every((address) => networks.has(address))).toBe(true);
    expect(addresses.some((address) => networks.has(address.replace(/^10/, '11')))).toBe(false);
    expect(networks.has('10.0.0.0')).toBe(true);
  });

  it('has nothing where it is empty', () => {
    expect(new Networks([]).has('127.0.0.1')).toBe(false);
  });
});
