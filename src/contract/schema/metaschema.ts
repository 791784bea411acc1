type Schema = Readonly<Record<string, unknown>>;

/** Stands for the schema itself, or for the one of a dialect that extends it. */
const SCHEMA: Schema = { $dynamicRef: '#meta' };
const LIST: Schema = { type: 'array', minItems: 1, items: SCHEMA };
const MAP: Schema = { type: 'object', additionalProperties: SCHEMA };
const NUMBER: Schema = { type: 'number' };
const COUNT: Schema = { type: 'integer', minimum: 0 };
const TEXT: Schema = { type: 'string' };
const TEXTS: Schema = { type: 'array', items: TEXT, uniqueItems: true };
const FLAG: Schema = { type: 'boolean' };
const REFERENCE: Schema = { type: 'string', format: 'uri-reference' };
const ANCHOR: Schema = { type: 'string', pattern: '^[A-Za-z_][-A-Za-z0-9._]*$' };
const TYPE: Schema = { enum: ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'] };

/**
 * The schema of schemas (JSON Schema 2020-12 §8.1.1), for bodies that are schemas themselves: all of its vocabularies in
 * one.
 */
export const METASCHEMA = {
  $id: 'https://json-schema.org/draft/2020-12/schema',
  $dynamicAnchor: 'meta',
  type: ['object', 'boolean'],
  properties: {
    ...each(SCHEMA, 'items contains additionalProperties propertyNames unevaluatedItems unevaluatedProperties'),
    ...each(SCHEMA, 'if then else not contentSchema'),
    ...each(LIST, 'allOf anyOf oneOf prefixItems'),
    ...each(MAP, '$defs properties dependentSchemas'),
    ...each(NUMBER, 'maximum exclusiveMaximum minimum exclusiveMinimum'),
    ...each(COUNT, 'maxLength minLength maxItems minItems maxContains minContains maxProperties minProperties'),
    ...each(TEXT, '$comment format contentEncoding contentMediaType title description'),
    ...each(FLAG, 'uniqueItems deprecated readOnly writeOnly'),
    ...each(REFERENCE, '$ref $dynamicRef'),
    ...each(ANCHOR, '$anchor $dynamicAnchor'),
    ...each({ type: 'array' }, 'enum examples'),
    $id: { ...REFERENCE, pattern: '^[^#]*#?$' },
    $schema: { type: 'string', format: 'uri' },
    $vocabulary: { type: 'object', propertyNames: { format: 'uri' }, additionalProperties: FLAG },
    type: { anyOf: [TYPE, { type: 'array', items: TYPE, minItems: 1, uniqueItems: true }] },
    multipleOf: { type: 'number', exclusiveMinimum: 0 },
    pattern: { type: 'string', format: 'regex' },
    patternProperties: { ...MAP, propertyNames: { format: 'regex' } },
    required: TEXTS,
    dependentRequired: { type: 'object', additionalProperties: TEXTS },
  },
};

function each(schema: Schema, keywords: string): Schema {
  return Object.fromEntries(keywords.split(' ').map((keyword) => [keyword, schema]));
}
