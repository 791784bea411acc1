import type { OpenApiVersion } from './version.ts';

/** The kinds of objects that an OpenAPI document is made of (OpenAPI 3.2 §4). */
export type Kind =
  | 'document'
  | 'info'
  | 'server'
  | 'paths'
  | 'path item'
  | 'operation'
  | 'parameter'
  | 'request body'
  | 'media type'
  | 'encoding'
  | 'responses'
  | 'response'
  | 'header'
  | 'example'
  | 'link'
  | 'callback'
  | 'components'
  | 'security scheme'
  | 'flows'
  | 'flow'
  | 'security requirement'
  | 'schema'
  | 'discriminator'
  | 'note';

/**
 * What a field holds: a value of its own, an object of a kind, or a list or a map of such objects, whose names the author
 * chose. `any` is whatever: data such as an example, or words for people, of which nothing of ours depends.
 */
export type Holding =
  { readonly is: 'any' | 'text' | 'boolean' | 'texts' } | { readonly is: 'object' | 'list' | 'map'; readonly of: Kind };

/** A field of an object. */
export type Field = Holding & {
  readonly isRequired?: boolean;
  /** The values that a text can have. */
  readonly allowed?: readonly string[];
  /** The first version that knows it; default all. */
  readonly since?: OpenApiVersion;
  /** True for what the gateway publishes and does not serve, so that nothing of it is checked. */
  readonly isAside?: boolean;
};

/** What is known of a kind of objects. */
export interface ObjectRule {
  readonly fields: ReadonlyMap<string, Field>;
  /** The names of the fields that must be there. */
  readonly required: readonly string[];
  /** What stands under names that the author chose; absent where there are no such names. */
  readonly names?: Holding;
  /** False where a key that begins with `x-` is a name like any other; default true. */
  readonly hasExtensions?: boolean;
  /** Where objects of this kind stand below `components`; absent where a reference to one can only be written out. */
  readonly component?: string;
}

const any: Holding = { is: 'any' };
const text: Holding = { is: 'text' };
const flag: Holding = { is: 'boolean' };
const texts: Holding = { is: 'texts' };
const one = (of: Kind): Holding => ({ is: 'object', of });
const list = (of: Kind): Holding => ({ is: 'list', of });
const map = (of: Kind): Holding => ({ is: 'map', of });
const required = (field: Field): Field => ({ ...field, isRequired: true });
const among = (...allowed: string[]): Field => ({ is: 'text', allowed });
const since = (version: OpenApiVersion, field: Field): Field => ({ ...field, since: version });
const aside = (field: Field): Field => ({ ...field, isAside: true });

const NOTE: Field = one('note');

/** What tells a header or a parameter, and what it holds. */
const HEADER = {
  required: flag,
  allowEmptyValue: flag,
  style: text,
  explode: flag,
  allowReserved: flag,
  schema: one('schema'),
  content: map('media type'),
  examples: map('example'),
  example: any,
};

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const;

/** The fields of JSON Schema that hold schemas (2020-12, and what older drafts called otherwise); the rest is any value. */
const SCHEMA = {
  $ref: text,
  ...toFields(
    one('schema'),
    'not',
    'if',
    'then',
    'else',
    'items',
    'contains',
    'additionalItems',
    'additionalProperties',
    'propertyNames',
    'unevaluatedItems',
    'unevaluatedProperties',
    'contentSchema',
  ),
  ...toFields(list('schema'), 'allOf', 'anyOf', 'oneOf', 'prefixItems'),
  ...toFields(map('schema'), 'properties', 'patternProperties', 'dependentSchemas', '$defs', 'definitions'),
  discriminator: one('discriminator'),
  externalDocs: NOTE,
  xml: NOTE,
};

type Fields = Readonly<Record<string, Field>>;
type Written = Omit<ObjectRule, 'fields' | 'required'> & { readonly fields: Fields };

const KINDS: Readonly<Record<Kind, Written>> = {
  document: {
    fields: {
      openapi: required(text),
      $self: since('3.2', text),
      info: required(one('info')),
      jsonSchemaDialect: since('3.1', text),
      servers: list('server'),
      paths: one('paths'),
      webhooks: since('3.1', aside(map('path item'))),
      components: one('components'),
      security: list('security requirement'),
      tags: list('note'),
      externalDocs: NOTE,
    },
  },
  info: { fields: { title: required(text), version: required(text), contact: NOTE, license: NOTE } },
  server: { fields: { url: required(text), description: any, variables: map('note') } },
  paths: { fields: {}, names: one('path item') },
  'path item': {
    component: 'pathItems',
    fields: {
      $ref: text,
      ...toFields(one('operation'), ...METHODS),
      query: since('3.2', one('operation')),
      additionalOperations: since('3.2', map('operation')),
      parameters: list('parameter'),
      servers: list('server'),
      summary: any,
      description: any,
      // Not OpenAPI's: the default of the operations below.
      security: list('security requirement'),
    },
  },
  operation: {
    fields: {
      operationId: text,
      parameters: list('parameter'),
      requestBody: one('request body'),
      responses: one('responses'),
      callbacks: aside(map('callback')),
      security: list('security requirement'),
      servers: list('server'),
      tags: any,
      summary: any,
      description: any,
      deprecated: any,
      externalDocs: NOTE,
    },
  },
  parameter: {
    component: 'parameters',
    fields: {
      name: required(text),
      in: required(among('path', 'query', 'header', 'cookie')),
      ...HEADER,
      description: any,
      deprecated: any,
    },
  },
  'request body': {
    component: 'requestBodies',
    fields: { content: required(map('media type')), required: flag, description: any },
  },
  'media type': {
    component: 'mediaTypes',
    fields: {
      schema: one('schema'),
      itemSchema: since('3.2', one('schema')),
      encoding: map('encoding'),
      prefixEncoding: since('3.2', list('encoding')),
      itemEncoding: since('3.2', one('encoding')),
      examples: map('example'),
      example: any,
    },
  },
  encoding: { fields: { contentType: any, headers: map('header'), encoding: since('3.2', map('encoding')) } },
  responses: { fields: {}, names: one('response') },
  response: {
    component: 'responses',
    fields: { description: any, headers: map('header'), content: map('media type'), links: aside(map('link')) },
  },
  header: { component: 'headers', fields: { ...HEADER, description: any, deprecated: any } },
  example: { component: 'examples', fields: { value: any, dataValue: any, serializedValue: any, externalValue: any } },
  link: { component: 'links', fields: { parameters: any, requestBody: any, server: one('server') } },
  callback: { component: 'callbacks', fields: {}, names: one('path item') },
  components: {
    fields: {
      schemas: map('schema'),
      responses: map('response'),
      parameters: map('parameter'),
      examples: aside(map('example')),
      requestBodies: map('request body'),
      headers: map('header'),
      securitySchemes: map('security scheme'),
      links: aside(map('link')),
      callbacks: aside(map('callback')),
      pathItems: since('3.1', aside(map('path item'))),
      mediaTypes: since('3.2', map('media type')),
    },
  },
  'security scheme': {
    component: 'securitySchemes',
    fields: {
      type: required(among('apiKey', 'http', 'mutualTLS', 'oauth2', 'openIdConnect')),
      name: text,
      in: among('query', 'header', 'cookie'),
      scheme: text,
      flows: one('flows'),
      openIdConnectUrl: any,
      oauth2MetadataUrl: any,
      bearerFormat: any,
      description: any,
      deprecated: any,
    },
  },
  flows: {
    fields: toFields(
      one('flow'),
      'implicit',
      'password',
      'clientCredentials',
      'authorizationCode',
      'deviceAuthorization',
    ),
  },
  flow: {
    fields: { scopes: any, ...toFields(any, 'authorizationUrl', 'tokenUrl', 'refreshUrl', 'deviceAuthorizationUrl') },
  },
  'security requirement': { fields: {}, names: texts, hasExtensions: false },
  schema: { component: 'schemas', fields: SCHEMA },
  discriminator: { fields: { propertyName: any, mapping: any, defaultMapping: any } },
  note: { fields: {} },
};

/** Where a parameter can stand since 3.2 (§4.12.1). */
const IN_3_2 = among('path', 'query', 'querystring', 'header', 'cookie');

/** The structure of a document of one version. */
export type Structure = Readonly<Record<Kind, ObjectRule>>;

const STRUCTURES = new Map<OpenApiVersion, Structure>();

/** The structure of the documents of a version. */
export function structureOf(version: OpenApiVersion): Structure {
  const known = STRUCTURES.get(version) ?? buildStructure(version);
  STRUCTURES.set(version, known);
  return known;
}

/** The first version that knows a field which this one does not; `undefined` where none does. */
export function laterVersionOf(kind: Kind, key: string): OpenApiVersion | undefined {
  const { fields } = KINDS[kind];
  return Object.hasOwn(fields, key) ? fields[key]?.since : undefined;
}

function buildStructure(version: OpenApiVersion): Structure {
  const entries = Object.entries(KINDS).map(([kind, { fields, ...rule }]) => {
    const known = Object.entries(fields).filter(([, field]) => field.since === undefined || field.since <= version);
    const needed = known.filter(([, field]) => field.isRequired === true).map(([name]) => name);
    return [kind, { ...rule, fields: new Map(known), required: needed }] as const;
  });
  const structure = Object.fromEntries<ObjectRule>(entries) as Record<Kind, ObjectRule>;
  if (version >= '3.2') {
    const { parameter } = structure;
    structure.parameter = { ...parameter, fields: new Map([...parameter.fields, ['in', required(IN_3_2)]]) };
  }
  return structure;
}

function toFields(field: Field, ...names: readonly string[]): Fields {
  return Object.fromEntries(names.map((name) => [name, field]));
}
