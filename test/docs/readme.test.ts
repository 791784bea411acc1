import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { format } from 'prettier';
import { makeAnswersDocument } from '../../dev/docs/answers-document.ts';
import { canRenderReference, INSTALL_REFERENCE, makeLibraryReference } from '../../dev/docs/library-reference.ts';
import { refreshCodeBlocks } from '../../dev/docs/code-blocks.ts';
import { refreshSwitchTables } from '../../dev/docs/switch-tables.ts';
import { toJsonSchema } from '../../src/config/schema.ts';
import { codeOf, FAILURES, type Failure } from '../../src/failures.ts';
import { describeWith } from '../support/installed-program.ts';

/** A file of the repository's top folder. */
function read(name: string): string {
  return readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
}

const PAGES = [
  ...readdirSync(new URL('../../', import.meta.url)),
  ...readdirSync(new URL('../../docs/', import.meta.url)).map((name) => `docs/${name}`),
  ...readdirSync(new URL('../../docs/library/', import.meta.url)).map((name) => `docs/library/${name}`),
  'examples/dashboard/README.md',
].filter((name) => name.endsWith('.md'));

const RECIPES = ['command-line', 'daemon', 'desktop', 'password', 'web-app'];

describe('the documents that repeat what the code knows', () => {
  it('the README lists every failure with its status, and no other', () => {
    const rows = [...read('README.md').matchAll(/^\| (\d{3}) +\| `(\w+)` /gm)].map(
      ([, status, code]) => `${status} ${code}`,
    );
    const failures = (Object.keys(FAILURES) as Failure[]).map((name) => `${FAILURES[name].status} ${codeOf(name)}`);
    expect(rows.toSorted()).toEqual([...new Set(failures)].toSorted());
  });

  it('gateway.schema.json is what the schema says (npm run schema)', async () => {
    const fresh = await format(JSON.stringify(toJsonSchema()), { parser: 'json', printWidth: 120 });
    expect(read('gateway.schema.json')).toBe(fresh);
  });

  it('docs/answers.md is what the tables say (npm run docs)', async () => {
    expect(read('docs/answers.md')).toBe(await makeAnswersDocument());
  });

  it('docs/clients.md shows the code of examples/ as it is (npm run docs)', () => {
    expect(read('docs/clients.md')).toBe(refreshCodeBlocks(read('docs/clients.md'), read));
  });

  it('docs/playground.md says of the switches what they say themselves (npm run docs)', async () => {
    expect(read('docs/playground.md')).toBe(await refreshSwitchTables(read('docs/playground.md')));
  });

  it('docs/clients.md shows every file of examples/recover', () => {
    const shown = [...read('docs/clients.md').matchAll(/^<!-- examples\/recover\/(\S+) -->$/gm)].map(
      ([, name = '']) => name,
    );
    const files = readdirSync(new URL('../../examples/recover', import.meta.url));
    expect(shown.toSorted()).toEqual(files.toSorted());
  });

  it.each(['single-page-app/app.ts', ...RECIPES.map((name) => `${name}/main.ts`)])(
    'docs/clients.md shows %s',
    (file) => {
      expect(read('docs/clients.md')).toContain(`<!-- examples/${file} -->`);
    },
  );

  it.each(readdirSync(new URL('../../examples/recover', import.meta.url)))('%s is short enough to copy', (name) => {
    expect(read(`examples/recover/${name}`).trimEnd().split('\n').length).toBeLessThan(60);
  });

  it('the README can be read in one go', () => {
    expect(read('README.md').split('\n').length).toBeLessThanOrEqual(200);
  });

  it.each(PAGES)('the links of %s lead somewhere', (name) => {
    const folder = new URL(`../../${name}`, import.meta.url);
    for (const [, link = ''] of read(name).matchAll(/\]\((?!http|#)([^)#]+)/g)) {
      expect([link, existsSync(new URL(link, folder))]).toEqual([link, true]);
    }
  });

  it.each(PAGES)('the links of %s to sections lead to one', (name) => {
    const folder = new URL(`../../${name}`, import.meta.url);
    for (const [, link = '', section] of read(name).matchAll(/\]\((?!http)([^)#]*)#([^)]+)\)/g)) {
      const page = readFileSync(new URL(link === '' ? folder : link, folder), 'utf8');
      const sections = [...page.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => toAnchor(title));
      expect(sections).toContain(section);
    }
  });
});

describeWith(INSTALL_REFERENCE, canRenderReference(), 'the reference of the library', () => {
  it('is what the comments of the exports say (npm run docs)', async () => {
    expect(read('docs/library/reference.md')).toBe(await makeLibraryReference());
  });

  it('leaves no export without a comment', () => {
    const sections = read('docs/library/reference.md').split(/^### /m).slice(1);
    const bare = sections.filter((text) => !/\n[A-Z]/.test(text.split(/^#### /m)[0] ?? ''));
    expect(bare.map((text) => text.split('\n')[0])).toEqual([]);
  });
});

/** The name by which a link finds a section. */
function toAnchor(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}
