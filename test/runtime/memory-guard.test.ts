import { describe, expect, it } from '@jest/globals';
import { MemoryGuard } from '../../src/runtime/memory-guard.ts';

const LIMIT = 100_000;

/** A process whose memory follows its sessions: as the last collection found them, and what came since. */
function startProcess(sessions: number, bytesOfOne: number, sharesProcess = false) {
  let now = 0;
  let counted = sessions;
  const reports: object[] = [];
  let capacity = sessions;
  const store = {
    size: sessions,
    maxSize: sessions,
    get capacity() {
      return capacity;
    },
    set capacity(value: number) {
      capacity = value;
      store.size = Math.min(store.size, value);
    },
  };
  const state = { collections: 0, other: 0 };
  const guard = new MemoryGuard({
    limitBytes: LIMIT,
    sessions: store,
    sharesProcess,
    monotonicMs: () => now,
    onShed: (report) => reports.push(report),
    readMemory: () => state.other + counted * bytesOfOne,
    collect: () => {
      state.collections += 1;
      counted = store.size;
    },
  });
  return {
    store,
    state,
    reports,
    guard,
    wait: (ms: number): void => void (now += ms),
    pass: (seconds: number): void => {
      for (let second = 0; second < seconds; second += 1) {
        now += 1_000;
        guard.check();
      }
    },
  };
}

describe('a process near its memory limit', () => {
  it('collects nothing and keeps every session while there is memory', () => {
    const { store, state, pass } = startProcess(10_000, 7);
    pass(60);
    expect([store.size, state.collections]).toEqual([10_000, 0]);
  });

  it('keeps every session when a collection is enough', () => {
    const { store, state, reports, pass } = startProcess(10_000, 7);
    state.other = 15_000;
    store.size = 8_000;
    pass(1);
    expect([store.size, state.collections, reports]).toEqual([8_000, 1, []]);
  });

  it('that is an application’s sheds sessions and collects nothing', () => {
    const { store, state, reports, pass } = startProcess(10_000, 1, true);
    state.other = 75_000;
    pass(60);
    expect([store.size, state.collections, reports.length]).toEqual([7_500, 0, 1]);
  });

  it('lets sessions go until it is well below the limit, and no more than that', () => {
    const { store, pass } = startProcess(10_000, 9);
    pass(60);
    expect(store.size).toBeGreaterThan(5_000);
    expect(store.size * 9).toBeLessThan(LIMIT * 0.8);
  });

  it('collects no more often than every five seconds, whatever that achieves', () => {
    const { state, pass } = startProcess(10_000, 1);
    state.other = 95_000;
    pass(60);
    expect(state.collections).toBe(12);
  });

  it('takes no new sessions on before the next collection', () => {
    const { store, state, pass } = startProcess(10_000, 7);
    state.other = 20_000;
    pass(1);
    const { size } = store;
    pass(2);
    expect(store.capacity).toBe(size);
  });

  it('lets no more sessions go when what they left stays with the process', () => {
    const { store, state, pass } = startProcess(10_000, 0);
    state.other = 85_000;
    pass(600);
    expect(store.size).toBe(7_500);
  });

  it('lets more sessions go when memory grows on', () => {
    const { store, state, pass } = startProcess(10_000, 0);
    state.other = 85_000;
    pass(6);
    state.other = 88_000;
    pass(6);
    expect(store.size).toBe(5_625);
  });

  it('always keeps a hundred sessions, even when something else takes the memory', () => {
    const { store, state, pass } = startProcess(10_000, 1);
    state.other = 99_000;
    pass(600);
    expect([store.size, store.capacity]).toEqual([100, 100]);
  });

  it('takes as many sessions as before once there is memory again', () => {
    const { store, state, pass } = startProcess(10_000, 1);
    state.other = 99_000;
    pass(30);
    state.other = 0;
    pass(120);
    expect(store.capacity).toBe(10_000);
  });

  it('is told once a minute, with what it takes', () => {
    const { state, reports, pass } = startProcess(10_000, 1);
    state.other = 99_000;
    pass(110);
    expect(reports).toEqual([
      { usedBytes: 109_000, sessions: 7_500 },
      { usedBytes: expect.any(Number), sessions: expect.any(Number) },
    ]);
  });
});

describe('a request that makes many bytes at once', () => {
  it('has room where they fit, and nothing is collected', () => {
    const { guard, state } = startProcess(10_000, 7);
    expect([guard.hasRoomFor(20_000), state.collections]).toEqual([true, 0]);
  });

  it('has room where they fit after a collection', () => {
    const { guard, state, store } = startProcess(10_000, 7);
    store.size = 5_000;
    expect([guard.hasRoomFor(30_000), state.collections]).toEqual([true, 1]);
  });

  it('has none where they do not, and takes no session of others for it', () => {
    const { guard, store } = startProcess(10_000, 7);
    expect([guard.hasRoomFor(30_000), store.size, store.capacity]).toEqual([false, 10_000, 10_000]);
  });

  it('does not make the process collect all the time', () => {
    const { guard, state, wait } = startProcess(10_000, 9);
    for (let asked = 0; asked < 100; asked += 1) {
      guard.hasRoomFor(30_000);
      wait(10);
    }
    expect(state.collections).toBe(5);
  });
});
