import { isFormUrlencoded, isJson } from '../contract/checks/media-type.ts';
import type { Declaration, Style } from '../contract/checks/parameters/declaration.ts';
import { isJsonObject } from '../syntax/json.ts';

/** A name, decoded, and its text as it is sent; a name alone has no equals sign. */
export type Pair = readonly [name: string, text?: string];

/** The text of a parameter as it is sent, for one that is one text: in the path, a header or `content`. */
export function writeText(declaration: Declaration, value: unknown): string {
  const { in: place, name, style, explode, mediaType } = declaration;
  const encode = encoderOf(declaration);
  if (mediaType !== undefined) {
    return encode(isJson(mediaType) ? JSON.stringify(value) : toText(value));
  }
  const joined = (delimiter: string): string => joinParts(value, { delimiter, explode, encode });
  if (place !== 'path' || style === 'simple') {
    return joined(',');
  }
  if (style === 'label') {
    return `.${joined(explode ? '.' : ',')}`;
  }
  if (!explode || !isNest(value)) {
    return `;${encode(name)}=${joined(',')}`;
  }
  return Array.isArray(value)
    ? value.map((item) => `;${encode(name)}=${encode(toText(item))}`).join('')
    : `;${joined(';')}`;
}

const DELIMITERS: Partial<Readonly<Record<Style, string>>> = { spaceDelimited: '%20', pipeDelimited: '%7C' };

/** The pairs of a parameter in the query or in cookies (OpenAPI 3.1 §4.8.12.4). */
export function writePairs(declaration: Declaration, value: unknown): readonly Pair[] {
  const { in: place, name, style, explode, mediaType } = declaration;
  const encode = encoderOf(declaration);
  if (place === 'querystring') {
    const isForm = mediaType !== undefined && isFormUrlencoded(mediaType) && isJsonObject(value);
    return isForm ? spread(value, encode) : [[writeContent(mediaType, value)]];
  }
  if (mediaType !== undefined || !isNest(value)) {
    return [[name, writeText(declaration, value)]];
  }
  if (style === 'deepObject') {
    return writeDeep(name, value);
  }
  if (!explode) {
    const isEmpty = Object.keys(value as object).length === 0;
    return isEmpty ? [] : [[name, joinParts(value, { delimiter: DELIMITERS[style] ?? ',', explode, encode })]];
  }
  return Array.isArray(value)
    ? value.map((item): Pair => [name, encode(toText(item))])
    : spread(value as object, encode);
}

function writeContent(mediaType: string | undefined, value: unknown): string {
  return mediaType !== undefined && isJson(mediaType) ? JSON.stringify(value) : toText(value);
}

function spread(value: object, encode: Encode): Pair[] {
  return Object.entries(value).flatMap(([key, member]) =>
    [member].flat().map((item: unknown): Pair => [key, encode(toText(item))]),
  );
}

function writeDeep(name: string, value: unknown): Pair[] {
  if (Array.isArray(value)) {
    return value.flatMap((item, index) =>
      isNest(item) ? writeDeep(`${name}[${index}]`, item) : writeDeep(`${name}[]`, item),
    );
  }
  return isJsonObject(value)
    ? Object.entries(value).flatMap(([key, member]) => writeDeep(`${name}[${key}]`, member))
    : [[name, encodeURIComponent(toText(value))]];
}

type Encode = (text: string) => string;

/** Headers, and cookies of their own style, are sent as they are. */
function encoderOf({ in: place, style }: Declaration): Encode {
  return place === 'header' || style === 'cookie' ? (text) => text : encodeURIComponent;
}

interface Joining {
  readonly delimiter: string;
  readonly explode: boolean;
  readonly encode: Encode;
}

function joinParts(value: unknown, { delimiter, explode, encode }: Joining): string {
  if (Array.isArray(value)) {
    return value.map((item) => encode(toText(item))).join(delimiter);
  }
  return isJsonObject(value)
    ? Object.entries(value)
        .map(([key, member]) => `${encode(key)}${explode ? '=' : delimiter}${encode(toText(member))}`)
        .join(delimiter)
    : encode(toText(value));
}

function isNest(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value);
}
