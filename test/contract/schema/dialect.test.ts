import { describe, expect, it } from '@jest/globals';
import { SchemaCompiler, type SchemaDialect } from '../../../src/contract/schema/schemas.ts';

type Schema = Readonly<Record<string, unknown>>;

const SCHEMAS = {
  Text: { type: 'string' },
  Maybe: { type: 'string', nullable: true },
  Id: { type: 'string', readOnly: true },
  Own: { properties: { id: { type: 'string', readOnly: true }, secret: { type: 'string', writeOnly: true } } },
};

function fits(schema: Schema, value: unknown, dialect: SchemaDialect): boolean {
  const root = { openapi: '3.0.3', info: {}, components: { schemas: { ...SCHEMAS, schema } } };
  return new SchemaCompiler(root, dialect).compile('/components/schemas/schema')(value) === undefined;
}

const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

type Row = readonly [what: string, schema: Schema, good: readonly unknown[], bad: readonly unknown[]];

function expectRow([, schema, good, bad]: Row, dialect: SchemaDialect): void {
  expect(good.filter((value) => !fits(schema, value, dialect))).toEqual([]);
  expect(bad.filter((value) => fits(schema, value, dialect))).toEqual([]);
}

/** What means the same in each version, though only one of them writes it so. */
const EVERYWHERE: readonly Row[] = [
  ['nullable beside a type', { type: 'string', nullable: true }, [null, 'a'], [1]],
  ['nullable that is false', { type: 'string', nullable: false }, ['a'], [null]],
  ['nullable beside a reference', { ...ref('Text'), nullable: true }, [null, 'a'], [1]],
  ['nullable beside allOf', { allOf: [ref('Text')], nullable: true }, [null, 'a'], [1]],
  ['nullable beside anyOf', { anyOf: [ref('Text'), { type: 'number' }], nullable: true }, [null, 'a', 1], [true]],
  ['nullable beside oneOf', { oneOf: [ref('Text')], nullable: true }, [null, 'a'], [1]],
  ['nullable alone', { nullable: true }, [null, 1], []],
  ['nullable beside an enum without null', { type: 'string', nullable: true, enum: ['a'] }, ['a'], [null, 'b']],
  ['nullable beside an enum with null', { type: 'string', nullable: true, enum: ['a', null] }, ['a', null], ['b']],
  ['an enum with null that is not nullable', { type: 'string', enum: ['a', null] }, ['a'], [null]],
  ['nullable behind a reference', ref('Maybe'), [null, 'a'], [1]],
  ['nullable in one of allOf', { allOf: [ref('Maybe'), ref('Text')] }, ['a'], [null]],
  ['exclusiveMinimum: true', { minimum: 1, exclusiveMinimum: true }, [2, 'a'], [1, 0]],
  ['exclusiveMaximum: true', { maximum: 1, exclusiveMaximum: true }, [0], [1, 2]],
  [
    'exclusive bounds that are false',
    { minimum: 1, maximum: 2, exclusiveMinimum: false, exclusiveMaximum: false },
    [1, 2],
    [0, 3],
  ],
  ['exclusive bounds of nothing', { exclusiveMinimum: true, exclusiveMaximum: true }, [1], []],
  ['exclusive bounds as numbers', { exclusiveMinimum: 1, maximum: 2 }, [2], [1, 3]],
  ['a list of types', { type: ['string', 'null'] }, ['a', null], [1]],
  ['discriminator', { oneOf: [ref('Text')], discriminator: { propertyName: 'a', mapping: { a: 'no' } } }, ['a'], [1]],
  ['an example', { type: 'string', example: { $ref: '#/no' }, default: { $ref: 'no' } }, ['a'], [1]],
  [
    'words that are no keywords',
    { type: 'string', minlength: 5, requierd: ['a'], xml: {}, 'x-any': { $ref: 'no' } },
    ['a'],
    [1],
  ],
];

const OF_3_0: readonly Row[] = [
  ['what stands beside a reference', { ...ref('Text'), minLength: 3, enum: ['abc'] }, ['a'], [1]],
  [
    'keywords of later versions',
    {
      const: 'a',
      contains: false,
      prefixItems: [false],
      patternProperties: { '': false },
      propertyNames: false,
      dependentRequired: { a: ['b'] },
      unevaluatedProperties: false,
      $dynamicRef: '#no',
      $schema: 'https://a.example',
      $id: ':',
      if: true,
    },
    [1, [1], { a: 1 }],
    [],
  ],
  [
    'a reference to a schema with an $id',
    { properties: { a: { $id: 'https://a.example', items: ref('Text') } } },
    [{ a: [''] }],
    [{ a: [1] }],
  ],
];

const OF_LATER: readonly Row[] = [
  ['what stands beside a reference', { ...ref('Text'), minLength: 3 }, ['abc'], ['a', 1]],
  ['const', { const: 'a' }, ['a'], ['b']],
  ['nullable beside a const', { const: 'a', nullable: true }, ['a'], [null]],
  [
    'contentMediaType',
    { contentMediaType: 'application/json', contentSchema: false, contentEncoding: 'base64' },
    ['{'],
    [],
  ],
  ['members that are read only', { ...SCHEMAS.Own, required: ['id'] }, [{ id: '' }], [{}]],
  ['another known dialect', { $schema: 'http://json-schema.org/draft-07/schema#', type: 'string' }, ['a'], [1]],
  ['its own dialect', { $schema: 'https://spec.openapis.org/oas/3.1/dialect/base', type: 'string' }, ['a'], [1]],
];

describe('a schema of any version', () => {
  it.each(EVERYWHERE)('%s', (...row) => {
    for (const version of ['3.0', '3.1', '3.2'] as const) {
      expectRow(row, { version });
    }
  });
});

describe('a schema of OpenAPI 3.0', () => {
  it.each(OF_3_0)('%s', (...row) => {
    expectRow(row, { version: '3.0' });
  });

  const required = ['id', 'secret'];
  it.each<[where: string, schema: Schema]>([
    ['in it', { ...SCHEMAS.Own, required }],
    ['behind a reference', { properties: { id: ref('Id'), secret: { allOf: [{ writeOnly: true }] } }, required }],
    [
      'beside a reference',
      { properties: { id: { ...ref('Text'), readOnly: true }, secret: { writeOnly: true } }, required },
    ],
    ['in its allOf', { allOf: [ref('Own')], required }],
    ['beside the part that requires them', { allOf: [ref('Own'), { required }] }],
    ['around the part that requires them', { ...SCHEMAS.Own, allOf: [{ allOf: [{ required }] }] }],
  ])('requires members that are read only in answers, and members that are write only in requests: %s', (_, schema) => {
    const [id, secret] = [{ id: 'a' }, { secret: 'a' }];
    const ask = (value: unknown, direction: 'request' | 'response'): boolean =>
      fits(schema, value, { version: '3.0', direction });
    expect([ask(secret, 'request'), ask(id, 'request'), ask({}, 'request')]).toEqual([true, false, false]);
    expect([ask(id, 'response'), ask(secret, 'response'), ask({}, 'response')]).toEqual([true, false, false]);
  });
});

describe('a schema of OpenAPI 3.1 and 3.2', () => {
  it.each(OF_LATER)('%s', (...row) => {
    expectRow(row, { version: '3.1' });
    expectRow(row, { version: '3.2' });
  });

  it('of a dialect that is not known is a fault', () => {
    const dialect = 'https://a.example/dialect';
    const schema = { properties: { a: { $schema: dialect } } };
    expect(() => new SchemaCompiler(schema).compile('')).toThrow(
      'the schema at #/properties/a has "https://a.example/dialect" in $schema, a dialect that is not known',
    );
    expect(() => new SchemaCompiler({ jsonSchemaDialect: dialect }).compile('')).toThrow(
      'the document has "https://a.example/dialect" in jsonSchemaDialect, a dialect that is not known',
    );
  });
});

describe('formats', () => {
  const schema = { properties: { at: { format: 'date' }, count: { format: 'int32' } } };
  const wrong = { at: 'yesterday', count: 1.5 };

  it('are checked unless they are annotations', () => {
    expect(fits(schema, wrong, {})).toBe(false);
    expect(fits(schema, wrong, { formats: 'assert' })).toBe(false);
    expect(fits(schema, wrong, { formats: 'annotate' })).toBe(true);
  });
});
