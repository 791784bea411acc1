import type { Test } from './run.ts';
import type { Kind } from './value-types.ts';

/**
 * Where a value of a parameter stands: the whole of it, an item of a list, or a member of a map, which may be a list that
 * was given once.
 */
type Standing = 'whole' | 'item' | 'member';

const STANDINGS: Readonly<Record<string, Standing>> = {
  items: 'item',
  prefixItems: 'item',
  contains: 'item',
  unevaluatedItems: 'item',
  properties: 'member',
  patternProperties: 'member',
  additionalProperties: 'member',
  unevaluatedProperties: 'member',
};

/** Where the values stand that the schemas of a keyword look at; `undefined` for the same value, and for names. */
export function standingBelow(keyword: string): Standing | undefined {
  return STANDINGS[keyword];
}

/**
 * Makes the test of a value that may have come as a text, which is all that a parameter can be: it fits when anything that
 * is written so fits. So `5` fits `oneOf: [integer, string]`: it is one number and one text, each of which fits one.
 *
 * @param kinds what the value may be
 */
export function testTexts(test: Test, standing: Standing, kinds: ReadonlySet<Kind>): Test {
  // Most parameters can be one thing only.
  if (kinds.size === 1 && kinds.has('string') && standing !== 'member') {
    return test;
  }
  if (kinds.size === 1 && kinds.has('number') && standing !== 'member') {
    return (value, run, at, seen) => test(readNumber(value), run, at, seen);
  }
  return (value, run, at) => {
    if (standing === 'member' && Array.isArray(value) && !kinds.has('array')) {
      // Two servers may read different ones of them, so a check of either would prove nothing.
      return run.fail(at, 'must be given once');
    }
    const readings = typeof value === 'string' ? readText(value, standing, kinds) : readNest(value, standing, kinds);
    for (const reading of readings) {
      if (test(reading, run, undefined, undefined)) {
        return true;
      }
    }
    return at !== undefined && test(readings[0], run, at, undefined);
  };
}

function readNumber(value: unknown): unknown {
  return typeof value === 'string' && JSON_NUMBER.test(value) ? Number(value) : value;
}

/** A number as JSON writes it; JavaScript would also take ` 5`, `+5` and `0x5` for one. */
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/i;

/** Everything of these kinds that is written as a text, the likeliest first; the text itself, if there is nothing. */
function readText(text: string, standing: Standing, kinds: ReadonlySet<Kind>): readonly unknown[] {
  const readings: unknown[] = [];
  if (kinds.has('string')) {
    readings.push(text);
  }
  if (kinds.has('number') && JSON_NUMBER.test(text)) {
    readings.push(Number(text));
  }
  if (kinds.has('boolean') && (text === 'true' || text === 'false')) {
    readings.push(text === 'true');
  }
  if (kinds.has('null') && text === '') {
    readings.push(null);
  }
  if (standing === 'member' && kinds.has('array')) {
    readings.push([text], ...(text === '' ? [[]] : []));
  }
  return readings.length === 0 ? [text] : readings;
}

/** Members that are numbered from 0 in turn may be items. */
function readNest(value: unknown, standing: Standing, kinds: ReadonlySet<Kind>): readonly unknown[] {
  const items = standing === 'member' && kinds.has('array') ? readItems(value) : undefined;
  return items === undefined ? [value] : kinds.has('object') ? [value, items] : [items];
}

/** The members of a map whose names are 0, 1 and so on; `undefined` when they are others, or there are none. */
export function readItems(value: unknown): unknown[] | undefined {
  const names = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
  return names.length > 0 && names.every((name, index) => name === String(index))
    ? Object.values(value as object)
    : undefined;
}
