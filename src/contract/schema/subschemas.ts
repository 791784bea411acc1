import { isJsonObject, type JsonObject } from '../../syntax/json.ts';

/** What a keyword of JSON Schema 2020-12 (§10) holds, for those that hold schemas. */
const HOLDERS: ReadonlyMap<string, 'schema' | 'list' | 'map'> = new Map([
  ...['items', 'contains', 'unevaluatedItems', 'contentSchema'].map((keyword) => [keyword, 'schema'] as const),
  ...['additionalProperties', 'propertyNames', 'unevaluatedProperties'].map((keyword) => [keyword, 'schema'] as const),
  ...['not', 'if', 'then', 'else'].map((keyword) => [keyword, 'schema'] as const),
  ...['allOf', 'anyOf', 'oneOf', 'prefixItems'].map((keyword) => [keyword, 'list'] as const),
  ...['properties', 'patternProperties'].map((keyword) => [keyword, 'map'] as const),
  ...['$defs', 'definitions', 'dependentSchemas', 'dependencies'].map((keyword) => [keyword, 'map'] as const),
]);

/** Keywords whose schemas look at the same value as the schema that they stand in. */
export const IN_PLACE: ReadonlySet<string> = new Set([
  'allOf',
  'anyOf',
  'oneOf',
  'not',
  'if',
  'then',
  'else',
  'dependentSchemas',
  'dependencies',
]);

/** Outside of schemas: what holds any value. */
const DATA = new Set(['example', 'examples']);

/** Gets a schema and the keys on the way to it, which change afterwards. */
export type VisitSchema = (schema: JsonObject, path: readonly string[]) => void;

/**
 * Visits a schema and all that stand below its keywords, each after the one around it. Values, extensions and unknown
 * keywords hold none.
 */
export function walkSchema(schema: unknown, path: string[], visit: VisitSchema): void {
  if (!isJsonObject(schema)) {
    return;
  }
  visit(schema, path);
  for (const keyword of Object.keys(schema)) {
    const kind = HOLDERS.get(keyword);
    if (kind !== undefined) {
      path.push(keyword);
      walkHolder(schema[keyword], kind, path, visit);
      path.pop();
    }
  }
}

function walkHolder(value: unknown, kind: 'schema' | 'list' | 'map', path: string[], visit: VisitSchema): void {
  if (kind === 'schema') {
    walkSchema(value, path, visit);
    return;
  }
  if (kind === 'map' ? isJsonObject(value) : Array.isArray(value)) {
    for (const [key, schema] of Object.entries(value as object)) {
      path.push(key);
      walkSchema(schema, path, visit);
      path.pop();
    }
  }
}

/** Visits every schema of an OpenAPI document, as {@link walkSchema} does: what stands in `schema` and `components`. */
export function walkDocument(node: unknown, path: string[], visit: VisitSchema): void {
  if (typeof node !== 'object' || node === null) {
    return;
  }
  for (const [key, child] of Object.entries(node)) {
    // Of extensions nothing is known, but a header may be called like one.
    const isExtension = key.startsWith('x-') && path.at(-1) !== 'headers';
    if (typeof child === 'object' && child !== null && !DATA.has(key) && !isExtension) {
      path.push(key);
      if (key === 'schema' || key === 'itemSchema') {
        walkSchema(child, path, visit);
      } else if (key === 'schemas' && path.length === 2 && path[0] === 'components') {
        walkHolder(child, 'map', path, visit);
      } else {
        walkDocument(child, path, visit);
      }
      path.pop();
    }
  }
}
