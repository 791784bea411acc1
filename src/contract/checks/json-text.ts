import { toPointer, WHOLE, type Place, type SchemaFault } from '../schema/run.ts';

/** The value of a JSON text, or why it is not taken. */
export type JsonReading = { readonly value: unknown } | { readonly fault: Partial<SchemaFault> & { detail: string } };

/** Levels of objects and arrays; people write ten, machines that describe trees may write a hundred. */
const MAX_LEVELS = 500;

/**
 * Objects and arrays, or one for each so many characters: read, `{},` takes twenty times as much memory as its text, and a
 * body of nothing else would end a process that can hold its text easily.
 */
const MAX_NESTS = 500_000;
const CHARACTERS_FOR_NEST = 16;

/**
 * Reads a JSON text that everyone reads alike: of a member that is named twice some take the first value and some the
 * last (RFC 8259 §4), and what is nested without end stops some readers.
 *
 * @returns `undefined` when it is no JSON
 */
export function readJson(text: string): JsonReading | undefined {
  const mostNests = Math.max(MAX_NESTS, text.length / CHARACTERS_FOR_NEST);
  // Each has two characters at least.
  if (text.length > 2 * mostNests && countNests(text) > mostNests) {
    return { fault: { detail: `must not have more than ${Math.floor(mostNests)} objects and arrays` } };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const members = countMembers(value);
  if (members === undefined) {
    return { fault: { detail: `must not be nested more than ${MAX_LEVELS} levels deep` } };
  }
  // Counting is cheaper than remembering every name, and a member that was named twice is there once.
  const repeated = members < countNames(text) ? findRepeatedName(text) : undefined;
  return repeated === undefined
    ? { value }
    : { fault: { pointer: toPointer(repeated), detail: 'must not be named twice' } };
}

/** The members of all objects in a value; `undefined` when it is nested too deeply. */
function countMembers(value: unknown): number | undefined {
  let members = 0;
  let level = isNest(value) ? [value] : [];
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > MAX_LEVELS) {
      return undefined;
    }
    const next: object[] = [];
    for (const nest of level) {
      if (Array.isArray(nest)) {
        for (const item of nest as unknown[]) {
          if (isNest(item)) {
            next.push(item);
          }
        }
      } else {
        for (const name of Object.keys(nest)) {
          members += 1;
          const member = (nest as Readonly<Record<string, unknown>>)[name];
          if (isNest(member)) {
            next.push(member);
          }
        }
      }
    }
    level = next;
  }
  return members;
}

function isNest(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

const [QUOTE, COLON, BACKSLASH, BRACKET, BRACE] = [0x22, 0x3a, 0x5c, 0x5b, 0x7b];

/** The objects and arrays that begin in a text, which need not be JSON. */
function countNests(text: string): number {
  let nests = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
    } else if (code === BRACKET || code === BRACE) {
      nests += 1;
    }
  }
  return nests;
}

/** The names of members in a text that is JSON: as many as there are colons outside of its strings. */
function countNames(text: string): number {
  let names = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
    } else if (code === COLON) {
      names += 1;
    }
  }
  return names;
}

/** Where the quotation mark is that ends a string, or the end of the text. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1) {
    let before = end - 1;
    while (text.charCodeAt(before) === BACKSLASH) {
      before -= 1;
    }
    // An even number of backslashes escapes itself.
    if ((end - before) % 2 === 1) {
      return end;
    }
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

interface Nest {
  readonly place: Place;
  /** Of an object: what it has so far, and of an array nothing. */
  readonly names: Set<string> | undefined;
  /** Of the item or member that comes next. */
  key: string | number;
  expectsName: boolean;
}

/** The first member that its object has already, of a text that is JSON. */
function findRepeatedName(text: string): Place | undefined {
  const nests: Nest[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const nest = nests.at(-1);
    switch (text.charAt(at)) {
      case '{':
      case '[': {
        const isObject = text.charAt(at) === '{';
        const place = nest === undefined ? WHOLE : { parent: nest.place, key: nest.key };
        nests.push({ place, names: isObject ? new Set() : undefined, key: 0, expectsName: isObject });
        break;
      }
      case '}':
      case ']':
        nests.pop();
        break;
      case ',':
        if (nest?.names !== undefined) {
          nest.expectsName = true;
        } else if (typeof nest?.key === 'number') {
          nest.key += 1;
        }
        break;
      case '"': {
        const end = endOfString(text, at);
        if (nest?.names !== undefined && nest.expectsName) {
          nest.key = JSON.parse(text.slice(at, end + 1)) as string;
          nest.expectsName = false;
          if (nest.names.has(nest.key)) {
            return { parent: nest.place, key: nest.key };
          }
          nest.names.add(nest.key);
        }
        at = end;
        break;
      }
      default:
    }
  }
  return undefined;
}
