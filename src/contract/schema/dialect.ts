import { isJsonObject, type JsonObject } from '../../syntax/json.ts';

/** How the schemas of a document are to be read. */
export interface SchemaDialect {
  /** Default: 3.1, whose schemas are those of JSON Schema 2020-12, as in 3.2. Those of 3.0 have rules of their own. */
  readonly version?: '3.0' | '3.1' | '3.2';
  /** Whether a text must be of the `format` of its schema; with `annotate` none is looked at. Default: assert. */
  readonly formats?: 'assert' | 'annotate';
  /** What the values are parts of, which decides which members an OpenAPI 3.0 schema requires. Default: request. */
  readonly direction?: 'request' | 'response';
}

/** The keywords of a Schema Object that decide something (OpenAPI 3.0.4 §4.7.24); it knows no others. */
const KEYWORDS_OF_3_0 = [
  'type',
  'enum',
  'nullable',
  'format',
  'multipleOf',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'uniqueItems',
  'items',
  'minProperties',
  'maxProperties',
  'required',
  'properties',
  'additionalProperties',
  'allOf',
  'anyOf',
  'oneOf',
  'not',
  'readOnly',
  'writeOnly',
];

/** What stands beside a `$ref` in OpenAPI 3.0 is ignored, but many write this and mean it. */
const KEYWORDS_BESIDE_REFERENCE = ['$ref', 'nullable', 'readOnly', 'writeOnly'];

/**
 * The keywords of a schema that count in its dialect, with the meanings of JSON Schema 2020-12 and, in addition,
 * `nullable`. What a neighbouring dialect writes otherwise, such as `exclusiveMinimum: true` or a list of types, can
 * mean one thing only and counts everywhere. A keyword that the dialect does not know is an annotation.
 */
export function readKeywords(schema: JsonObject, version: SchemaDialect['version']): JsonObject {
  const known = version === '3.0' ? pickKnown(schema) : schema;
  const isExclusive = ['exclusiveMinimum', 'exclusiveMaximum'].some((keyword) => typeof known[keyword] === 'boolean');
  return isExclusive
    ? withBound(withBound(known, 'minimum', 'exclusiveMinimum'), 'maximum', 'exclusiveMaximum')
    : known;
}

function pickKnown(schema: JsonObject): JsonObject {
  const known: Record<string, unknown> = {};
  for (const keyword of typeof schema['$ref'] === 'string' ? KEYWORDS_BESIDE_REFERENCE : KEYWORDS_OF_3_0) {
    if (schema[keyword] !== undefined) {
      known[keyword] = schema[keyword];
    }
  }
  return known;
}

/** Once, `exclusiveMinimum: true` made the `minimum` exclusive. */
function withBound(schema: JsonObject, inclusive: string, exclusive: string): JsonObject {
  const { [inclusive]: bound, [exclusive]: isExclusive, ...rest } = schema;
  if (typeof isExclusive !== 'boolean') {
    return schema;
  }
  return bound === undefined ? rest : { ...rest, [isExclusive ? exclusive : inclusive]: bound };
}

/**
 * True when a schema lets `null` through whatever else it says. It is a keyword of OpenAPI 3.0, but documents that were
 * written for it and call themselves 3.1 are full of it. The values of an `enum` stay the only ones.
 */
export function allowsNull(schema: JsonObject): boolean {
  const { nullable, enum: allowed } = schema;
  return (
    nullable === true && !(Array.isArray(allowed) && !allowed.includes(null)) && (schema['const'] ?? null) === null
  );
}

const METASCHEMAS = [
  // What the older drafts write otherwise is honoured, or a fault where it stands.
  /^https?:\/\/json-schema\.org\/(?:draft-0[4-7]|draft\/2019-09|draft\/2020-12)\/schema#?$/,
  /^https?:\/\/spec\.openapis\.org\/oas\/3\.[12]\/dialect\/[\w-]+#?$/,
];

/**
 * Refuses a dialect whose keywords could mean something else.
 *
 * @param keyword `$schema` of a schema, or `jsonSchemaDialect` of the document
 * @throws {Error} that names the place
 */
export function refuseStrangeDialect(holder: JsonObject, keyword: string, place: string): void {
  const dialect = holder[keyword];
  if (dialect !== undefined && !METASCHEMAS.some((known) => typeof dialect === 'string' && known.test(dialect))) {
    throw new Error(
      `${place} has ${JSON.stringify(dialect)} in ${keyword}, a dialect that is not known; leave it out, or write https://json-schema.org/draft/2020-12/schema`,
    );
  }
}

/** True for a document that holds schemas among other things; a schema alone is its own document. */
export function isOpenApi(root: JsonObject): boolean {
  return typeof root['openapi'] === 'string' && isJsonObject(root['info']);
}
