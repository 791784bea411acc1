import { randomInt } from 'node:crypto';
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

/** From this many characters on, it is asked for room before a text is read. */
const LARGE_TEXT = 64 * 1_024;

/**
 * Bytes that reading takes with the garbage it makes (measured with Node 26 and texts of 4 MB: 7 times the text for records
 * as people send them, 40 times for `{"a1":0},{"a2":0}` where no name comes twice).
 */
const NEST_BYTES = 150;
const MEMBER_BYTES = 80;
const ITEM_BYTES = 30;
/** What a name takes besides when it comes for the first time. */
const NAME_BYTES = 250;

/** A text with so many names has one of its own for each member. */
const MANY_NAMES = 16_384;

/**
 * Reads a JSON text that everyone reads alike: of a member that is named twice some take the first value and some the
 * last (RFC 8259 §4), and what is nested without end stops some readers.
 *
 * @param demandRoom called with the bytes that reading takes, for a large text; what it throws passes through
 * @returns `undefined` when it is no JSON
 */
export function readJson(text: string, demandRoom: (bytes: number) => void = () => {}): JsonReading | undefined {
  if (text.length >= LARGE_TEXT) {
    const mostNests = Math.max(MAX_NESTS, text.length / CHARACTERS_FOR_NEST);
    const parts = countParts(text);
    if (parts.nests > mostNests) {
      return { fault: { detail: `must not have more than ${Math.floor(mostNests)} objects and arrays` } };
    }
    demandRoom(weigh(parts));
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

const [QUOTE, COMMA, COLON, BACKSLASH, BRACKET, BRACE] = [0x22, 0x2c, 0x3a, 0x5c, 0x5b, 0x7b];

/** What a text consists of, which need not be JSON. */
interface Parts {
  /** Objects and arrays that begin. */
  readonly nests: number;
  readonly members: number;
  /** Names that differ, as far as can be told in little memory: too few rather than too many. */
  readonly names: number;
  /** What stands behind commas. */
  readonly items: number;
}

function countParts(text: string): Parts {
  const seen = new Uint8Array(4 * MANY_NAMES);
  let [nests, members, names, items] = [0, 0, 0, 0];
  let [start, end] = [0, 0];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      start = at;
      end = endOfString(text, at);
      at = end;
    } else if (code === BRACKET || code === BRACE) {
      nests += 1;
    } else if (code === COLON) {
      members += 1;
      const place = hashName(text, start, end) % seen.length;
      names += 1 - (seen[place] ?? 1);
      seen[place] = 1;
      // Where the text is no JSON, other colons may follow; none of them has a name.
      start = end;
    } else if (code === COMMA) {
      items += 1;
    }
  }
  return { nests, members, names, items };
}

/** Bytes that reading takes. */
function weigh({ nests, members, names, items }: Parts): number {
  const newNames = names < MANY_NAMES ? names : members;
  return nests * NEST_BYTES + members * MEMBER_BYTES + newNames * NAME_BYTES + items * ITEM_BYTES;
}

/** So that nobody can choose names that count as one. */
const SEED = randomInt(2 ** 31);

/** FNV-1a with a seed. */
function hashName(text: string, start: number, end: number): number {
  let sum = SEED;
  for (let at = start; at < end; at += 1) {
    sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193);
  }
  return (sum ^ (sum >>> 15)) >>> 0;
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
