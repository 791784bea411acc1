import { isJsonObject, type JsonObject } from '../../syntax/json.ts';
import { isJson, isMediaType, parseMediaType, type MediaType } from './media-type.ts';
import { follow, type Located } from '../openapi/references.ts';
import type { Check, SchemaCompiler } from '../schema/schemas.ts';

/** A media type that an operation declares, or a range of them. */
export interface BodyMediaType extends MediaType {
  /** As the contract writes it. */
  readonly name: string;
  /** Checks a body that is JSON; absent where nothing can be checked. */
  readonly json?: Check;
}

/** What an operation says of its body. */
export interface BodyRule {
  readonly required: boolean;
  /** In the order of the contract. */
  readonly mediaTypes: readonly BodyMediaType[];
}

/**
 * Reads the `requestBody` of an operation; `undefined` when it declares none, so that any body passes untouched.
 *
 * @throws {Error} when a schema is wrong
 */
export function compileBody(root: JsonObject, operation: Located, schemas: SchemaCompiler): BodyRule | undefined {
  const body = follow(root, operation, 'requestBody');
  const content = body && follow(root, body, 'content');
  if (body === undefined || content === undefined) {
    return undefined;
  }
  const mediaTypes = Object.keys(content.value).map((name) => {
    const media = follow(root, content, name);
    const type = { name, ...parseMediaType(name) };
    return media !== undefined && isCheckable(type.range, media.value['schema'])
      ? { ...type, json: schemas.compile(`${media.pointer}/schema`) }
      : type;
  });
  return { required: body.value['required'] === true, mediaTypes };
}

function isCheckable(range: string, schema: unknown): boolean {
  if (isJson(range)) {
    return isJsonObject(schema) || schema === false;
  }
  // Bytes of any type, of which JSON is one, are described by a text (OpenAPI 3.0 §4.7.14.1).
  const isBytes = isJsonObject(schema) && (schema['format'] === 'binary' || schema['contentEncoding'] !== undefined);
  return isRange(range) && !isBytes && (isJsonObject(schema) || schema === false);
}

/** True for a range that JSON falls under beside other types. */
function isRange(range: string): boolean {
  return range === '*/*' || range === 'application/*' || range === 'text/*';
}

/**
 * The declared media type that a `Content-Type` falls under: the one that says most about it (RFC 9110 §12.5.1);
 * `undefined` when there is none.
 */
export function findMediaType(rule: BodyRule, contentType: string): BodyMediaType | undefined {
  const given = parseMediaType(contentType);
  let best: BodyMediaType | undefined;
  let bestFit = 0;
  for (const candidate of rule.mediaTypes) {
    const fit = fitOf(candidate, given);
    if (fit > bestFit) {
      best = candidate;
      bestFit = fit;
    }
  }
  return best;
}

/** The check of a body by its `Content-Type`; `undefined` where the body is no JSON, or nothing is said of it. */
export function checkFor(mediaType: BodyMediaType | undefined, contentType: string): Check | undefined {
  // What has no type may be taken for JSON.
  return contentType === '' || isJson(contentType) ? mediaType?.json : undefined;
}

/** More than anything that parameters add. */
const RANK = 1_000;

/** How much a declared media type says about a given one; 0 when it is about others. */
function fitOf(declared: BodyMediaType, given: MediaType): number {
  const rank = rankOf(declared.range, given.range);
  if (rank === 0) {
    return 0;
  }
  let fit = rank * RANK;
  for (const [name, value] of declared.parameters) {
    const other = given.parameters.get(name);
    // One that says otherwise is worse than one that says nothing.
    fit += other === undefined ? 0 : other.toLowerCase() === value.toLowerCase() ? 1 : -1;
  }
  return fit;
}

function rankOf(range: string, given: string): number {
  if (range === given) {
    return 4;
  }
  const [type = '', subtype = ''] = range.split('/');
  if (type === '*') {
    // A list of types or half of one is none, and nobody knows what the service behind reads in it.
    return given === '' || isMediaType(given) ? 1 : 0;
  }
  if (!subtype.startsWith('*') || !isMediaType(given) || !given.startsWith(`${type}/`)) {
    return 0;
  }
  return subtype === '*' ? 2 : given.endsWith(subtype.slice(1)) ? 3 : 0;
}

/** True unless a `Content-Type` names a charset that is not UTF-8, in which another reader would find another body. */
export function isUtf8(contentType: string): boolean {
  return contentType
    .split(';')
    .slice(1)
    .map((parameter) => parameter.split('='))
    .filter(([name = '']) => name.trim().toLowerCase() === 'charset')
    .every(([, ...value]) => /^(?:"utf-?8"|utf-?8)$/i.test(value.join('=').trim()));
}
