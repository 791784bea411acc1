/** Adds the fixed parameters of a downstream to a query as the caller sent it, with its `?` or empty. */
export type AddFixedQuery = (query: string) => string;

/**
 * Makes the function that adds the fixed parameters. A caller's parameter of the same name, however it was encoded, is
 * dropped; the rest of the query stays byte for byte.
 *
 * @param fixed values by name, not encoded
 * @returns `undefined` where there are none
 */
export function compileFixedQuery(fixed: Readonly<Record<string, string>>): AddFixedQuery | undefined {
  const names = new Set(Object.keys(fixed));
  if (names.size === 0) {
    return undefined;
  }
  const own = Object.entries(fixed)
    .map((pair) => pair.map(encodeURIComponent).join('='))
    .join('&');
  return (query) => {
    const rest = query.slice(1);
    const kept = rest === '' ? [] : rest.split('&').filter((part) => !names.has(readName(part)));
    return `?${[...kept, own].join('&')}`;
  };
}

/**
 * Reads the name of a parameter as forms are read (URL Standard §5.1), so that one with a broken encoding has a name,
 * too.
 *
 * @see https://url.spec.whatwg.org/#urlencoded-parsing
 */
function readName(part: string): string {
  const [first] = new URLSearchParams(`&${part}`).keys();
  return first ?? '';
}
