import { CORE_SCHEMA, load, mergeTag, YAMLException } from 'js-yaml';
import { isBounded } from './is-bounded.ts';

/** The value that a text stands for, or why there is none and, where it is known, the line, counted from 1. */
export type TreeReading = { readonly tree: unknown } | { readonly line?: number; readonly problem: string };

/** JSON Schema is deep where it describes trees; people write ten levels, machines may write a hundred. */
const MAX_LEVELS = 500;

const OPTIONS = { schema: CORE_SCHEMA.withTags(mergeTag), maxDepth: MAX_LEVELS };

const UNREADABLE = 'cannot be read as YAML from here on';

/** What the parser says, and what an operator reads. */
const PROBLEMS: readonly (readonly [RegExp, string])[] = [
  [/^unidentified alias/, 'has an alias (*name) without its anchor (&name)'],
  [/^unknown \w+ tag|explicit tag$/, 'has a tag (!name) that JSON has no value for'],
  [/^cannot merge mappings|^merge keys exceeded|^abnormal merge/, 'has a merge (<<) that cannot be followed'],
  [/does not support complex keys$/, 'has a key that is no text'],
  [/^nesting exceeded/, `is nested more than ${MAX_LEVELS} levels deep`],
];

/**
 * A key that may be shown, from where the parser says that it begins, within its quotes: a secret that slipped into the
 * place of one is hardly ever a plain word.
 */
const PLAIN_KEY = /([A-Za-z]{1,30})["']?\s*:/y;

/**
 * Reads a YAML text as the JSON value that it stands for (YAML 1.2, core schema, with merge keys), so JSON, too; nothing
 * stands for `undefined`. A key that stands twice in one object is a problem. Problems quote nothing of the text, which may
 * hold secrets, but such a key.
 */
export function readYaml(text: string): TreeReading {
  const source = text.replace(/^\uFEFF/, '');
  let tree: unknown;
  try {
    tree = load(source, OPTIONS);
  } catch (error) {
    return describeProblem(error, source);
  }
  return isBounded(tree)
    ? { tree }
    : { problem: 'has YAML aliases (*name) that hold themselves or multiply without end' };
}

function describeProblem(error: unknown, source: string): TreeReading {
  const { reason = '', mark } = error instanceof YAMLException ? error : {};
  if (reason.startsWith('expected a document')) {
    return { tree: undefined };
  }
  if (reason.startsWith('expected a single document')) {
    return {
      line: findSecondDocument(source),
      problem: 'holds several YAML documents, of which the second begins here',
    };
  }
  if (mark === undefined) {
    return { problem: UNREADABLE };
  }
  const problem =
    reason === 'duplicated mapping key'
      ? `has ${nameKey(source, mark.position)} twice`
      : (PROBLEMS.find(([pattern]) => pattern.test(reason))?.[1] ?? UNREADABLE);
  return { line: mark.line + 1, problem };
}

function nameKey(source: string, position: number): string {
  PLAIN_KEY.lastIndex = position;
  const name = PLAIN_KEY.exec(source)?.[1];
  return name === undefined ? 'a key' : `the key ${name}`;
}

/** The line of the marker that ends the first document; before its own marker there are only comments and directives. */
function findSecondDocument(source: string): number {
  const lines = source.split(/\r\n?|\n/);
  const start = lines.findIndex((line) => !/^\s*(?:[#%]|$)/.test(line));
  return lines.findIndex((line, index) => index > start && /^(?:---|\.\.\.)(?:\s|$)/.test(line)) + 1;
}
