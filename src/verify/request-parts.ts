import type { Declaration } from '../contract/checks/parameters/declaration.ts';
import { readQuery } from '../contract/checks/parameters/query.ts';
import type { ParameterSource } from '../contract/checks/parameters/source.ts';
import { compileFill, parseTemplate } from '../contract/routes/path-template.ts';
import { isJsonObject } from '../syntax/json.ts';
import type { TriedBody, TriedOperation, TriedParameter } from './load-operations.ts';
import { writePairs, writeText, type Pair } from './write-parameter.ts';

/** A request before it is put together, so that each declared part of it can be changed. */
export interface RequestParts {
  /** As it is sent. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: readonly Pair[];
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly Pair[];
  readonly body: { readonly mediaType: string; readonly text: string } | undefined;
}

/** A request of which nothing is given. */
export const EMPTY_PARTS: RequestParts = { path: {}, query: [], headers: {}, cookies: [], body: undefined };

/** Gives a parameter a value, written in its style (OpenAPI 3.1 §4.8.12). */
export function withParameter(parts: RequestParts, declaration: Declaration, value: unknown): RequestParts {
  switch (declaration.in) {
    case 'query':
    case 'querystring':
      return { ...parts, query: [...parts.query, ...writePairs(declaration, value)] };
    case 'cookie':
      return { ...parts, cookies: [...parts.cookies, ...writePairs(declaration, value)] };
    case 'path':
    case 'header':
      return withSentText(parts, declaration, writeText(declaration, value));
  }
}

/** Gives a parameter a text as it stands, in the place of what it had; its commas part items. */
export function withText(parts: RequestParts, declaration: Declaration, text: string): RequestParts {
  const isEncoded = declaration.in !== 'header' && declaration.in !== 'cookie';
  return withSentText(parts, declaration, isEncoded ? encodeURIComponent(text).replaceAll('%2C', ',') : text);
}

function withSentText(parts: RequestParts, { name, in: place }: Declaration, text: string): RequestParts {
  switch (place) {
    case 'path':
      return { ...parts, path: { ...parts.path, [name]: text } };
    case 'query':
      return { ...parts, query: [...parts.query.filter(([key]) => key !== name), [name, text]] };
    case 'querystring':
      return { ...parts, query: [[text]] };
    case 'header':
      return { ...parts, headers: { ...parts.headers, [name.toLowerCase()]: text } };
    case 'cookie':
      return { ...parts, cookies: [...parts.cookies.filter(([key]) => key !== name), [name, text]] };
  }
}

/** How a parameter is written that has no value yet. */
export function shapeOf({ kinds, mediaType }: Declaration): 'content' | 'scalar' | 'list' | 'map' {
  if (mediaType !== undefined) {
    return 'content';
  }
  return kinds.has('string') ? 'scalar' : kinds.has('array') ? 'list' : kinds.has('object') ? 'map' : 'scalar';
}

/** Takes a parameter out of a request. */
export function withoutParameter(parts: RequestParts, { declaration, schema }: TriedParameter): RequestParts {
  const { name } = declaration;
  const isMap = declaration.kinds.has('object');
  const members = isMap && isJsonObject(schema.value['properties']) ? Object.keys(schema.value['properties']) : [];
  const isOther = ([key]: Pair): boolean =>
    key !== name && !key.startsWith(`${name}[`) && !(isMap && members.includes(key));
  return {
    ...parts,
    query: queryWithout(parts, declaration, isOther),
    cookies: declaration.in === 'cookie' ? parts.cookies.filter(isOther) : parts.cookies,
    headers:
      declaration.in === 'header'
        ? Object.fromEntries(Object.entries(parts.headers).filter(([key]) => key !== name.toLowerCase()))
        : parts.headers,
  };
}

function queryWithout(
  { query }: RequestParts,
  { in: place }: Declaration,
  isOther: (pair: Pair) => boolean,
): readonly Pair[] {
  return place === 'querystring' ? [] : place === 'query' ? query.filter(isOther) : query;
}

/** Gives the request a body: JSON where the media type is checked as JSON, else the text itself. */
export function withBody(parts: RequestParts, { mediaType, check }: TriedBody, value: unknown): RequestParts {
  const text = check === undefined && typeof value === 'string' ? value : JSON.stringify(value);
  return { ...parts, body: { mediaType, text } };
}

/** The request as the checks of the contract read one. */
export function toSource(parts: RequestParts): ParameterSource {
  const cookie = parts.cookies.map(([name, value = '']) => `${name}=${value}`).join('; ');
  const search = toSearch(parts);
  const path = Object.entries(parts.path).map(([name, text]): [string, string] => [name, decodeURIComponent(text)]);
  return {
    path: Object.fromEntries(path),
    encodedPath: parts.path,
    search: search === '' ? '' : `?${search}`,
    query: readQuery(search),
    headers: { ...parts.headers, cookie },
  };
}

/** The path of the request, encoded. */
export function toPath({ path }: TriedOperation, parts: RequestParts): string {
  return compileFill(parseTemplate(path))(parts.path);
}

/** The query of the request, encoded and without its `?`. */
export function toSearch({ query }: RequestParts): string {
  return query.map(([name, value]) => `${encodeURIComponent(name)}${value === undefined ? '' : `=${value}`}`).join('&');
}
