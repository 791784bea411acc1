import type { z } from 'zod';
import type { ConfigFault } from '../failures.ts';
import { joinPath } from './environment.ts';

const SECRET_PATH = /^identity\.credential(\.|$)/;

/**
 * Turns what the schema found into one fault a line: the key, what was found, what is allowed.
 *
 * @param written the tree before `${NAME}` was replaced, so that a message shows the reference and never its value
 * @param knownKeys the keys of the object at a path, for the nearest known one
 */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  written: unknown,
  knownKeys: (path: readonly PropertyKey[]) => readonly string[],
): ConfigFault[] {
  return issues.flatMap((issue) => {
    const at = issue.path.reduce<string>((path, key) => joinPath(path, key), '');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        at: joinPath(at, key),
        message: `is not a known key${suggest(key, knownKeys(issue.path))}`,
      }));
    }
    if (issue.code === 'invalid_key') {
      return { at, message: `found this name; allowed: ${issue.issues[0]?.message ?? 'another name'}` };
    }
    const found = describeValue(issue.path.reduce<unknown>(readKey, written), at);
    return { at: at === '' ? 'gateway.yaml' : at, message: `found ${found}; allowed: ${describeAllowed(issue)}` };
  });
}

function describeAllowed(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.expected === 'object') {
    return 'a map of keys';
  }
  return issue.message;
}

function describeValue(value: unknown, at: string): string {
  if (value === undefined || value === null) {
    return 'nothing';
  }
  if (Array.isArray(value)) {
    return `a list of ${value.length}`;
  }
  if (typeof value === 'object') {
    return 'a map of keys';
  }
  return SECRET_PATH.test(at) ? 'a value (not shown)' : JSON.stringify(value);
}

function readKey(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<PropertyKey, unknown>)[key]
    : undefined;
}

function suggest(unknown: string, known: readonly string[]): string {
  const nearest = known
    .map((key) => ({ key, distance: editDistance(unknown.toLowerCase(), key.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance)[0];
  if (nearest === undefined) {
    return '';
  }
  return nearest.distance <= Math.max(2, unknown.length / 2)
    ? `; did you mean ${nearest.key}?`
    : `; nearest known: ${nearest.key}`;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 0; i < from.length; i += 1) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j += 1) {
      const substitution = (row[j] ?? 0) + (from[i] === to[j] ? 0 : 1);
      next.push(Math.min(substitution, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
