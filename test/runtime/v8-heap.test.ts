import { execFileSync } from 'node:child_process';
import { constants, PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { countPassedBytes, ownHeap } from '../../src/runtime/v8-heap.ts';
import { until } from '../support/gateway-poll.ts';

const MEGABYTE = 1_024 * 1_024;

function isForcedMinor(entry: PerformanceEntry): boolean {
  // The types do not know the detail of an entry of Node's own.
  const { kind, flags } = (entry as PerformanceEntry & { detail: { kind: number; flags: number } }).detail;
  return kind === constants.NODE_PERFORMANCE_GC_MINOR && (flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0;
}

function pass(megabytes: number): void {
  for (let count = 0; count < megabytes; count += 1) {
    countPassedBytes(MEGABYTE);
  }
}

it('young garbage is collected after each 16 MB that passed, in a process of our own', async () => {
  let collections = 0;
  const observer = new PerformanceObserver((list) => {
    collections += list.getEntries().filter(isForcedMinor).length;
  });
  observer.observe({ entryTypes: ['gc'] });
  pass(15);
  ownHeap();
  pass(16);
  pass(17);
  await until('all collections are told of', () => collections >= 3);
  observer.disconnect();
  expect(collections).toBe(3);
});

/** The sizes that the young generation had in a process of its own, in megabytes. */
function growYoungGeneration(flags: readonly string[], ...args: readonly string[]): number[] {
  const program = fileURLToPath(new URL('young-generation.ts', import.meta.url));
  const output = execFileSync(process.execPath, [...flags, '--import', 'tsx', program, ...args], { encoding: 'utf8' });
  return (JSON.parse(output) as number[]).map((bytes) => Math.round(bytes / MEGABYTE));
}

const LITTLE = String(256 * MEGABYTE);
const ENOUGH = String(2_048 * MEGABYTE);
/** By itself V8 would choose it by its version and by the memory of the machine. */
const FULL_SIZE = ['--max-semi-space-size=16'];

it('where memory is little, the young generation grows to 16 MB, and no further', () => {
  expect(Math.max(...growYoungGeneration([], LITTLE, 'own'))).toBe(16);
});

it('where memory is not little, the young generation of a process of our own grows to its full size at once', () => {
  expect(growYoungGeneration(FULL_SIZE, ENOUGH, 'own')).toEqual([16]);
});

it('the young generation of an application grows as V8 decides', () => {
  expect(growYoungGeneration(FULL_SIZE, ENOUGH)[0]).toBeLessThan(16);
});
