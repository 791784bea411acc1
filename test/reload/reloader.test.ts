import { describe, expect, it } from '@jest/globals';
import { Reloader } from '../../src/reload/reloader.ts';

/** A reloader whose reloads end when told to. */
function createReloader() {
  const ends: (() => void)[] = [];
  let begun = 0;
  const reloader = new Reloader(() => {
    begun += 1;
    return new Promise((resolve) => ends.push(resolve));
  });
  const endOne = async (): Promise<void> => {
    ends.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { reloader, endOne, begun: () => begun };
}

describe('a reloader', () => {
  it('runs what was asked for before its start once, as soon as it starts', () => {
    const { reloader, begun } = createReloader();
    reloader.request();
    reloader.request();
    const before = begun();
    reloader.start();
    expect([before, begun()]).toEqual([0, 1]);
  });

  it('makes one more reload of all that is asked for while one runs', async () => {
    const { reloader, endOne, begun } = createReloader();
    reloader.start();
    const counts = [];
    for (let requests = 0; requests < 3; requests += 1) {
      reloader.request();
      counts.push(begun());
    }
    await endOne();
    counts.push(begun());
    await endOne();
    counts.push(begun());
    expect(counts).toEqual([1, 1, 1, 2, 2]);
  });

  it('begins none once it was stopped', async () => {
    const { reloader, endOne, begun } = createReloader();
    reloader.start();
    reloader.request();
    reloader.request();
    reloader.stop();
    await endOne();
    reloader.request();
    expect(begun()).toBe(1);
  });
});
