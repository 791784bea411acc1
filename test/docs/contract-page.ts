import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { isJsonObject } from '../../src/syntax/json.ts';
import type { Node } from '../contract/documents.ts';

const PAGE = readFileSync(new URL('../../docs/contract.md', import.meta.url), 'utf8');

/** A block of code of docs/contract.md. */
export interface Example {
  readonly text: string;
  /** What its comments say that callers reach. */
  readonly routes: readonly string[];
}

/** The examples of a file, such as `openapi.yaml`, in their order. */
export function readExamples(file: string): Example[] {
  return [...PAGE.matchAll(/^```\w+ (.+)\n([^]*?)^```$/gm)]
    .filter(([, name]) => name === file)
    .map(([, , text = '']) => ({
      text,
      routes: [...text.matchAll(/^# ([A-Z]+ \/.* → .*)$/gm)].map(([, route = '']) => route),
    }));
}

/** The rows of the table whose first column has this title, each as its cells without their backticks. */
export function readTable(title: string): string[][] {
  return readRows(title).map((row) => row.map((cell) => cell.replaceAll('`', '')));
}

/** The names in the table of formats. */
export function readFormats(): string[] {
  const names = readRows('formats').flatMap(([cell = '']) => [...cell.matchAll(/`([^`]+)`/g)]);
  return [...new Set(names.map(([, name = '']) => name))];
}

function readRows(title: string): string[][] {
  const lines = PAGE.split('\n');
  const start = lines.findIndex((line) => readCells(line)[0] === title);
  const rest = lines.slice(start + 2);
  return rest.slice(0, rest.indexOf('')).map(readCells);
}

function readCells(line: string): string[] {
  const cells = line.startsWith('|') ? line.split('|').slice(1, -1) : [];
  return cells.map((cell) => cell.trim());
}

/**
 * A YAML text that shows only what it is about, with the rest of the first example. A key that is `null` is left out, and
 * `x-gateway` takes the place of `x-downstream`.
 */
export function completeDocument(text: string): Node {
  const [whole] = readExamples('openapi.yaml');
  const base = load(whole?.text ?? '') as Node;
  const changes = load(text) as Node;
  const components = joinSections(base['components'], changes['components']);
  const mapping = changes['x-gateway'] === undefined ? {} : { 'x-downstream': null };
  const members = Object.entries({ ...base, ...mapping, ...changes, components });
  return Object.fromEntries(members.filter(([, value]) => value !== null));
}

function joinSections(base: unknown, changes: unknown): Node {
  const sections = isJsonObject(base) ? base : {};
  const added = isJsonObject(changes) ? changes : {};
  const names = [...new Set([...Object.keys(sections), ...Object.keys(added)])];
  return Object.fromEntries(
    names.map((name) => [name, { ...(sections[name] as Node | undefined), ...(added[name] as Node | undefined) }]),
  );
}
