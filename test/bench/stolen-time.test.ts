import { describe, expect, it } from '@jest/globals';
import { parseProcessorTimes, readProcessorTimes, shareStolen } from '../../bench/measure/stolen-time.ts';

const STAT = `cpu  1000 20 300 5000 40 5 75 120 60 7
cpu0 500 10 150 2500 20 2 37 60 30 3
cpu1 500 10 150 2500 20 3 38 60 30 4
intr 12345
`;

describe('the time of the processors', () => {
  it('is that of all together: neither what was idle nor what guests took counts on its own', () => {
    expect(parseProcessorTimes(STAT)).toEqual({ busy: 1_000 + 20 + 300 + 5 + 75, stolen: 120 });
  });

  it('has nothing stolen where the kernel does not tell it', () => {
    expect(parseProcessorTimes('cpu  1000 20 300 5000 40 5 75\ncpu0 1 2 3\n')).toEqual({ busy: 1_400, stolen: 0 });
  });

  it.each([
    { what: 'words for numbers', stat: 'cpu  many 20 300 5000 40 5 75 120 60 7\n' },
    { what: 'nothing of the processors', stat: 'intr 12345\n' },
    { what: 'nothing', stat: '' },
  ])('is no number where the kernel tells $what', ({ stat }) => {
    expect(parseProcessorTimes(stat).busy).toBeNaN();
  });

  (process.platform === 'linux' ? it : it.skip)('is read from this machine', () => {
    expect(readProcessorTimes().busy).toBeGreaterThan(0);
  });
});

describe('the share that was stolen', () => {
  it.each([
    { what: 'a quarter', busy: 30, stolen: 10, share: 0.25 },
    { what: 'nothing', busy: 30, stolen: 0, share: 0 },
    { what: 'nothing while nothing was done', busy: 0, stolen: 0, share: 0 },
  ])('is $what', ({ busy, stolen, share }) => {
    const span = { before: { busy: 100, stolen: 7 }, after: { busy: 100 + busy, stolen: 7 + stolen } };
    expect(shareStolen([span])).toBe(share);
  });

  it('is that of several spans together, without what lies between them', () => {
    const spans = [
      { before: { busy: 100, stolen: 0 }, after: { busy: 130, stolen: 10 } },
      { before: { busy: 500, stolen: 400 }, after: { busy: 650, stolen: 410 } },
    ];
    expect(shareStolen(spans)).toBe(0.1);
  });

  it.each([
    { which: 'first', before: Number.NaN, after: 100 },
    { which: 'last', before: 100, after: Number.NaN },
  ])('is unknown where the $which reading was no number', ({ before, after }) => {
    const span = { before: { busy: before, stolen: 0 }, after: { busy: after, stolen: 0 } };
    expect(shareStolen([span])).toBeUndefined();
  });
});
