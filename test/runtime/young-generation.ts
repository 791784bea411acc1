import { getHeapSpaceStatistics } from 'node:v8';
import { setImmediate as turn } from 'node:timers/promises';
import { createHeapLimit } from '../../src/runtime/v8-heap.ts';

// Makes garbage like that of many requests, part of which lives for a while, and tells how large the young generation became.
createHeapLimit(256 * 1_024 * 1_024);
const alive: object[] = [];
for (let round = 0; round < 200; round += 1) {
  for (let count = 0; count < 20_000; count += 1) {
    alive[(round * 20_000 + count) % 60_000] = { text: `${count}`, list: [round, count] };
  }
  await turn();
}
const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
process.stdout.write(String((young?.space_used_size ?? 0) + (young?.space_available_size ?? 0)));
