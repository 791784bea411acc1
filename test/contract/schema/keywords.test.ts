import { describe, expect, it } from '@jest/globals';
import { SchemaCompiler } from '../../../src/contract/schema/schemas.ts';

type Schema = Readonly<Record<string, unknown>>;

/** The faults of a value, as `pointer detail`. */
function faultsOf(schema: Schema, value: unknown): string[] {
  return (new SchemaCompiler(schema).compile('')(value) ?? []).map(({ pointer, detail }) =>
    `${pointer} ${detail}`.trim(),
  );
}

describe('a value against a keyword', () => {
  it.each<[keyword: string, schema: Schema, good: readonly unknown[], bad: readonly unknown[]]>([
    ['type', { type: 'integer' }, [1, 1.0, -3, 1e3], ['1', 1.5, true, null, [], {}, Number.POSITIVE_INFINITY]],
    ['type, several', { type: ['string', 'null'] }, ['', null], [0, false, [], {}]],
    ['enum', { enum: [1, 'a', null, { a: [1] }] }, [1, 'a', null, { a: [1] }], [2, 'b', {}, { a: [1, 2] }, { a: 1 }]],
    ['const', { const: { a: 1, b: [2] } }, [{ b: [2], a: 1 }], [{ a: 1 }, { a: 1, b: [2], c: 3 }, null]],
    ['minimum', { minimum: 2 }, [2, 3, '1'], [1.9]],
    ['maximum', { maximum: 2 }, [2, -3, '3'], [2.1, Number.POSITIVE_INFINITY]],
    ['exclusiveMinimum', { exclusiveMinimum: 2 }, [2.1], [2]],
    ['exclusiveMaximum', { exclusiveMaximum: 2 }, [1.9], [2]],
    ['multipleOf', { multipleOf: 0.01 }, [19.99, 0.07, 4.35, 1e20, 0, -1.1], [0.005, 19.999]],
    ['multipleOf of a whole number', { multipleOf: 3 }, [9, -3, 3e20], [1, 3.1]],
    ['minLength', { minLength: 2 }, ['ab', '😀😀', 'a😀'], ['a', '😀', '']],
    ['maxLength', { maxLength: 2 }, ['ab', '😀😀', ''], ['abc', '😀😀😀']],
    ['pattern', { pattern: '^a+$' }, ['a', 'aa', 5], ['', 'b', 'aab']],
    ['minItems', { minItems: 1 }, [[1], {}], [[]]],
    ['maxItems', { maxItems: 1 }, [[1], []], [[1, 2]]],
    [
      'uniqueItems',
      { uniqueItems: true },
      [
        [1, '1', true, 'true', [1], ['1'], {}, null, { a: 1 }, { a: '1' }],
        [
          { a: 1, b: 2 },
          { a: 2, b: 1 },
        ],
        [],
      ],
      [
        [1, 1.0],
        [{ a: 1, b: [2] }, 0, { b: [2], a: 1 }],
        [[{}], [{}]],
        ['a', 'a'],
      ],
    ],
    ['items', { items: { type: 'number' } }, [[], [1, 2]], [[1, 'a']]],
    ['prefixItems', { prefixItems: [{ type: 'number' }, {}], items: false }, [[1], [1, 'a']], [['a'], [1, 2, 3]]],
    ['contains', { contains: { const: 1 }, maxContains: 2 }, [[1], [0, 1, 1]], [[], [0], [1, 1, 1]]],
    ['minContains', { contains: { const: 1 }, minContains: 0 }, [[], [0]], []],
    ['required', { required: ['constructor'] }, [{ constructor: 1 }, []], [{}, { toString: 1 }]],
    [
      'properties with the names of methods',
      { properties: { toString: { type: 'string' }, valueOf: false } },
      [{}, { toString: '' }],
      [{ toString: 1 }, { valueOf: 1 }],
    ],
    [
      'properties called __proto__',
      JSON.parse('{"properties":{"__proto__":{"type":"string"}},"additionalProperties":false}') as Schema,
      [{}, JSON.parse('{"__proto__":"a"}')],
      [JSON.parse('{"__proto__":{}}'), { a: 1 }],
    ],
    ['minProperties', { minProperties: 1 }, [{ a: 1 }], [{}]],
    ['maxProperties', { maxProperties: 1 }, [{ a: 1 }], [{ a: 1, b: 1 }]],
    ['propertyNames', { propertyNames: { pattern: '^a' } }, [{}, { ab: 1 }], [{ b: 1 }]],
    [
      'patternProperties beside others',
      {
        properties: { a: { type: 'number' } },
        patternProperties: { a$: { minimum: 1 } },
        additionalProperties: { type: 'string' },
      },
      [{ a: 1, aa: 2, b: 'x' }],
      [{ a: 0 }, { a: '1' }, { aa: 0 }, { b: 1 }],
    ],
    ['dependentRequired', { dependentRequired: { a: ['b'] } }, [{}, { b: 1 }, { a: 1, b: 1 }], [{ a: 1 }]],
    ['dependentSchemas', { dependentSchemas: { a: { required: ['b'] } } }, [{}, { a: 1, b: 1 }], [{ a: 1 }]],
    [
      'dependencies',
      { dependencies: { a: ['b'], c: { required: ['d'] } } },
      [{}, { a: 1, b: 1 }],
      [{ a: 1 }, { c: 1 }],
    ],
    ['allOf', { allOf: [{ minimum: 1 }, { maximum: 2 }] }, [1, 2], [0, 3]],
    ['anyOf', { anyOf: [{ type: 'string' }, { minimum: 2 }] }, ['', 2], [1]],
    ['oneOf', { oneOf: [{ minimum: 1 }, { maximum: 2 }] }, [0, 3], [1.5]],
    ['not', { not: { type: 'string' } }, [1], ['']],
    [
      'if, then and else',
      JSON.parse('{"if":{"required":["a"]},"then":{"required":["b"]},"else":{"required":["c"]}}'),
      [{ a: 1, b: 1 }, { c: 1 }],
      [{ a: 1 }, {}],
    ],
    [
      'unevaluatedProperties',
      {
        properties: { a: true },
        anyOf: [{ properties: { b: { const: 1 } }, required: ['b'] }, { properties: { c: { const: 1 } } }],
        unevaluatedProperties: false,
      },
      [{ a: 1, b: 1, c: 1 }, { c: 1 }, {}],
      [{ d: 1 }, { b: 2 }, { b: 1, c: 2 }],
    ],
    [
      'unevaluatedItems',
      { allOf: [{ prefixItems: [true] }], contains: { const: 'x' }, unevaluatedItems: { type: 'number' } },
      [['a', 'x', 1], ['x']],
      [['a', 'x', 'b']],
    ],
    ['a schema that is false', { properties: { a: false } }, [{}, { b: 1 }], [{ a: 1 }]],
    [
      'dependentRequired with the names of methods',
      { dependentRequired: { toString: ['constructor'], hasOwnProperty: ['valueOf'] } },
      [{}, { toString: 1, constructor: 1 }],
      [{ toString: 1 }, { hasOwnProperty: 1 }],
    ],
    [
      'patternProperties and names of methods',
      { patternProperties: { '^(constructor|__proto__)$': { type: 'number' } }, additionalProperties: false },
      [{}, { constructor: 1 }, JSON.parse('{"__proto__":1}')],
      [{ constructor: 'a' }, { toString: 1 }, JSON.parse('{"__proto__":{}}')],
    ],
    [
      'unevaluatedProperties called __proto__',
      { properties: { a: true }, unevaluatedProperties: false },
      [{ a: 1 }],
      [JSON.parse('{"__proto__":1}'), { constructor: 1 }],
    ],
    [
      'propertyNames of methods',
      { propertyNames: { enum: ['constructor', '__proto__'] } },
      [{ constructor: 1 }, JSON.parse('{"__proto__":1}')],
      [{ toString: 1 }],
    ],
    [
      'values that have members called __proto__',
      { enum: [JSON.parse('{"__proto__":1}')], uniqueItems: true },
      [JSON.parse('{"__proto__":1}')],
      [{}, JSON.parse('{"__proto__":2}')],
    ],
    ['required: false at a member', { properties: { a: { type: 'string', required: false } } }, [{}, { a: '' }], []],
    ['keywords that are none', { type: 'string', 'x-internal': { $ref: 'no' }, foo: 1 }, ['a'], [1]],
    ['int32', { type: 'integer', format: 'int32' }, [2_147_483_647], [2_147_483_648]],
  ])('%s', (_, schema, good, bad) => {
    expect(good.filter((value) => faultsOf(schema, value).length > 0)).toEqual([]);
    expect(bad.filter((value) => faultsOf(schema, value).length === 0)).toEqual([]);
  });

  it.each<[what: string, schema: Schema, value: unknown, faults: string[]]>([
    [
      'a choice',
      { anyOf: [{ type: 'string' }, { minimum: 2 }] },
      1,
      ['must be string', 'must be >= 2', 'must match a schema in anyOf'],
    ],
    ['two of one', { oneOf: [{}, { type: 'number' }] }, 1, ['must match exactly one schema in oneOf']],
    [
      'equal items',
      { uniqueItems: true },
      [1, 2, 1],
      ['must NOT have duplicate items (items ## 0 and 2 are identical)'],
    ],
    [
      'a stranger',
      { properties: { a: {} }, unevaluatedProperties: false },
      { a: 1, b: 1 },
      ['must not have the property "b"'],
    ],
    [
      'an escaped name',
      { properties: { 'a/b~': { items: { type: 'string' } } } },
      { 'a/b~': [1] },
      ['/a~1b~0/0 must be string'],
    ],
  ])('says what is wrong: %s', (_, schema, value, faults) => {
    expect(faultsOf(schema, value)).toEqual(faults);
  });
});

describe('a schema that cannot be used is a fault that names its place', () => {
  it.each<[what: string, schema: Schema, message: RegExp]>([
    [
      'a circle of references',
      { $defs: { a: { anyOf: [{ $ref: '#/$defs/b' }] }, b: { $ref: '#/$defs/a' } }, items: { $ref: '#/$defs/a' } },
      /^the schema at #\/\$defs\/[ab]\S* leads back to itself/,
    ],
    [
      'a type that is none',
      { items: { type: 'text' } },
      /^the schema at #\/items has the type "text"; allowed: string/,
    ],
    [
      'a keyword of another type',
      { items: { maxLength: '5' } },
      /^the schema at #\/items has the keyword maxLength, which must be a whole number/,
    ],
    ['a schema that is a text', { properties: { a: 'string' } }, /^#\/properties\/a is no schema$/],
    ['multiples of nothing', { multipleOf: 0 }, /multipleOf/],
    ['a pattern that is none', { pattern: '(' }, /"\(", which is not a regular expression/],
    [
      'a pattern that refers back',
      { pattern: String.raw`^(a+)\1$` },
      /refers back to a group, which cannot be looked for in linear time/,
    ],
    ['a name that refers back', { patternProperties: { '(?<x>a)\\k<x>': {} } }, /refers back .* in patternProperties$/],
    ['a pattern of too many groups', { pattern: '^(?:a?b?c?){1,1000}$' }, /too many repetitions/],
    [
      'a list of schemas for items',
      { properties: { a: { items: [{}, {}] } } },
      /^the schema at #\/properties\/a has a list, for which there is prefixItems .*, in items$/,
    ],
    [
      'a property that says itself that it is required',
      { properties: { a: { required: true } } },
      /^the schema at #\/properties\/a has the keyword required, which must be a list of texts$/,
    ],
    [
      'a name that depends on one other',
      { dependentRequired: { a: 'b' } },
      /^the schema at # has something else than a list of names at "a" in dependentRequired$/,
    ],
  ])('%s', (_, schema, message) => {
    expect(() => new SchemaCompiler(schema).compile('')).toThrow(message);
  });

  it('also for the second operation that uses it', () => {
    const schemas = new SchemaCompiler({
      a: { items: { $ref: '#/c' } },
      b: { items: { $ref: '#/c/items' } },
      c: { items: { type: 'no' } },
    });
    expect(() => schemas.compile('/a')).toThrow('#/c/items');
    expect(() => schemas.compile('/b')).toThrow('#/c/items');
    expect(() => schemas.compile('/a')).toThrow('#/c/items');
  });
});
