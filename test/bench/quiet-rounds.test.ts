import { describe, expect, it } from '@jest/globals';
import { QuietRounds, type RepeatBudget } from '../../bench/measure/quiet-rounds.ts';

const ATTEMPT_MS = 10_000;

/** A machine of which neighbours take a given share (in percent) of each attempt, which then gives its number. */
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
  return { rounds, attempt, lines, pauses };
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

  it('is empty where no speed was measured', () => {
    expect(createMachine([]).rounds.describe()).toBe('not observed');
  });
});
