import { describe, expect, it } from '@jest/globals';
import { RateLimit } from '../../src/request/rate-limit.ts';

const MINUTE = 60_000;

/** A limit whose clock stands until it is moved. */
function limitOf(requests: number, per = MINUTE): { ask(address?: string): number; pass(milliseconds: number): void } {
  let now = 1_700_000_000_000;
  const limit = new RateLimit({ requests, per }, () => now);
  return {
    ask: (address = '192.0.2.1') => limit.take(address),
    pass(milliseconds) {
      now += milliseconds;
    },
  };
}

describe('one address', () => {
  it.each([1, 3, 7, 60, 999])('may ask %i times at once, and then has to wait for its share', (requests) => {
    const limit = limitOf(requests);
    const waits = Array.from({ length: requests }, () => limit.ask());
    expect(waits).toEqual(waits.map(() => 0));
    expect(limit.ask()).toBeCloseTo(MINUTE / requests, 1);
  });

  it('may ask once more after each share of the time, and as often as at first after all of it', () => {
    const limit = limitOf(3);
    const askFour = (): number[] => [limit.ask(), limit.ask(), limit.ask(), limit.ask()];
    expect(askFour()).toEqual([0, 0, 0, 20_000]);
    limit.pass(19_000);
    expect(limit.ask()).toBe(1_000);
    limit.pass(1_000);
    expect(askFour()).toEqual([0, 20_000, 20_000, 20_000]);
    limit.pass(MINUTE);
    expect(askFour()).toEqual([0, 0, 0, 20_000]);
  });
});

describe('addresses', () => {
  it.each([
    ['192.0.2.1', '192.0.2.2', 'apart'],
    ['2001:db8::1', '2001:db8:0:0:ffff::2', 'together'],
    ['2001:db8:0:1::1', '2001:db8:0:2::1', 'apart'],
    ['2001:0DB8::1', '2001:db8::2', 'together'],
    ['fe80::1%eth0', 'fe80::2', 'together'],
    ['::1', '::2', 'together'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0:1::', 'together'],
    ['', '192.0.2.1', 'apart'],
  ])('%s and %s count %s', (one, other, how) => {
    const limit = limitOf(1);
    limit.ask(one);
    expect(limit.ask(other)).toBe(how === 'together' ? MINUTE : 0);
  });

  it('are remembered up to 20,000; then the one that asked longest ago is forgotten', () => {
    const limit = limitOf(1);
    for (let index = 0; index <= 20_000; index += 1) {
      limit.ask(`10.0.${index >> 8}.${index & 255}`);
    }
    expect([limit.ask('10.0.0.1'), limit.ask('10.0.0.0')]).toEqual([MINUTE, 0]);
  });
});
