import { isJsonObject, type JsonObject } from '../syntax/json.ts';

/**
 * Keys under which the next level down is a map of names that the author chose, so that a header called `x-total`
 * stays a header and is not taken for an extension (OpenAPI 3.1 §4.9).
 */
const NAME_MAPS = new Set([
  '$defs',
  'callbacks',
  'content',
  'dependentRequired',
  'dependentSchemas',
  'encoding',
  'examples',
  'headers',
  'links',
  'mapping',
  'parameters',
  'pathItems',
  'patternProperties',
  'properties',
  'requestBodies',
  'responses',
  'schemas',
  'scopes',
  'securitySchemes',
  'variables',
]);

/** Keys whose value is data, or names the author chose, in which nothing is an extension. */
const DATA = new Set(['const', 'default', 'enum', 'example', 'security', 'value']);

/** The contract as clients see it: without the `x-` keys, which are between the author and the gateway. */
export function withoutExtensions(root: JsonObject): JsonObject {
  return stripObject(root);
}

function stripObject(node: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key]) => !key.startsWith('x-'))
      .map(([key, value]) => [key, isData(key, value) ? value : strip(value, NAME_MAPS.has(key))]),
  );
}

/** The `examples` of a schema are a list of values, those of a media type a map of names. */
function isData(key: string, value: unknown): boolean {
  return DATA.has(key) || (key === 'examples' && Array.isArray(value));
}

function strip(value: unknown, isNameMap: boolean): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => strip(item, false));
  }
  if (!isJsonObject(value)) {
    return value;
  }
  return isNameMap
    ? Object.fromEntries(Object.entries(value).map(([name, child]) => [name, strip(child, false)]))
    : stripObject(value);
}
