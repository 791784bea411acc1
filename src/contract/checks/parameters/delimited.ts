import { cutAt } from './source.ts';

/** How the items of a list or the members of a map stand in one text. */
export interface Delimiting {
  readonly delimiter: string;
  readonly decode: (text: string) => string;
  /** True when an encoded delimiter parts items like a plain one, which many clients write. */
  readonly takesEncoded: boolean;
  /** True when an encoded delimiter is the only one there is, because a plain one cannot stand in a URL. */
  readonly isEncoded: boolean;
}

type Items = readonly string[];

/**
 * The items of a text, in every way that they may be meant: parted as the specification says, before they are decoded;
 * and, for clients that encode delimiters with everything else, after that.
 */
function waysToSplit(text: string, { delimiter, decode, takesEncoded, isEncoded }: Delimiting): Items[] {
  const whole = decode(text);
  const afterDecoding = whole.split(delimiter);
  if (isEncoded) {
    return [afterDecoding];
  }
  const parts = text.split(delimiter);
  const beforeDecoding = parts.map(decode);
  return takesEncoded && parts.length < afterDecoding.length ? [beforeDecoding, afterDecoding] : [beforeDecoding];
}

/** The lists that a text can stand for. An empty one is written like a list of one empty text. */
export function readLists(text: string, delimiting: Delimiting): Items[] {
  return text === '' ? [[], ['']] : waysToSplit(text, delimiting);
}

/** The maps that a text can stand for: `a,1,b,2`, or `a=1,b=2` when exploded. */
export function readMaps(text: string, delimiting: Delimiting, explode: boolean): Record<string, unknown>[] {
  if (text === '') {
    return [{}];
  }
  if (!explode) {
    return waysToSplit(text, delimiting)
      .filter((items) => items.length % 2 === 0)
      .map((items) => toMap(pairUp(items)));
  }
  const { decode } = delimiting;
  const split = (whole: string, read: (part: string) => string): Record<string, unknown> =>
    toMap(
      whole.split(delimiting.delimiter).map((item) => {
        const [name, value] = cutAt(item, '=');
        return [read(name), read(value)];
      }),
    );
  const whole = decode(text);
  return whole === text || !delimiting.takesEncoded
    ? [split(text, decode)]
    : [split(text, decode), split(whole, (part) => part)];
}

function pairUp(items: Items): [string, string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < items.length; index += 2) {
    pairs.push([items[index] ?? '', items[index + 1] ?? '']);
  }
  return pairs;
}

/** A map of texts; a name that comes several times has a list of them. */
export function toMap(pairs: readonly (readonly [string, string])[]): Record<string, unknown> {
  const members = new Map<string, string | string[]>();
  for (const [name, value] of pairs) {
    const earlier = members.get(name);
    if (earlier === undefined) {
      members.set(name, value);
    } else if (typeof earlier === 'string') {
      members.set(name, [earlier, value]);
    } else {
      earlier.push(value);
    }
  }
  return Object.fromEntries(members);
}
