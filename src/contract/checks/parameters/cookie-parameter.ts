import type { Declaration } from './declaration.ts';
import { toMap } from './delimited.ts';
import type { QueryPair } from './query.ts';
import { GIVEN_TWICE, readWhole, type Reading } from './reading.ts';
import { readCookies, type ParameterSource } from './source.ts';

/** Reads a parameter of a cookie: `form` is encoded, and `cookie` (OpenAPI 3.2) is not. */
export function readCookie(declaration: Declaration, source: ParameterSource): Reading | undefined {
  const { name, kinds, style, explode, takesText } = declaration;
  const isForm = style === 'form';
  const decode = isForm ? decodeLeniently : (text: string) => text;
  const texts = textsOf(name, readCookies(source));
  if (!explode) {
    const [text] = texts;
    const delimiting = { delimiter: ',', decode, takesEncoded: isForm, isEncoded: false };
    return text === undefined ? undefined : texts.length > 1 ? GIVEN_TWICE : readWhole(text, declaration, delimiting);
  }
  const values: unknown[] = takesText && texts.length === 1 ? texts.map(decode) : [];
  if (kinds.has('array') || kinds.has('object')) {
    // Clients that write forms part the items of a cookie with an ampersand.
    const pairs = isForm ? readCookies(source, /[;&]/) : readCookies(source);
    values.push(...readSpreadCookies(pairs, declaration, decode));
  }
  return values.length > 0 ? { values } : texts.length > 0 ? GIVEN_TWICE : undefined;
}

function readSpreadCookies(
  pairs: readonly QueryPair[],
  { name, kinds, members }: Declaration,
  decode: (text: string) => string,
): unknown[] {
  const items = textsOf(name, pairs).map(decode);
  // Cookies of others stand among them.
  const named = pairs.filter(([key]) => members.has(key));
  return [
    ...(kinds.has('array') && items.length > 0 ? [items] : []),
    ...(kinds.has('object') && named.length > 0 ? [toMap(named.map(([key, value]) => [key, decode(value)]))] : []),
  ];
}

function textsOf(name: string, pairs: readonly QueryPair[]): string[] {
  return pairs.filter(([key]) => key === name).map(([, value]) => value);
}

function decodeLeniently(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
