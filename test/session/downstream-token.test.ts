import { describe, expect, it } from '@jest/globals';
import { DownstreamToken, planToken } from '../../src/session/downstream-token.ts';

const MINUTE = 60_000;

describe('a new token', () => {
  it.each([
    { life: '24 hours', expiresIn: 86_400, refreshIn: 43_200, usable: 1_435, refresh: [720, 720] },
    { life: 'an hour', expiresIn: 3_600, refreshIn: undefined, usable: 55, refresh: [50, 55] },
    { life: 'ten minutes', expiresIn: 600, refreshIn: undefined, usable: 5, refresh: [2.5, 5] },
    { life: 'five minutes', expiresIn: 300, refreshIn: undefined, usable: 2.5, refresh: [1.25, 2.5] },
    { life: 'a minute', expiresIn: 60, refreshIn: undefined, usable: 0.5, refresh: [0.25, 0.5] },
    { life: 'no time', expiresIn: 0, refreshIn: undefined, usable: 0, refresh: [0, 0] },
    {
      life: 'less than Entra wants it refreshed after',
      expiresIn: 3_600,
      refreshIn: 7_200,
      usable: 55,
      refresh: [55, 55],
    },
  ])('that lives $life is used for $usable minutes', ({ expiresIn, refreshIn, usable, refresh }) => {
    const plans = Array.from({ length: 50 }, () => planToken('t', 1_000, { expiresIn, refreshIn }));
    const [earliest, latest] = refresh.map((minutes) => 1_000 + minutes * MINUTE) as [number, number];
    expect(plans.map(({ expiresAt, usableUntil }) => [expiresAt, usableUntil])).toEqual(
      plans.map(() => [1_000 + expiresIn * 1_000, 1_000 + usable * MINUTE]),
    );
    expect(plans.filter(({ refreshAt }) => refreshAt < earliest || refreshAt > latest)).toEqual([]);
  });

  it.each([1_000, 1_001, 1_999])('begins with the second in which it was asked for, here %i ms', (obtainedAt) => {
    const { expiresAt, usableUntil, refreshAt } = planToken('t', obtainedAt, { expiresIn: 86_400, refreshIn: 43_200 });
    expect([expiresAt, usableUntil, refreshAt]).toEqual([86_401_000, 86_101_000, 43_201_000]);
  });

  it('is refreshed at a moment of its own', () => {
    expect(
      new Set(Array.from({ length: 50 }, () => planToken('t', 0, { expiresIn: 3_600, refreshIn: undefined }).refreshAt))
        .size,
    ).toBeGreaterThan(1);
  });

  it.each([
    { expiresAt: 1_790_000_000_000, usableUntil: 1_789_999_700_000, refreshAt: 1_789_999_512_345.678 },
    { expiresAt: 1_790_000_000_123, usableUntil: 1_789_999_700_001, refreshAt: 1_789_999_512_999 },
    { expiresAt: 4_102_444_800_999, usableUntil: 4_102_444_500_000, refreshAt: 4_102_444_300_000 },
    { expiresAt: 0, usableUntil: 0, refreshAt: 0 },
    { expiresAt: 8.64e15, usableUntil: 1, refreshAt: -1 },
  ])('gives back the times that it was made with, also those that another release wrote: %j', (times) => {
    const { expiresAt, usableUntil, refreshAt } = new DownstreamToken('t', times);
    expect({ expiresAt, usableUntil, refreshAt }).toEqual(times);
  });
});

describe('the value of `Authorization`', () => {
  const times = { expiresAt: 2, usableUntil: 1, refreshAt: 0 };

  it('is that of its own token, however often and after however many others it is read', () => {
    const users = Array.from({ length: 300 }, (_, user) => ({
      token: new DownstreamToken(`a.${user}.b`, times),
      expected: `Bearer a.${user}.b`,
    }));
    const orders = [
      users,
      users.flatMap((user) => [user, user, user]),
      users.toReversed(),
      [...users.slice(0, 100), ...users.slice(0, 100), ...users.slice(0, 100), ...users],
    ];
    const wrong = orders.flat().filter(({ token, expected }) => token.authorization !== expected);
    expect(wrong).toEqual([]);
  });
});
