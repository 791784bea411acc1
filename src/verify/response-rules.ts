import { bareMediaType, isJson } from '../contract/checks/media-type.ts';
import { follow, type Located } from '../contract/openapi/references.ts';
import { isJsonObject, type JsonObject } from '../syntax/json.ts';
import type { Check, SchemaCompiler } from '../contract/schema/schemas.ts';

/** What the contract says of the answers of one status, or of a range of them. */
export interface ResponseRule {
  /** `200`, `4XX` or `default`. */
  readonly status: string;
  readonly headers: readonly HeaderRule[];
  /** `undefined` where the contract says nothing of a body. */
  readonly mediaTypes: readonly MediaTypeRule[] | undefined;
}

interface HeaderRule {
  readonly name: string;
  readonly required: boolean;
  /** Takes the text of the header. */
  readonly check: Check | undefined;
}

interface MediaTypeRule {
  readonly range: string;
  /** Takes parsed JSON; absent where nothing can be checked. */
  readonly check: Check | undefined;
}

/**
 * Reads the `responses` of an operation.
 *
 * @throws {Error} when a schema is wrong
 */
export function compileResponses(root: JsonObject, operation: Located, schemas: SchemaCompiler): ResponseRule[] {
  const responses = follow(root, operation, 'responses');
  return Object.keys(responses?.value ?? {})
    .filter((status) => !status.startsWith('x-'))
    .flatMap((status) => {
      const response = responses && follow(root, responses, status);
      return response === undefined
        ? []
        : [
            {
              status: status.toUpperCase() === 'DEFAULT' ? 'default' : status.toUpperCase(),
              headers: compileHeaders(root, response, schemas),
              mediaTypes: compileMediaTypes(root, response, schemas),
            },
          ];
    });
}

function compileHeaders(root: JsonObject, response: Located, schemas: SchemaCompiler): HeaderRule[] {
  const headers = follow(root, response, 'headers');
  return Object.keys(headers?.value ?? {}).flatMap((name) => {
    const header = headers && follow(root, headers, name);
    if (header === undefined || name.toLowerCase() === 'content-type') {
      return [];
    }
    const schema = follow(root, header, 'schema');
    const isScalar = schema !== undefined && !['array', 'object'].includes(String(schema.value['type']));
    return [
      {
        name: name.toLowerCase(),
        required: header.value['required'] === true,
        check: isScalar ? schemas.compileParameter(schema.pointer) : undefined,
      },
    ];
  });
}

function compileMediaTypes(root: JsonObject, response: Located, schemas: SchemaCompiler): MediaTypeRule[] | undefined {
  const content = follow(root, response, 'content');
  return (
    content &&
    Object.keys(content.value).map((range) => {
      const media = follow(root, content, range);
      const checkable = media !== undefined && saysOfJson(range, media.value['schema']);
      return {
        range: bareMediaType(range),
        check: checkable ? schemas.compile(`${media.pointer}/schema`) : undefined,
      };
    })
  );
}

/** True where a schema is about bodies of JSON, and not about bytes of any type (OpenAPI 3.0 §4.7.14.1). */
function saysOfJson(range: string, schema: unknown): boolean {
  const isBytes = isJsonObject(schema) && (schema['format'] === 'binary' || schema['contentEncoding'] !== undefined);
  return (isJson(range) || (range.trim().endsWith('/*') && !isBytes)) && (isJsonObject(schema) || schema === false);
}

/** The rule for a status: the exact one, else its range, else `default` (OpenAPI 3.1 §4.8.16). */
export function findResponse(rules: readonly ResponseRule[], status: number): ResponseRule | undefined {
  const names = [String(status), `${Math.trunc(status / 100)}XX`, 'default'];
  return names
    .map((name) => rules.find((rule) => rule.status === name))
    .find((rule): rule is ResponseRule => rule !== undefined);
}

/** The rule for a `Content-Type`: the exact one, else the narrowest range. */
export function findMediaTypeRule(rules: readonly MediaTypeRule[], contentType: string): MediaTypeRule | undefined {
  const given = bareMediaType(contentType);
  const [type] = given.split('/', 1);
  const [, suffix = ''] = /(\+[^+]*)$/.exec(given) ?? [];
  return [given, `${type}/*${suffix}`, `${type}/*`, '*/*']
    .map((range) => rules.find((rule) => rule.range === range))
    .find((rule): rule is MediaTypeRule => rule !== undefined);
}
