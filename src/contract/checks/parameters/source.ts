import type { EncodedValues, PathValues } from '../../routes/path-template.ts';
import type { QueryPair } from './query.ts';

/** The places of a request in which parameters can stand. */
export interface ParameterSource {
  /** Decoded. */
  readonly path: PathValues;
  /** The same as they were sent, in which an encoded comma is not the comma that parts two items. */
  readonly encodedPath: EncodedValues;
  /** The whole query, with its `?`; empty when there is none. */
  readonly search: string;
  readonly query: readonly QueryPair[];
  /** By name in lower case; a header that came in several lines is a list. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** The values of a name in the query, encoded. */
export function textsInQuery({ query }: ParameterSource, name: string): string[] {
  const texts: string[] = [];
  for (const [key, value] of query) {
    if (key === name) {
      texts.push(value);
    }
  }
  return texts;
}

/** The lines of a header. */
export function linesOf({ headers }: ParameterSource, name: string): readonly string[] {
  const key = name.toLowerCase();
  const lines = Object.hasOwn(headers, key) ? headers[key] : undefined;
  return lines === undefined ? [] : typeof lines === 'string' ? [lines] : lines;
}

/** The names and values of cookies (RFC 6265 §4.2.1), as they were sent. */
export function readCookies(source: ParameterSource, separator: string | RegExp = ';'): readonly QueryPair[] {
  return linesOf(source, 'cookie')
    .flatMap((line) => line.split(separator))
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')
    .map((pair) => cutAt(pair, '='));
}

/** The two parts of a text before and after a sign; all of it and nothing, where the sign is not. */
export function cutAt(text: string, sign: string): QueryPair {
  const at = text.indexOf(sign);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + sign.length)];
}

/** A value of the path, decoded; `undefined` when there is none. */
export function textInPath({ path }: ParameterSource, name: string): string | undefined {
  const value = Object.hasOwn(path, name) ? path[name] : undefined;
  return typeof value === 'object' ? value.join('/') : value;
}
