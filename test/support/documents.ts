import { readFileSync } from 'node:fs';

/** The folder of the documentation. */
export const DOCS = new URL('../../docs/', import.meta.url);

/** The text of a page, by its path below docs/. */
export function readDocument(name: string): string {
  return readFileSync(new URL(name, DOCS), 'utf8');
}

/** The rows of the table of a page whose header begins with a word: their cells. */
export function rowsOf(name: string, header: string): string[][] {
  const lines = readDocument(name).split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${header} `));
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return lines.slice(start + 2, end).map((line) =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1),
  );
}

/** The words of a text that stand in backquotes. */
export function quoted(text = ''): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
}

/** The anchors of a page, made of its headings as GitHub makes them. */
export function anchorsOf(page: string): Set<string> {
  const headings = [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading.toLowerCase());
  return new Set(headings.map((heading) => heading.replaceAll(/[^\w\- ]/g, '').replaceAll(' ', '-')));
}

/** A metric as docs/operate/metrics.md has it. */
export interface DocumentedMetric {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
}

/** The metrics of docs/operate/metrics.md. */
export function documentedMetrics(): DocumentedMetric[] {
  return rowsOf('operate/metrics.md', 'metric').map(([name, type = '', labels]) => ({
    name: quoted(name)[0] ?? '',
    type,
    labels: quoted(labels),
  }));
}
