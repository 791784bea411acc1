import type { z } from 'zod';
import { findNearest } from '../syntax/edit-distance.ts';
import type { ConfigFault } from '../failures.ts';
import { joinPath } from './environment.ts';
import { readKey } from './tree.ts';

/** A key that may be shown: a secret that slipped into the place of a key is hardly ever a plain word. */
const PLAIN_WORD = /^[A-Za-z]{1,30}$/;

/** The keys whose values may be secrets. */
const SECRET_PATH =
  /^(identity\.credential|tokenCache\.redis|downstreams\.[^.]+\.(headers(?!\.pass)|headers\.set|query|proxy))(\.|$)/;

/** A name of a header or parameter that may be shown: it cannot be a whole line with its value. */
const PLAIN_NAME = /^[\w.-]*$/;

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
  return issues
    .flatMap((issue) => chooseAlternative(issue, written))
    .flatMap((issue) => {
      const at = issue.path.reduce<string>((path, key) => joinPath(path, key), '');
      if (issue.code === 'unrecognized_keys') {
        return issue.keys.map((key) => ({
          at: SECRET_PATH.test(at) && !PLAIN_WORD.test(key) ? at : joinPath(at, key),
          message: `${SECRET_PATH.test(at) && !PLAIN_WORD.test(key) ? 'has a key that is not known' : 'is not a known key'}${suggest(key, knownKeys(issue.path))}`,
        }));
      }
      if (issue.code === 'invalid_key') {
        return describeName(issue, at);
      }
      const found = describeValue(issue.path.reduce<unknown>(readKey, written), at);
      return { at: at === '' ? 'gateway.yaml' : at, message: `found ${found}; allowed: ${describeAllowed(issue)}` };
    });
}

/** What is wrong with a list or a map that may also be something plain: what is wrong within it. */
function chooseAlternative(issue: z.core.$ZodIssue, written: unknown): readonly z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union' || typeof issue.path.reduce<unknown>(readKey, written) !== 'object') {
    return [issue];
  }
  const meant = issue.errors.find((errors) =>
    errors.every(({ code, path }) => code !== 'invalid_type' || path.length > 0),
  );
  return meant?.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })) ?? [issue];
}

function describeName({ path, issues }: z.core.$ZodIssueInvalidKey, at: string): ConfigFault {
  const allowed = issues[0]?.message ?? 'another name';
  const isShown = !SECRET_PATH.test(at) || PLAIN_NAME.test(String(path.at(-1)));
  return isShown
    ? { at, message: `found this name; allowed: ${allowed}` }
    : { at: path.slice(0, -1).reduce<string>(joinPath, ''), message: `found a name (not shown); allowed: ${allowed}` };
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
  if (SECRET_PATH.test(at)) {
    return 'a value (not shown)';
  }
  return typeof value === 'number' ? String(value) : hideSecrets(JSON.stringify(value));
}

/** Hides what may be a secret in an address, right or wrong: a user with a password, and the values of a query. */
export function hideSecrets(address: string): string {
  return address.replace(/\/\/.*@/s, '//(not shown)@').replaceAll(/(?<=\/\/.*[?&][^=&]*=)[^&"]+/g, '(not shown)');
}

function suggest(unknown: string, known: readonly string[]): string {
  const nearest = findNearest(unknown, known);
  if (nearest === undefined) {
    return '';
  }
  return nearest.distance <= Math.max(2, unknown.length / 2)
    ? `; did you mean ${nearest.word}?`
    : `; nearest known: ${nearest.word}`;
}
