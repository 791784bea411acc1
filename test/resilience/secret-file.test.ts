import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { readSecretFile, SecretFile } from '../../src/resilience/secret-file.ts';

const root = mkdtempSync(join(tmpdir(), 'secret-file-'));
afterAll(() => rmSync(root, { recursive: true }));

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(root, 'each-'));
  file = join(folder, 'secret');
});

/** A secret file whose listener writes down what it gets to know. */
function open(path = file): { readonly secret: SecretFile; readonly told: string[] } {
  const told: string[] = [];
  const secret = new SecretFile(path, {
    onChange: () => told.push('changed'),
    onTrouble: ({ message }) => told.push(message),
    onRecovery: () => told.push('recovered'),
  });
  return { secret, told };
}

describe('a file with a secret', () => {
  it.each([
    ['as it is', 'hunter2', 'hunter2'],
    ['without the line break at its end', 'hunter2\n', 'hunter2'],
    ['without that of Windows', 'hunter2\r\n', 'hunter2'],
    ['without several of them', 'hunter2\n\n', 'hunter2'],
    ['with its spaces', ' hunter 2 ', ' hunter 2 '],
    ['in any script', 'héslo~密\n', 'héslo~密'],
  ])('is read %s', async (_how, content, secret) => {
    writeFileSync(file, content);
    expect(await readSecretFile(file)).toBe(secret);
  });

  it.each<[string, () => void, string]>([
    ['missing', () => {}, 'the file cannot be read (ENOENT)'],
    ['a folder', () => mkdirSync(file), 'it is not a file'],
    ['empty', () => writeFileSync(file, ''), 'the file is empty'],
    ['empty but for a line break', () => writeFileSync(file, '\r\n'), 'the file is empty'],
    ['enormous', () => writeFileSync(file, 'a'.repeat(64 * 1_024 + 1)), 'the file is larger than 64 kB'],
    ['two lines', () => writeFileSync(file, 'a\nb\n'), 'the file holds something else than text of one line'],
    [
      'no text',
      () => writeFileSync(file, Buffer.from([0x61, 0xff, 0x62])),
      'the file holds something else than text of one line',
    ],
  ])('cannot be used when it is %s, and neither it nor its path is quoted', async (_what, make, message) => {
    make();
    await expect(readSecretFile(file)).rejects.toThrow(new Error(message));
  });
});

describe('a secret in a file that changes', () => {
  it.each<[string, (content: string) => void]>([
    ['written anew', (content) => writeFileSync(file, content)],
    [
      'replaced',
      (content) => {
        writeFileSync(`${file}.new`, content);
        renameSync(`${file}.new`, file);
      },
    ],
  ])('is the new one as soon as the file is %s', async (_how, change) => {
    writeFileSync(file, 'old\n');
    const { secret, told } = open();
    const before = await secret.read();
    change('newer\n');
    expect([before, await secret.read(), await secret.read(), told]).toEqual(['old', 'newer', 'newer', ['changed']]);
  });

  it('is the new one when a link leads elsewhere, as Kubernetes does it', async () => {
    for (const [name, content] of [
      ['..1', 'old'],
      ['..2', 'new'],
    ] as const) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'secret'), content);
    }
    symlinkSync('..1', join(folder, '..data'));
    symlinkSync('..data/secret', file);
    const { secret, told } = open();
    const before = await secret.read();
    symlinkSync('..2', join(folder, '..next'));
    renameSync(join(folder, '..next'), join(folder, '..data'));
    expect([before, await secret.read(), told]).toEqual(['old', 'new', ['changed']]);
  });

  it('is no change when the file says the same', async () => {
    writeFileSync(file, 'same');
    const { secret, told } = open();
    await secret.read();
    writeFileSync(file, 'same\n');
    expect([await secret.read(), told]).toEqual(['same', []]);
  });

  it('tells a change once, however many read it at once', async () => {
    writeFileSync(file, 'old');
    const { secret, told } = open();
    await secret.read();
    writeFileSync(file, 'newer');
    const found = await Promise.all(Array.from({ length: 50 }, () => secret.read()));
    expect([new Set(found), told]).toEqual([new Set(['newer']), ['changed']]);
  });
});

describe('a secret in a file that cannot be used any more', () => {
  it('stays, and each reason is told once, and the end of it', async () => {
    writeFileSync(file, 'old');
    const { secret, told } = open();
    const found = [await secret.read()];
    rmSync(file);
    found.push(await secret.read(), await secret.read());
    writeFileSync(file, '');
    found.push(await secret.read());
    writeFileSync(file, 'old');
    found.push(await secret.read(), await secret.read());
    expect([new Set(found), told]).toEqual([
      new Set(['old']),
      ['the file cannot be read (ENOENT)', 'the file is empty', 'recovered'],
    ]);
  });

  it('is the new one afterwards, and that is the end of it', async () => {
    writeFileSync(file, 'old');
    const { secret, told } = open();
    await secret.read();
    rmSync(file);
    await secret.read();
    writeFileSync(file, 'new');
    expect([await secret.read(), told]).toEqual(['new', ['the file cannot be read (ENOENT)', 'changed']]);
  });

  it('is an error while the file never held one, and is found as soon as it does', async () => {
    const { secret, told } = open();
    await expect(secret.read()).rejects.toThrow('ENOENT');
    writeFileSync(file, 'first');
    expect([await secret.read(), told]).toEqual(['first', []]);
  });
});
