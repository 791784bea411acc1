import { follow, isObject, type JsonObject, type Located } from './references.ts';
import type { Check, SchemaCompiler } from './schemas.ts';

/** How a body of a declared media type is checked; without one it passes as a stream. */
export interface JsonCheck {
  readonly everyFault: Check;
  readonly firstFault: Check;
}

/** What an operation says of its body. */
export interface BodyRule {
  readonly required: boolean;
  /** The declared media types, exact ones before ranges; `json` is absent where nothing can be checked. */
  readonly mediaTypes: readonly { readonly range: string; readonly json?: JsonCheck }[];
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
    const checkable = isJson(range) && media !== undefined && isObject(media.value['schema']);
    return checkable
      ? { range: normalise(range), json: compileJson(`${media.pointer}/schema`, schemas) }
      : { range: normalise(range) };
  });
  return {
    required: body.value['required'] === true,
    mediaTypes: mediaTypes.toSorted((a, b) => countStars(a.range) - countStars(b.range)),
  };
}

function compileJson(pointer: string, schemas: SchemaCompiler): JsonCheck {
  return { everyFault: schemas.compile(pointer), firstFault: schemas.compileFirstFault(pointer) };
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

function countStars(range: string): number {
  return range.split('*').length;
}
