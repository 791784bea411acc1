import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ENGINES } from '../engines/engine.ts';

const ROOT = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/engines.md', ROOT), 'utf8');

/** The parts of published files that the page quotes. */
const quoted = [...page.matchAll(/<!-- from (\S+) -->\n+```\w+\n([\s\S]*?)```/g)].map(([, file = '', text = '']) => ({
  file,
  text,
}));

/** The lines of a text without what stands before them. */
function linesOf(text: string): string {
  return text
    .trim()
    .split('\n')
    .map((line) => line.trim())
    .join('\n');
}

describe('docs/engines.md', () => {
  it.each(quoted)('quotes $file as it is', ({ file, text }) => {
    expect(linesOf(readFileSync(new URL(file, ROOT), 'utf8'))).toContain(linesOf(text));
  });

  it('quotes something of every engine', () => {
    expect(quoted.length).toBeGreaterThanOrEqual(ENGINES.length);
  });

  it('leads to files that are there', () => {
    const links = [...page.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, path = '']) => path);
    expect(links.filter((path) => !existsSync(new URL(path, ROOT)))).toEqual([]);
    expect(links.length).toBeGreaterThan(5);
  });
});
