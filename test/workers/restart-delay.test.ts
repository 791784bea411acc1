import { expect, it } from '@jest/globals';
import { nextRestartDelay } from '../../src/workers/restart-delay.ts';

it.each([
  [60_000, 0, 0],
  [10_000, 5_000, 0],
  [9_999, 0, 100],
  [0, 100, 200],
  [0, 200, 400],
  [0, 3_200, 5_000],
  [0, 5_000, 5_000],
])('a worker that served for %i ms and had waited %i ms is replaced after %i ms', (lifetime, previous, delay) => {
  expect(nextRestartDelay(lifetime, previous)).toBe(delay);
});
