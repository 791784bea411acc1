import { hash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { DigestTable } from '../../src/session/digest-table.ts';

/** So many entries have room in a table before it grows. */
const FIRST_ROOM = 1_024;

function digestOf(text: string | number): string {
  return hash('sha256', String(text), 'binary');
}

function createTable(maxSize: number, values: readonly string[] = []): DigestTable<string> {
  const table = new DigestTable<string>(maxSize);
  for (const value of values) {
    table.add(digestOf(value), value, 0);
  }
  return table;
}

/** Evicts all, the least recently used first. */
function evictAll(table: DigestTable<unknown>): readonly string[] {
  const digests: string[] = [];
  for (let oldest = table.removeOldest(); oldest !== undefined; oldest = table.removeOldest()) {
    digests.push(oldest);
  }
  return digests;
}

describe('a table by SHA-256', () => {
  it('finds what was added under the whole digest only', () => {
    const table = createTable(10);
    const digest = digestOf('adele');
    table.add(digest, 'adele', 0);
    const near = Array.from({ length: digest.length }, (_, at) => {
      const byte = digest.charCodeAt(at) ^ 0x80;
      return digest.slice(0, at) + String.fromCharCode(byte) + digest.slice(at + 1);
    });
    expect(near.filter((other) => table.find(other) !== undefined)).toEqual([]);
    expect(table.find(digest)).toBe('adele');
  });

  it('finds digests that begin alike, in whatever order they came and went', () => {
    // Only the first four bytes choose a bucket, so that all of these share one.
    const digests = ['a', 'b', 'c', 'd'].map((name) => 'same' + digestOf(name).slice(4));
    for (const removed of digests) {
      const table = new DigestTable<string>(10);
      for (const digest of digests) {
        table.add(digest, digest, 0);
      }
      table.remove(removed);
      expect(digests.map((digest) => table.find(digest))).toEqual(
        digests.map((digest) => (digest === removed ? undefined : digest)),
      );
    }
  });

  it.each([
    ['nothing was looked up', [], ['a', 'b', 'c', 'd']],
    ['the oldest was looked up', ['a'], ['b', 'c', 'd', 'a']],
    ['the newest was looked up', ['d'], ['a', 'b', 'c', 'd']],
    ['all were, the other way round', ['d', 'c', 'b', 'a'], ['d', 'c', 'b', 'a']],
    ['something was that is not there', ['e'], ['a', 'b', 'c', 'd']],
  ])('gives up the least recently used first when %s', (_, lookedUp, order) => {
    const table = createTable(4, ['a', 'b', 'c', 'd']);
    for (const name of lookedUp) {
      table.find(digestOf(name));
    }
    expect(evictAll(table)).toEqual(order.map((name) => digestOf(name)));
    expect([table.size, table.removeOldest()]).toEqual([0, undefined]);
  });

  it('takes no more than it has room for, and as many again as have left', () => {
    const table = createTable(3, ['a', 'b', 'c']);
    expect(() => table.add(digestOf('d'), 'd', 0)).toThrow(RangeError);
    table.remove(digestOf('b'));
    table.add(digestOf('d'), 'd', 0);
    expect(['a', 'b', 'c', 'd'].map((name) => table.find(digestOf(name)))).toEqual(['a', undefined, 'c', 'd']);
    expect(table.size).toBe(3);
  });

  it('removes what has ended, so many at a time, and tells which', () => {
    const table = new DigestTable<string>(10);
    for (const [name, endMinute] of Object.entries({ a: 5, b: 7, c: 5, d: 6, e: Number.MAX_SAFE_INTEGER })) {
      table.add(digestOf(name), name, endMinute);
    }
    expect(table.removeEnded(5, 10)).toEqual([]);
    expect(table.removeEnded(7, 2)).toEqual([digestOf('a'), digestOf('c')]);
    expect(table.removeEnded(7, 2)).toEqual([digestOf('d')]);
    expect(table.removeEnded(2 ** 31 - 1, 10)).toEqual([digestOf('b')]);
    expect([table.size, table.find(digestOf('e'))]).toEqual([1, 'e']);
  });

  it.each([2 ** 31 - 1, 2 ** 31, 2 ** 40, Number.POSITIVE_INFINITY])(
    'removes nothing twice, whatever the clock says: minute %d',
    (minute) => {
      const table = new DigestTable<string>(10);
      table.add(digestOf('a'), 'a', 5);
      table.add(digestOf('b'), 'b', 6);
      table.remove(digestOf('a'));
      expect(table.removeEnded(minute, 10)).toEqual([digestOf('b')]);
      expect(table.removeEnded(minute, 10)).toEqual([]);
      expect(table.size).toBe(0);
    },
  );

  it('finds out about what ends early, whatever came before it and however late it is asked', () => {
    const table = new DigestTable<string>(10);
    table.add(digestOf('a'), 'a', 9);
    expect(table.removeEnded(8, 10)).toEqual([]);
    table.add(digestOf('b'), 'b', 3);
    table.add(digestOf('c'), 'c', 7);
    expect(table.removeEnded(8, 1)).toEqual([digestOf('b')]);
    expect(table.removeEnded(8, 1)).toEqual([digestOf('c')]);
    expect(table.removeEnded(8, 1)).toEqual([]);
    expect(table.removeEnded(10, 1)).toEqual([digestOf('a')]);
  });

  it('does the same as a map that is kept in the order of use, through 200,000 steps', () => {
    const MAX_SIZE = 3_000;
    const table = new DigestTable<number>(MAX_SIZE);
    const model = new Map<string, { readonly value: number; readonly endMinute: number }>();
    const digests = Array.from({ length: 2 * MAX_SIZE }, (_, name) => digestOf(name));
    const next = createRandom();
    const differences: string[] = [];
    let largest = 0;
    for (let step = 0; step < 200_000; step += 1) {
      const digest = digests[next(digests.length)] ?? '';
      const known = model.get(digest);
      if (table.find(digest) !== known?.value) {
        differences.push(`step ${step}: another value`);
      }
      if (known === undefined) {
        const [oldest = ''] = model.keys();
        if (model.size === MAX_SIZE && model.delete(oldest) && table.removeOldest() !== oldest) {
          differences.push(`step ${step}: another one was the oldest`);
        }
        const endMinute = Math.floor(step / 1_000) + next(20);
        model.set(digest, { value: step, endMinute });
        table.add(digest, step, endMinute);
      } else {
        model.delete(digest);
        if (next(4) === 0) {
          table.remove(digest);
        } else {
          model.set(digest, known);
        }
      }
      if (step % 500 === 0) {
        const minute = Math.floor(step / 1_000);
        const ended = [...model].filter(([, one]) => one.endMinute < minute).map(([name]) => name);
        const removed = table.removeEnded(minute, 40);
        if (removed.length !== Math.min(ended.length, 40) || !removed.every((name) => ended.includes(name))) {
          differences.push(`step ${step}: others have ended`);
        }
        removed.forEach((name) => model.delete(name));
      }
      if (table.size !== model.size) {
        differences.push(`step ${step}: ${table.size} entries, not ${model.size}`);
      }
      largest = Math.max(largest, model.size);
    }
    expect(differences).toEqual([]);
    expect([largest, model.size > FIRST_ROOM]).toEqual([MAX_SIZE, true]);
    expect(evictAll(table)).toEqual([...model.keys()]);
  });
});

/** Whole numbers below a bound, the same ones in every run. */
function createRandom(): (below: number) => number {
  let state = 1;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
