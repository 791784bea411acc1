import { describe, expect, it } from '@jest/globals';
import { compileMultiple } from '../../../src/contract/schema/is-multiple.ts';

describe('a number is a multiple of another as both are written', () => {
  it.each<[divisor: number, multiples: readonly number[], others: readonly number[]]>([
    [0.01, [19.99, 4.35, 0.07, 1.1, 1_234_567.89, -0.29, 0, -0, 1e15, 1e20, 1e308], [0.005, 19.999, 1e-3, 1e-300]],
    [0.1, [0.3, 0.7, 1.1, 4.1, 1e21], [0.35, 0.01]],
    [0.3, [0.9, 1.2, 3e300], [1, 0.31, 1e300]],
    [1e-7, [3e-7, 1, 0.1234567], [1e-8, 0.12345678]],
    [1e-308, [3e-308, 1, 1e308], [1e-309, 5e-324]],
    [3, [9, -3, 3e20, 9_007_199_254_740_990], [1, 3.1, 1e20, 9_007_199_254_740_991]],
    [0.123456789, [0.123456789, 123456789], [0.12345678, 1]],
    [1e300, [3e300, 0], [1e299, 1e-300, 1]],
    [2.5, [5, 7.5, 2.5e10], [1, 5.1]],
  ])('of %d', (divisor, multiples, others) => {
    const isMultiple = compileMultiple(divisor);
    expect(multiples.filter((value) => !isMultiple(value))).toEqual([]);
    expect(others.filter((value) => isMultiple(value))).toEqual([]);
  });

  it('and what no float can hold is of none', () => {
    expect([Number.POSITIVE_INFINITY, Number.NaN].map(compileMultiple(1))).toEqual([false, false]);
  });
});
