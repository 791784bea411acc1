import { expect, it } from '@jest/globals';
import { Pulse, PULSE_INTERVAL_MS } from '../../src/workers/pulse.ts';

it('a worker that never answers has been silent since the beginning', () => {
  const pulse = new Pulse(5_000);
  expect([6_000, 7_000, 8_500].map((now) => pulse.tick(now))).toEqual([1_000, 2_000, 3_500]);
});

it('an answer ends the silence', () => {
  const pulse = new Pulse(0);
  pulse.tick(1_000);
  pulse.hear();
  expect(pulse.tick(2_000)).toBe(1_000);
});

it.each([
  ['stopped for a minute', 60_000],
  ['asleep for a day', 86_400_000],
])('a primary that was itself %s blames no worker', (_case, slept) => {
  const pulse = new Pulse(0);
  pulse.tick(1_000);
  expect(pulse.tick(1_000 + slept)).toBe(1_000 + 2 * PULSE_INTERVAL_MS);
});
