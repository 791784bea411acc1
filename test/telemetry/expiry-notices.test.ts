import { describe, expect, it } from '@jest/globals';
import { ExpiryNotices, type Expiring } from '../../src/telemetry/expiry-notices.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const END_MS = Date.UTC(2027, 5, 1);
const CERTIFICATE = { key: 'identity.credential.certificate', remedy: 'Replace it.' };

interface Line {
  readonly daysLeft: number;
  readonly key: string;
}

/** Looks at something once an hour. */
function watch(expiring: Partial<Expiring> = {}) {
  const lines: Line[] = [];
  const notices = new ExpiryNotices({ warn: (line: object) => lines.push(line as Line) });
  return {
    lines,
    lookFrom: (firstMs: number, lastMs: number, endMs = END_MS): void => {
      for (let now = firstMs; now <= lastMs; now += HOUR_MS) {
        notices.note({ ...CERTIFICATE, endSeconds: endMs / 1_000, ...expiring }, now);
      }
    },
  };
}

describe('the end of a credential', () => {
  it('is told 30 and 7 days before, then each day, and when it has come', () => {
    const { lines, lookFrom } = watch();
    lookFrom(END_MS - 60 * DAY_MS, END_MS + 5 * DAY_MS);
    expect(lines.map(({ daysLeft }) => daysLeft)).toEqual([30, 7, 6, 5, 4, 3, 2, 1, 0]);
  });

  it.each([
    ['12 days before', 12, [12]],
    ['3 days before', 3, [3]],
    ['after it', -2, [0]],
    ['31 days before', 31, []],
  ])('is told at the start, %s', (_when, days, told) => {
    const { lines, lookFrom } = watch();
    lookFrom(END_MS - days * DAY_MS, END_MS - days * DAY_MS);
    expect(lines.map(({ daysLeft }) => daysLeft)).toEqual(told);
  });

  it('is told with its key, its time and what to do', () => {
    const { lines, lookFrom } = watch();
    lookFrom(END_MS - 20 * DAY_MS, END_MS - 20 * DAY_MS);
    expect(lines).toEqual([
      { ...CERTIFICATE, reason: 'it ends soon', endsAt: '2027-06-01T00:00:00.000Z', daysLeft: 20 },
    ]);
  });

  it('is told anew of what took its place', () => {
    const { lines, lookFrom } = watch();
    lookFrom(END_MS - 5 * DAY_MS, END_MS - 5 * DAY_MS);
    lookFrom(END_MS - 5 * DAY_MS, END_MS + 60 * DAY_MS, END_MS + 70 * DAY_MS);
    expect(lines.map(({ daysLeft }) => daysLeft)).toEqual([5, 30]);
  });

  it('is told of what others renew only when nobody did', () => {
    const { lines, lookFrom } = watch({ isRenewed: true });
    lookFrom(END_MS - HOUR_MS, END_MS + 3 * HOUR_MS);
    expect(lines).toMatchObject([{ daysLeft: 0 }]);
  });

  it('is not told where nobody knows it', () => {
    const { lines, lookFrom } = watch({ endSeconds: undefined });
    lookFrom(END_MS - DAY_MS, END_MS + DAY_MS);
    expect(lines).toEqual([]);
  });
});
