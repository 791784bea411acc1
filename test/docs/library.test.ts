import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { LIBRARY_PAGES } from '../packaging/library-pages.ts';

const ROOT = new URL('../../', import.meta.url);

function read(name: string): string {
  return readFileSync(new URL(name, ROOT), 'utf8');
}

/** Words in code of a page that a pattern describes, each once. */
function findWords(page: string, pattern: RegExp): readonly string[] {
  return [...new Set([...page.matchAll(pattern)].map(([, word = '']) => word))];
}

describe.each(LIBRARY_PAGES)('docs/%s', (name) => {
  const page = read(`docs/${name}`);

  it('names keys of gateway.yaml that exist', () => {
    const keys = findWords(page, /`((?:identity|downstreams|tokenCache|log|server)\.[\w.{}*]+)[`:]/g);
    const known = read('docs/configuration.md');
    const missing = keys.filter((key) => !known.includes(`\`${key.replace('.*.', '.{name}.')}`));
    expect(missing).toEqual([]);
  });

  it('names codes that exist', () => {
    const codes = findWords(page, /(?:code: '|40[13] )`?(\w+_\w+)`?/g);
    const known = read('docs/answers.md');
    expect(codes.filter((code) => !known.includes(`### ${code}\n`))).toEqual([]);
  });
});

it('docs/library.md quotes what the library tells', () => {
  const [, table = ''] = read('docs/library.md').split('| what is told');
  const quotes = [...(table.split('\n\n')[0] ?? '').matchAll(/^\| `([^`]+)`/gm)].map(([, quote = '']) => quote);
  const folder = new URL('src/library/', ROOT);
  const files = [
    ...readdirSync(folder).map((name) => `src/library/${name}`),
    'src/obo.ts',
    'src/config/environment.ts',
  ];
  const sources = files.map(read).join('\n');
  const parts = quotes.flatMap((quote) => quote.split('…').map((part) => part.trim()));
  expect(quotes.length).toBeGreaterThan(5);
  expect(parts.filter((part) => !sources.includes(part))).toEqual([]);
});

it('docs/library/msal-node.md names settings of MSAL that exist', () => {
  const settings = findWords(read('docs/library/msal-node.md'), /`(?:auth|cache|system)\.(\w+)/g);
  const types = read('node_modules/@azure/msal-node/types/config/Configuration.d.ts');
  expect(settings.length).toBeGreaterThan(8);
  expect(
    settings.filter((setting) => !types.includes(`    ${setting}?: `) && !types.includes(`    ${setting}: `)),
  ).toEqual([]);
});
