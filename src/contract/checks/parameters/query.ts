/** A name of a query, decoded, and its value as it was sent. */
export type QueryPair = readonly [name: string, value: string];

const NOTHING: readonly QueryPair[] = [];

/**
 * Takes a query apart as browsers and servers do (WHATWG URL §5.1). The values stay encoded, because an encoded comma is
 * not the comma that parts two items.
 *
 * @param query with its `?` or without it
 */
export function readQuery(query: string): readonly QueryPair[] {
  const text = query.startsWith('?') ? query.slice(1) : query;
  if (text === '') {
    return NOTHING;
  }
  const pairs: QueryPair[] = [];
  const isPlain = !text.includes('%') && !text.includes('+');
  let equals = indexOrEnd(text, '=', 0);
  for (let start = 0, end = 0; end < text.length; start = end + 1) {
    end = indexOrEnd(text, '&', start);
    // Looked for once, however many pairs have none.
    equals = equals < start ? indexOrEnd(text, '=', start) : equals;
    if (end > start) {
      const name = text.slice(start, Math.min(equals, end));
      pairs.push([isPlain ? name : decodeQueryText(name), equals < end ? text.slice(equals + 1, end) : '']);
    }
  }
  return pairs;
}

function indexOrEnd(text: string, sign: string, from: number): number {
  const at = text.indexOf(sign, from);
  return at === -1 ? text.length : at;
}

/** Decodes a name or a value of a query; what is no encoding stays as it is. */
export function decodeQueryText(text: string): string {
  if (!text.includes('%') && !text.includes('+')) {
    return text;
  }
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return new URLSearchParams(`=${text.replaceAll('&', '%26')}`).get('') ?? '';
  }
}
