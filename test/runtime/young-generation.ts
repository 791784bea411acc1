import { getHeapSpaceStatistics } from 'node:v8';
import { argv } from 'node:process';
import { setImmediate as turn } from 'node:timers/promises';
import { collectGarbage, createHeapLimit, ownHeap } from '../../src/runtime/v8-heap.ts';

// Makes garbage like that of many requests, part of which lives for a while, and tells which sizes the young generation
// had. Its arguments are the memory that the process may take, in bytes, and `own` for a process of our own.
if (argv[3] === 'own') {
  ownHeap();
}
createHeapLimit(Number(argv[2]));
collectGarbage();
const sizes = new Set<number>();
const alive: object[] = [];
for (let round = 0; round < 200; round += 1) {
  for (let count = 0; count < 20_000; count += 1) {
    alive[(round * 20_000 + count) % 60_000] = { text: `${count}`, list: [round, count] };
  }
  await turn();
  sizes.add(readSize());
}
process.stdout.write(JSON.stringify([...sizes]));

function readSize(): number {
  const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
  return (young?.space_used_size ?? 0) + (young?.space_available_size ?? 0);
}
