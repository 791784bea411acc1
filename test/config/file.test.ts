import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { load } from 'js-yaml';
import { loadConfig } from '../../src/config/load-config.ts';
import { toJsonSchema } from '../../src/config/schema.ts';
import { SchemaCompiler } from '../../src/contract/schema/schemas.ts';
import { ConfigError } from '../../src/failures.ts';
import { linesOf, makeConfigFolder, SHORTEST, withKeys } from './config-folder.ts';

const folder = await makeConfigFolder();
afterAll(() => folder.remove());
const file = join(folder.path, 'gateway.yaml');

describe('gateway.yaml that cannot be read', () => {
  it.each(['missing.yaml', '.'])('is named: %s', async (name) => {
    const path = join(folder.path, name);
    const code = name === '.' ? 'EISDIR' : 'ENOENT';
    await expect(loadConfig(path, {})).rejects.toEqual(
      new ConfigError([{ at: path, message: `cannot be read (${code})` }]),
    );
  });

  it('is empty: what it needs is named', async () => {
    expect((await folder.faultsOf('')).map(({ at }) => at)).toEqual(['contract', 'identity', 'downstreams']);
  });

  it.each(['[contract]', 'contract', '5'])('is no map: %s', async (text) => {
    expect(linesOf(await folder.faultsOf(text))).toEqual([
      expect.stringMatching(/^gateway\.yaml: found .*; allowed: a map of keys$/),
    ]);
  });

  it.each([
    ['a stray bracket', SHORTEST.replace('baseUrl: ', 'baseUrl: ]'), 9],
    ['a tab', SHORTEST.replace('  tenant', '\ttenant'), 3],
  ])('has %s: its line is named', async (_case, yaml, line) => {
    expect(linesOf(await folder.faultsOf(yaml))).toEqual([`${file}:${line}: cannot be read as YAML from here on`]);
  });

  it.each([
    ['a key twice: the key and', 'contract: ./other.yaml', 'has the key contract twice'],
    ['a secret as a key twice:', 'log: { hunter2: 1, hunter2: 2 }', 'has a key twice'],
    ['a second document:', '---', 'holds several YAML documents, of which the second begins here'],
    ['a tag:', 'log: !secret hunter2', 'has a tag (!name) that JSON has no value for'],
  ])('has %s its line is named', async (_case, line, message) => {
    expect(linesOf(await folder.faultsOf(`${SHORTEST}${line}\n`))).toEqual([`${file}:11: ${message}`]);
  });
});

describe('gateway.yaml made to choke on', () => {
  it('with aliases that multiply is refused', async () => {
    const levels = 'bcdefghi'.split('').map((name, index) => {
      const below = String.fromCodePoint('a'.codePointAt(0)! + index);
      return `${name}: &${name} [${Array.from({ length: 10 }, () => `*${below}`).join(', ')}]`;
    });
    const faults = await folder.faultsOf(`${SHORTEST}a: &a [x, x, x, x, x, x, x, x, x, x]\n${levels.join('\n')}\n`);
    expect(faults).toHaveLength(1);
  });

  it('with an alias that holds itself is refused', async () => {
    expect(await folder.faultsOf(`${SHORTEST}server: &a { cors: *a }\n`)).not.toEqual([]);
  });

  it('with brackets 20,000 deep is refused', async () => {
    const deep = `${SHORTEST}server: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n`;
    expect(await folder.faultsOf(deep)).toHaveLength(1);
  });
});

describe('the contract that gateway.yaml names', () => {
  it.each([
    ['./missing.yaml', 'ENOENT'],
    ['.', 'EISDIR'],
  ])('is named when it cannot be read: %s', async (contract, code) => {
    expect(linesOf(await folder.faultsOf(withKeys({ contract })))).toEqual([
      `contract: the file ${resolve(folder.path, contract)} cannot be read (${code})`,
    ]);
  });
});

describe('the JSON Schema for editors', () => {
  const check = new SchemaCompiler(toJsonSchema()).compile('');

  it.each([
    ['the shortest file', SHORTEST],
    ['numbers and durations', withKeys({ 'server.port': 1, 'server.drainTimeout': '5m', 'server.workers': 4 })],
    ['a process per core', withKeys({ 'server.workers': 'auto' })],
  ])('takes %s', (_case, yaml) => {
    expect(check(load(yaml))).toBeUndefined();
  });

  it('takes the file of the demo world, whose ports come from the environment', async () => {
    const yaml = await readFile(new URL('../../dev/gateway.yaml', import.meta.url), 'utf8');
    expect(check(load(yaml))).toBeUndefined();
  });

  it.each([
    ['an unknown key', { 'server.prot': 1 }],
    ['a missing key', { 'identity.tenant': undefined }],
    ['another type', { 'server.cors.origins': 'x' }],
  ])('marks %s', (_case, changes) => {
    expect(check(load(withKeys(changes)))).toBeDefined();
  });
});
