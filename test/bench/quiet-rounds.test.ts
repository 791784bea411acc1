import { describe, expect, it } from '@jest/globals';
import { QuietRounds, type RepeatBudget } from '../../bench/measure/quiet-rounds.ts';

const ATTEMPT_MS = 10_000;

/**
 * A machine of which neighbours take a given share (in percent, `NaN` where the kernel tells no number) of each attempt,
 * which then gives its number. Preparing one is disturbed always, and takes as long again.
 */
function createMachine(shares: readonly number[], budget: RepeatBudget = { reserve: 1_000, perSecond: 0 }) {
  const lines: string[] = [];
  const pauses: number[] = [];
  const times = { busy: 0, stolen: 0 };
  let clock = 0;
  let attempts = 0;
  const rounds = new QuietRounds({
    budget,
    tell: (line) => lines.push(line),
    readTimes: () => ({ ...times }),
    pause: async (duration) => {
      pauses.push(duration / 1_000);
      clock += duration;
    },
    now: () => clock,
  });
  const attempt = async (): Promise<number> => {
    const share = shares[attempts] ?? 0;
    times.busy += 1_000 - 10 * share;
    times.stolen += 10 * share;
    clock += ATTEMPT_MS;
    attempts += 1;
    return attempts;
  };
  const prepare = async (): Promise<void> => {
    times.stolen += 1_000;
    clock += ATTEMPT_MS;
  };
  return { rounds, attempt, prepare, lines, pauses };
}

describe('what is measured', () => {
  it.each([
    { what: 'once on a quiet machine', shares: [2], counts: 1, waits: [] },
    { what: 'until the machine is quiet', shares: [40, 12, 1], counts: 3, waits: [2, 5] },
    { what: 'five times more at most', shares: [9, 8, 3, 7, 6, 5, 0], counts: 3, waits: [2, 5, 10, 20, 30] },
    {
      what: 'no more than once without a budget',
      shares: [40],
      budget: { reserve: 0, perSecond: 0 },
      counts: 1,
      waits: [],
    },
    {
      what: 'again while the budget lasts',
      shares: [40, 30, 20, 0],
      budget: { reserve: 20, perSecond: 0 },
      counts: 3,
      waits: [2, 5],
    },
  ])('is measured $what, and the least disturbed attempt counts', async ({ shares, budget, counts, waits }) => {
    const { rounds, attempt, pauses } = createMachine(shares, budget);
    expect([await rounds.measure(attempt), pauses]).toEqual([counts, waits]);
  });

  it('shares one budget with the rest of the run', async () => {
    const { rounds, attempt } = createMachine([40, 0, 40, 0, 40, 0], { reserve: 20, perSecond: 0 });
    const counting = [await rounds.measure(attempt), await rounds.measure(attempt), await rounds.measure(attempt)];
    expect(counting).toEqual([2, 4, 5]);
  });

  it('earns time for what comes later', async () => {
    const { rounds, attempt, pauses } = createMachine([0, 40, 30, 20], { reserve: 0, perSecond: 1 });
    const counting = [await rounds.measure(attempt), await rounds.measure(attempt)];
    expect([counting, pauses]).toEqual([
      [1, 4],
      [2, 5],
    ]);
  });

  it('is announced to the one who waits', async () => {
    const { rounds, attempt, lines } = createMachine([12, 0]);
    await rounds.measure(attempt);
    expect(lines).toEqual(['the machine was disturbed (12.0 % stolen): again in 2 s']);
  });

  it('is judged without what was not watched', async () => {
    const { rounds, attempt, prepare, pauses } = createMachine([1]);
    const measured = await rounds.measureParts(async (watch) => {
      await prepare();
      return watch(attempt);
    });
    expect([measured, pauses, rounds.describe()]).toEqual([
      1,
      [],
      expect.stringContaining("at most 1.0 % of the processors' time"),
    ]);
  });

  it('is judged by all parts that were watched together', async () => {
    const { rounds, attempt, prepare } = createMachine([3, 1]);
    await rounds.measureParts(async (watch) => {
      await watch(attempt);
      await prepare();
      await watch(attempt);
    });
    expect(rounds.describe()).toContain('at most 2.0 %');
  });

  it('earns no time by what was not watched', async () => {
    const { rounds, attempt, prepare, pauses } = createMachine([0, 40, 30, 20], { reserve: 0, perSecond: 1 });
    await rounds.measureParts(async (watch) => {
      await prepare();
      await prepare();
      await watch(attempt);
    });
    expect([await rounds.measure(attempt), pauses]).toEqual([4, [2, 5]]);
  });

  it.each([
    { what: 'again until it is usable', shares: [0, 0, 0], usable: [3], counts: 3, waits: [2, 5] },
    {
      what: 'and the usable attempt counts though it was disturbed',
      shares: [30, 40, 1, 9, 8, 7],
      usable: [2],
      counts: 2,
    },
    {
      what: 'and the least disturbed one counts where none is usable',
      shares: [9, 8, 3, 7, 6, 5],
      usable: [],
      counts: 3,
    },
  ])('is measured $what', async ({ shares, usable, counts, waits = [2, 5, 10, 20, 30] }) => {
    const { rounds, attempt, pauses } = createMachine(shares);
    const measured = await rounds.measureParts(
      (watch) => watch(attempt),
      (number) => usable.some((one) => one === number),
    );
    expect([measured, pauses]).toEqual([counts, waits]);
  });

  it('is announced as what says nothing where that is why', async () => {
    const { rounds, attempt, lines } = createMachine([0, 0]);
    await rounds.measureParts(
      (watch) => watch(attempt),
      (number) => number === 2,
    );
    expect(lines).toEqual(['what was measured says nothing: again in 2 s']);
  });

  it('is measured once where the kernel does not tell what was stolen', async () => {
    const { rounds, attempt, pauses } = createMachine([Number.NaN]);
    expect([await rounds.measure(attempt), pauses]).toEqual([1, []]);
  });

  it('is not measured again because it failed', async () => {
    const { rounds, pauses } = createMachine([]);
    await expect(rounds.measure(() => Promise.reject(new Error('wrk told no result')))).rejects.toThrow('wrk told');
    expect(pauses).toEqual([]);
  });
});

describe('the account', () => {
  it('has what was stolen of the attempts that count', async () => {
    const { rounds, attempt } = createMachine([1, 40, 0, 5, 4, 3, 4, 4, 4]);
    await rounds.measure(attempt);
    await rounds.measure(attempt);
    await rounds.measure(attempt);
    expect(rounds.describe()).toBe(
      "median 1.0 %, at most 3.0 % of the processors' time in the rounds that count; 2 of 3 were measured again, " +
        '1 stayed above 2 %',
    );
  });

  it.each([
    { when: 'always', shares: [Number.NaN, Number.NaN] },
    { when: 'once', shares: [1, Number.NaN] },
  ])('says so where the kernel told no number, be it $when', async ({ shares }) => {
    const { rounds, attempt } = createMachine(shares);
    await rounds.measure(attempt);
    await rounds.measure(attempt);
    expect(rounds.describe()).toBe(
      'unknown for some rounds, because /proc/stat told no number: they were not measured again for it',
    );
  });

  it('is empty where no speed was measured', () => {
    expect(createMachine([]).rounds.describe()).toBe('not observed');
  });
});
