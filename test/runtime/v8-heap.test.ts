import { execFileSync } from 'node:child_process';
import { constants, PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { collectPassedBytes, countPassedBytes } from '../../src/runtime/v8-heap.ts';
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
  collectPassedBytes();
  pass(16);
  pass(17);
  await until('all collections are told of', () => collections >= 3);
  observer.disconnect();
  expect(collections).toBe(3);
});

/** The sizes that the young generation had in a process of its own, in megabytes. */
function growYoungGeneration(processBytes: number): number[] {
  const program = fileURLToPath(new URL('young-generation.ts', import.meta.url));
  const args = ['--import', 'tsx', program, String(processBytes)];
  const sizes = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as number[];
  return sizes.map((bytes) => Math.round(bytes / MEGABYTE));
}

it('where memory is little, the young generation grows to 16 MB, and no further', () => {
  expect(growYoungGeneration(256 * MEGABYTE).at(-1)).toBe(16);
});

it('where memory is not little, the young generation grows to its full size at once', () => {
  const fullSize = Number(process.versions.node.split('.')[0]) < 24 ? 16 : 32;
  expect(growYoungGeneration(2_048 * MEGABYTE)).toEqual([fullSize]);
});
