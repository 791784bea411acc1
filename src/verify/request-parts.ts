import type { Declaration, ParameterSource } from '../contract/parameters.ts';
import { compileFill, encodeValue, parseTemplate } from '../contract/path-template.ts';
import { isJsonObject } from '../syntax/json.ts';
import type { TriedBody, TriedOperation, TriedParameter } from './load-operations.ts';

/** A name and its text. */
type Pair = readonly [string, string];

/** A request before it is put together, so that each declared part of it can be changed. */
export interface RequestParts {
  /** Decoded. */
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
  if (declaration.in === 'query') {
    return { ...parts, query: [...parts.query, ...toQuery(declaration, value)] };
  }
  return withText(parts, declaration, toSimpleText(declaration, value));
}

/** Gives a parameter a text as it stands, in the place of what it had. */
export function withText(parts: RequestParts, { name, in: place }: Declaration, text: string): RequestParts {
  switch (place) {
    case 'path':
      return { ...parts, path: { ...parts.path, [name]: text } };
    case 'query':
      return { ...parts, query: [...parts.query.filter(([key]) => key !== name), [name, text]] };
    case 'header':
      return { ...parts, headers: { ...parts.headers, [name.toLowerCase()]: text } };
    case 'cookie':
      return { ...parts, cookies: [...parts.cookies.filter(([key]) => key !== name), [name, text]] };
  }
}

/** Takes a parameter out of a request. */
export function withoutParameter(parts: RequestParts, { declaration, schema }: TriedParameter): RequestParts {
  const { name } = declaration;
  const isMap = declaration.shape === 'map';
  const members = isMap && isJsonObject(schema.value['properties']) ? Object.keys(schema.value['properties']) : [];
  const isOther = ([key]: Pair): boolean =>
    key !== name && !(isMap && key.startsWith(`${name}[`)) && !(isMap && members.includes(key));
  return {
    ...parts,
    query: declaration.in === 'query' ? parts.query.filter(isOther) : parts.query,
    cookies: declaration.in === 'cookie' ? parts.cookies.filter(isOther) : parts.cookies,
    headers:
      declaration.in === 'header'
        ? Object.fromEntries(Object.entries(parts.headers).filter(([key]) => key !== name.toLowerCase()))
        : parts.headers,
  };
}

/** Gives the request a body: JSON where the media type is checked as JSON, else the text itself. */
export function withBody(parts: RequestParts, { mediaType, check }: TriedBody, value: unknown): RequestParts {
  const text = check === undefined && typeof value === 'string' ? value : JSON.stringify(value);
  return { ...parts, body: { mediaType, text } };
}

/** The request as the checks of the contract read one. */
export function toSource(parts: RequestParts): ParameterSource {
  const cookie = parts.cookies.map(([name, value]) => `${name}=${value}`).join('; ');
  return { path: parts.path, query: toSearch(parts), headers: { ...parts.headers, cookie } };
}

/** The path of the request, encoded. */
export function toPath({ path }: TriedOperation, parts: RequestParts): string {
  const encoded = Object.entries(parts.path).map(([name, value]) => [name, encodeValue(value)]);
  return compileFill(parseTemplate(path))(Object.fromEntries(encoded) as Record<string, string>);
}

/** The query of the request. */
export function toSearch({ query }: RequestParts): URLSearchParams {
  return new URLSearchParams(query.map(([name, value]): [string, string] => [name, value]));
}

const SEPARATORS: Readonly<Record<string, string>> = { spaceDelimited: ' ', pipeDelimited: '|' };

function toQuery(declaration: Declaration, value: unknown): Pair[] {
  const { name, style, explode, shape } = declaration;
  if (shape === 'list' && Array.isArray(value)) {
    const texts = value.map(String);
    const joined: Pair[] = texts.length === 0 ? [] : [[name, texts.join(SEPARATORS[style] ?? ',')]];
    return explode ? texts.map((text) => [name, text]) : joined;
  }
  if (shape === 'map' && isJsonObject(value) && (style === 'deepObject' || explode)) {
    return Object.entries(value).map(([key, member]) => [
      style === 'deepObject' ? `${name}[${key}]` : key,
      String(member),
    ]);
  }
  return [[name, toSimpleText({ ...declaration, explode: false }, value)]];
}

function toSimpleText({ shape, explode }: Declaration, value: unknown): string {
  if (shape === 'json') {
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    return value.map(String).join(',');
  }
  if (isJsonObject(value)) {
    const separator = explode ? '=' : ',';
    return Object.entries(value)
      .map(([key, member]) => `${key}${separator}${String(member)}`)
      .join(',');
  }
  if (typeof value === 'string') {
    return value;
  }
  return value === null ? '' : JSON.stringify(value);
}
