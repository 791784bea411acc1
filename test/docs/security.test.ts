import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const root = new URL('../../', import.meta.url);
const promises = [
  ...readFileSync(new URL('SECURITY.md', root), 'utf8').matchAll(/^\| [1-5] +\|([^|]+)\|([^|]+)\|$/gm),
].map(([, promise = '', shownBy = '']) => ({
  promise: promise.trim(),
  files: [...shownBy.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file),
}));

describe('what SECURITY.md promises', () => {
  it('is about every boundary', () => {
    expect(promises.length).toBeGreaterThan(10);
  });

  it.each(promises)('$promise: its tests exist', ({ files }) => {
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((file) => !file.endsWith('.test.ts') || !existsSync(new URL(file, root)))).toEqual([]);
  });
});
