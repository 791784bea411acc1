import { mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FileWatch } from '../../src/reload/file-watch.ts';
import { until } from '../support/gateway-poll.ts';

let folder = '';
let changes = 0;
let watch: FileWatch;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'file-watch-'));
  changes = 0;
  watch = new FileWatch({ onChange: () => (changes += 1), pollMs: 20, stillMs: 10, maxMissingMs: 200 });
  writeFileSync(join(folder, 'a.yaml'), 'first');
});
afterEach(() => {
  watch.close();
  rmSync(folder, { recursive: true });
});

const path = (): string => join(folder, 'a.yaml');

describe('a watch of files', () => {
  it.each<[string, () => void]>([
    ['is written', () => writeFileSync(path(), 'second')],
    [
      'is replaced by another, as editors do',
      () => {
        writeFileSync(`${path()}~`, 'second');
        renameSync(`${path()}~`, path());
      },
    ],
    ['is gone for good', () => unlinkSync(path())],
    [
      'is gone and comes back in many steps',
      () => {
        unlinkSync(path());
        ['s', 'se', 'second'].forEach((text) => writeFileSync(path(), text));
      },
    ],
  ])('tells once that one %s', async (_what, change) => {
    await watch.follow([path()]);
    change();
    await until('the change is seen', () => changes > 0);
    await looks(5);
    expect(changes).toBe(1);
  });

  it('tells that a link above the file leads elsewhere, as in a ConfigMap volume', async () => {
    for (const version of ['..1', '..2']) {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, 'b.yaml'), 'the same');
    }
    symlinkSync('..1', join(folder, '..data'));
    symlinkSync('..data/b.yaml', join(folder, 'b.yaml'));
    await watch.follow([join(folder, 'b.yaml')]);
    symlinkSync('..2', join(folder, '..next'));
    renameSync(join(folder, '..next'), join(folder, '..data'));
    await until('the change is seen', () => changes === 1);
  });

  it('tells nothing of other files in the folder', async () => {
    await watch.follow([path()]);
    writeFileSync(join(folder, 'audit.log'), 'a line');
    await looks(5);
    expect(changes).toBe(0);
  });

  it('tells that a file which was missing when it was looked for has come', async () => {
    await watch.follow([path(), join(folder, 'later.yaml')]);
    writeFileSync(join(folder, 'later.yaml'), 'here');
    await until('the change is seen', () => changes === 1);
  });

  it('tells of a change that came before the list of files was renewed', async () => {
    await watch.follow([path()]);
    writeFileSync(path(), 'second');
    await watch.follow([path(), join(folder, 'other.yaml')]);
    await until('the change is seen', () => changes === 1);
  });

  it('tells nothing once it is closed', async () => {
    await watch.follow([path()]);
    watch.close();
    writeFileSync(path(), 'second');
    await looks(5);
    expect(changes).toBe(0);
  });
});

/** Waits for as many looks at the files as a watch makes. */
async function looks(count: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, count * 20);
  });
}
