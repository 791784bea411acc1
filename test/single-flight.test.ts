import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { SingleFlight } from '../src/single-flight.ts';

/** A task that counts its runs and ends when it is told to. */
function heldTask(): {
  readonly run: () => Promise<number>;
  readonly release: () => void;
  readonly runs: () => number;
} {
  let runs = 0;
  const gate = new AbortController();
  const run = async (): Promise<number> => {
    runs += 1;
    await once(gate.signal, 'abort');
    return runs;
  };
  return { run, release: () => gate.abort(), runs: () => runs };
}

describe('tasks of one key', () => {
  it('run once for all who ask meanwhile', async () => {
    const flights = new SingleFlight<number>();
    const task = heldTask();
    const answers = Array.from({ length: 10 }, () => flights.run('a', task.run));
    task.release();
    expect([await Promise.all(answers), task.runs()]).toEqual([Array.from({ length: 10 }, () => 1), 1]);
  });

  it('fail once for all who ask meanwhile', async () => {
    const flights = new SingleFlight<number>();
    const failure = new Error('no');
    let runs = 0;
    const fail = (): Promise<number> => {
      runs += 1;
      return Promise.reject(failure);
    };
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => flights.run('a', fail)));
    expect(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason === failure)).toBe(true);
    expect(runs).toBe(1);
  });

  it.each([
    ['success', (): Promise<number> => Promise.resolve(1)],
    ['failure', (): Promise<number> => Promise.reject(new Error('no'))],
  ])('run again after a %s', async (_how, first) => {
    const flights = new SingleFlight<number>();
    await flights.run('a', first).catch(() => {});
    expect(await flights.run('a', () => Promise.resolve(2))).toBe(2);
  });
});

it('tasks of two keys do not wait for each other', async () => {
  const flights = new SingleFlight<number>();
  const slow = heldTask();
  const waiting = flights.run('slow', slow.run);
  expect(await flights.run('quick', () => Promise.resolve(2))).toBe(2);
  slow.release();
  await waiting;
});
