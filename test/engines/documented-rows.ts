import { readFileSync } from 'node:fs';

/** The rows of the tables of docs/engines.md, without the spaces that align their columns. */
export function readDocumentedRows(): readonly string[] {
  const page = readFileSync(new URL('../../docs/engines.md', import.meta.url), 'utf8');
  return page
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => toRow(line.split('|').slice(1, -1)));
}

/** A row of a table. */
export function toRow(cells: readonly (string | number)[]): string {
  return `| ${cells.map((cell) => String(cell).trim()).join(' | ')} |`;
}
