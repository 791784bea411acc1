import { describe, expect, it } from '@jest/globals';
import { adviseMemory } from '../../src/config/advise-memory.ts';
import { heapLimitOf, planMemory, type MemoryNeeds } from '../../src/config/plan-memory.ts';

const MIB = 1_024 ** 2;
const NEEDS: MemoryNeeds = { workers: 1, downstreams: 1, maxSessions: undefined, largestBodyBytes: 10 * MIB };

function plan(mebibytes: number, needs: Partial<MemoryNeeds> = {}) {
  return planMemory({ bytes: mebibytes * MIB, setBy: 'cgroup' }, { ...NEEDS, ...needs });
}

describe('what the memory limit is used for', () => {
  it.each<[number, Partial<MemoryNeeds>, { sessions: number; bodies: number }]>([
    [128, {}, { sessions: 8_947, bodies: 16 }],
    [256, {}, { sessions: 17_895, bodies: 32 }],
    [512, {}, { sessions: 35_791, bodies: 64 }],
    [24_000, {}, { sessions: 100_000, bodies: 64 }],
    [128, { downstreams: 5 }, { sessions: 3_441, bodies: 16 }],
    [1_104, { workers: 8 }, { sessions: 8_947, bodies: 16 }],
    [128, { maxSessions: 60_000 }, { sessions: 60_000, bodies: 16 }],
    [128, { largestBodyBytes: 100 * MIB }, { sessions: 8_947, bodies: 100 }],
    [24_000, { largestBodyBytes: 100 * MIB }, { sessions: 100_000, bodies: 400 }],
    [1, { workers: 256 }, { sessions: 69, bodies: 10 }],
  ])('%i MiB, %j: %j', (mebibytes, needs, { sessions, bodies }) => {
    const { maxSessions, bodyRoomBytes } = plan(mebibytes, needs);
    expect({ sessions: maxSessions, bodies: bodyRoomBytes / MIB }).toEqual({ sessions, bodies });
  });

  it.each([
    [128, 76],
    [24_000, 4_096],
  ])('gives a worker of %i MiB a heap of %i MiB', (mebibytes, heap) => {
    expect(heapLimitOf(plan(mebibytes)) / MIB).toBe(heap);
  });

  it.each<[number, Partial<MemoryNeeds>, readonly (string | undefined)[]]>([
    [128, {}, []],
    [127, {}, [undefined]],
    [256, { workers: 2 }, [undefined]],
    [128, { maxSessions: 8_947 }, []],
    [128, { maxSessions: 8_948 }, ['tokenCache.maxSessions']],
    [128, { largestBodyBytes: 17 * MIB }, ['server.bodyLimit']],
  ])('%i MiB, %j: advises on %j', (mebibytes, needs, keys) => {
    expect(adviseMemory(plan(mebibytes, needs)).map(({ key }) => key)).toEqual(keys);
  });
});
