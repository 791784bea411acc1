import { follow, type Located } from './references.ts';
import { isJsonObject, type JsonObject } from '../syntax/json.ts';
import type { Check, SchemaCompiler } from './schemas.ts';

/** What an operation says of its body. */
export interface BodyRule {
  readonly required: boolean;
  /** The declared media types, exact ones before ranges; `json` checks the body, and is absent where nothing can be checked and the body passes as a stream. */
  readonly mediaTypes: readonly { readonly range: string; readonly json?: Check }[];
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
  const mediaTypes = Object.keys(content.value).map((range) => {
    const media = follow(root, content, range);
    const schema = media?.value['schema'];
    const checkable = isJson(range) && media !== undefined && (isJsonObject(schema) || schema === false);
    return checkable
      ? { range: normalise(range), json: schemas.compile(`${media.pointer}/schema`) }
      : { range: normalise(range) };
  });
  return {
    required: body.value['required'] === true,
    mediaTypes: mediaTypes.toSorted((a, b) => countStars(a.range) - countStars(b.range)),
  };
}

/** The declared media type that a `Content-Type` falls under (RFC 9110 §8.3.1), `undefined` when there is none. */
export function findMediaType(rule: BodyRule, contentType: string): BodyRule['mediaTypes'][number] | undefined {
  const given = normalise(contentType);
  const [type = ''] = given.split('/');
  return rule.mediaTypes.find(({ range }) => range === given || range === '*/*' || range === `${type}/*`);
}

function normalise(mediaType: string): string {
  return (mediaType.split(';', 1)[0] ?? '').trim().toLowerCase();
}

/** True for `application/json` and its `+json` relatives. */
export function isJson(mediaType: string): boolean {
  return /^application\/(?:[\w.-]+\+)?json$/.test(normalise(mediaType));
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

function countStars(range: string): number {
  return range.split('*').length;
}
