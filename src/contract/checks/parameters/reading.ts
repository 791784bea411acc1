import type { Declaration } from './declaration.ts';
import { readLists, readMaps, type Delimiting } from './delimited.ts';
import type { ParameterSource } from './source.ts';

/**
 * What a parameter says: everything that can be meant, the likeliest first; nothing to check, where the list is empty; or
 * the sentence that says why it cannot be read.
 */
export type Reading = { readonly values: readonly unknown[] } | { readonly fault: string };

/** Reads a parameter in its style; `undefined` when it is absent. */
export type ReadParameter = (source: ParameterSource) => Reading | undefined;

/** Two servers may read two different ones of them, so a check of either would prove nothing. */
export const GIVEN_TWICE: Reading = { fault: 'must be given once' };

/** True when a text can be more than a list or a map; null is written as nothing. */
function isText(text: string, { takesText, kinds }: Declaration): boolean {
  return takesText || (text === '' && kinds.has('null'));
}

/** Everything that one text can stand for. */
export function readWhole(text: string, rules: Declaration, delimiting: Delimiting): Reading {
  const { kinds, explode } = rules;
  const values: unknown[] = isText(text, rules) ? [delimiting.decode(text)] : [];
  if (kinds.has('array')) {
    values.push(...readLists(text, delimiting));
  }
  if (kinds.has('object')) {
    values.push(...readMaps(text, delimiting, explode));
  }
  return values.length === 0 ? { fault: 'must be names and values in turn' } : { values };
}

/** Everything that the texts of one name can stand for, each of which is an item. */
export function readRepeated(texts: readonly string[], rules: Declaration): unknown[] {
  const [text] = texts;
  const values: unknown[] = text !== undefined && texts.length === 1 && isText(text, rules) ? [text] : [];
  if (rules.kinds.has('array') && texts.length > 0) {
    values.push(texts, ...(texts.length === 1 && texts[0] === '' ? [[]] : []));
  }
  return values;
}
