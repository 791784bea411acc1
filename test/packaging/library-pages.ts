import { readdirSync, readFileSync } from 'node:fs';

const DOCS = new URL('../../docs/', import.meta.url);

/** The pages about the library, except the reference, which is made of the sources. */
export const LIBRARY_PAGES = [
  'library.md',
  ...readdirSync(new URL('library/', DOCS))
    .filter((name) => name !== 'reference.md')
    .map((name) => `library/${name}`),
];

/** A block of code of a page. */
export interface CodeBlock {
  readonly language: string;
  readonly text: string;
  /** False where the page says that it shows what others do. */
  readonly isOurs: boolean;
}

/** A command of a page, with what stands above it: who calls, and which answer comes. */
export interface DescribedCommand {
  /** The comment. */
  readonly title: string;
  readonly status: number;
  readonly code: string | undefined;
  readonly command: string;
}

/** The blocks of code of a page, in their order. */
export function readBlocks(page: string): readonly CodeBlock[] {
  const text = readFileSync(new URL(page, DOCS), 'utf8');
  return [...text.matchAll(/(<!-- not run[^>]*-->\n\n)?^```(\w+)\n(.*?)^```$/gms)].map(([, mark, language, block]) => ({
    language: language ?? '',
    text: block ?? '',
    isOurs: mark === undefined,
  }));
}

/** The file of a page whose first line names it in a comment. */
export function readFileOf(page: string, name: string): string {
  const block = readBlocks(page).find(({ text }) => /^(?:#|\/\/) (\S+)\n/.exec(text)?.[1] === name);
  if (block === undefined) {
    throw new Error(`docs/${page} has no block that begins with the name ${name}.`);
  }
  return block.text;
}

/** The commands of a page that a comment describes. */
export function readDescribedCommands(page: string): readonly DescribedCommand[] {
  return readBlocks(page)
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => [...text.matchAll(/^# (.+: (\d{3})(?: (\w+))?)\n(.+)$/gm)])
    .map(([, title = '', status, code, command = '']) => ({ title, status: Number(status), code, command }));
}
