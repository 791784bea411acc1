import { readdirSync, readFileSync } from 'node:fs';

const DOCS = new URL('../../docs/', import.meta.url);

/** The rows of a table of the documents: their cells. */
export type Rows = readonly (readonly string[])[];

/**
 * Finds the one table of `docs/` whose first columns have these heads. Tests compare these tables with what the program does.
 *
 * @throws {Error} when no page has it, or more than one
 */
export function readTable(...heads: readonly string[]): Rows {
  const tables = listPages().flatMap((page) => tablesOf(page, heads));
  const [table] = tables;
  if (table === undefined || tables.length > 1) {
    throw new Error(`${tables.length} tables of docs/ begin with the columns ${heads.join(', ')}; there must be one.`);
  }
  return table;
}

/** All rows of a page whose first cell is one word of code. */
export function readCodeRows(page: string): Rows {
  return linesOf(page)
    .filter((line) => /^\| `[^`]+` *\|/.test(line))
    .map(splitRow);
}

/** The words of a cell that stand in backquotes. */
export function wordsOf(cell = ''): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
}

function listPages(): string[] {
  return readdirSync(DOCS, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'));
}

function linesOf(page: string): string[] {
  return readFileSync(new URL(page, DOCS), 'utf8').split('\n');
}

function tablesOf(page: string, heads: readonly string[]): Rows[] {
  const lines = linesOf(page);
  return lines.flatMap((line, start) => {
    const found = line.startsWith('|') ? splitRow(line) : [];
    if (!heads.every((head, column) => found[column] === head)) {
      return [];
    }
    const end = lines.findIndex((other, index) => index > start && !other.startsWith('|'));
    return [lines.slice(start + 2, end === -1 ? undefined : end).map(splitRow)];
  });
}

function splitRow(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}
