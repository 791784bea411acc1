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
    expect(shareStolen({ busy: 100, stolen: 7 }, { busy: 100 + busy, stolen: 7 + stolen })).toBe(share);
  });
});
