import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { readTable, wordsOf } from '../../dev/docs/documented-tables.ts';
import { makeOutsideDocument } from '../../dev/docs/outside-document.ts';
import { findProxy } from '../../src/network/proxy-address.ts';
import { TOKENS } from '../../src/verify/tokens.ts';

const variables = readTable('variable', 'what it does').flatMap(([cell]) => wordsOf(cell));

describe('docs/outside.txt', () => {
  it('has every name that others may rely on: read what it says at its top, then npm run docs', async () => {
    expect(readFileSync(new URL('../../docs/outside.txt', import.meta.url), 'utf8')).toBe(await makeOutsideDocument());
  });

  it('has no name twice in one list', async () => {
    const [, ...sections] = (await makeOutsideDocument()).split(/^== .*$/m);
    const repeated = sections.flatMap((section) => {
      const lines = section.trim().split('\n');
      return lines.filter((line, index) => lines.indexOf(line) !== index);
    });
    expect(repeated).toEqual([]);
  });
});

describe('the table of docs/operate/environment.md', () => {
  it('has the variable of each token of verify, and no other', () => {
    expect(variables.filter((name) => name.startsWith('VERIFY_')).toSorted()).toEqual(
      Object.values(TOKENS)
        .map(({ variable }) => variable)
        .toSorted(),
    );
  });

  it.each(variables.filter((name) => name.endsWith('_PROXY') && name !== 'NO_PROXY'))(
    'has %s, which names a proxy in capitals and in small letters',
    (name) => {
      const target = new URL(name === 'HTTP_PROXY' ? 'http://api.example' : 'https://api.example');
      const found = [name, name.toLowerCase()].map((variable) =>
        findProxy(target, { [variable]: 'http://proxy.example:3128' }),
      );
      expect(found.map((proxy) => proxy?.address)).toEqual(['http://proxy.example:3128', 'http://proxy.example:3128']);
    },
  );
});
