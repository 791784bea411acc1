import { describe, expect, it } from '@jest/globals';
import { SchemaCompiler } from '../../src/contract/schema/schemas.ts';
import { samplePattern } from '../../src/verify/sample-pattern.ts';
import { sampleSchema } from '../../src/verify/sample-schema.ts';

describe('a sample of a schema fits it', () => {
  it.each<[string, object]>([
    ['a constant', { const: { a: 1 } }],
    ['the first of an enum', { enum: ['x', 'y'] }],
    ['an example', { type: 'string', pattern: '^[^a]b$', example: 'xb' }],
    ['a default', { type: 'integer', minimum: 3, default: 20 }],
    ['a whole number', { type: 'integer', minimum: 5, maximum: 7 }],
    ['a number between two', { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 }],
    ['a multiple', { type: 'integer', minimum: 10, multipleOf: 8 }],
    ['a negative number', { type: 'number', maximum: -3 }],
    ['a long text', { type: 'string', minLength: 40 }],
    ['a short text', { type: 'string', maxLength: 2 }],
    ['a text with a pattern', { type: 'string', pattern: String.raw`^[A-Z]{3}-\d{4}$` }],
    ...['uuid', 'date', 'date-time', 'time', 'email', 'uri', 'ipv4', 'ipv6', 'hostname', 'duration'].map(
      (format): [string, object] => [`the format ${format}`, { type: 'string', format }],
    ),
    ['a truth', { type: 'boolean' }],
    ['nothing', { type: 'null' }],
    ['something that may be nothing', { type: ['null', 'string'], minLength: 1 }],
    ['a list', { type: 'array', minItems: 3, uniqueItems: true, items: { type: 'integer' } }],
    [
      'what is required',
      { type: 'object', required: ['a'], properties: { a: { type: 'integer' }, b: {} }, additionalProperties: false },
    ],
    [
      'as many properties as asked',
      { type: 'object', minProperties: 1, properties: { a: { type: 'integer' } }, additionalProperties: false },
    ],
    [
      'the first choice',
      { oneOf: [{ type: 'null' }, { type: 'object', required: ['k'], properties: { k: { const: 1 } } }] },
    ],
    [
      'all together',
      {
        allOf: [
          { type: 'object', required: ['a'], properties: { a: { const: 1 } } },
          { required: ['b'], properties: { b: { const: 2 } } },
        ],
      },
    ],
    ['a tree', { $ref: '#/tree' }],
  ])('%s', (_case, schema) => {
    const tree = {
      type: 'object',
      required: ['name'],
      properties: { name: { type: 'string' }, children: { type: 'array', items: { $ref: '#/tree' } } },
    };
    const root = { schema, tree };
    const value = sampleSchema(root, { value: schema as Record<string, unknown>, pointer: '/schema' });
    expect(new SchemaCompiler(root).compile('/schema')(value)).toBeUndefined();
  });
});

describe('a sample of a pattern', () => {
  it.each([
    ['^abc$', 'abc'],
    [String.raw`^\d{3}-\w+$`, '000-a'],
    ['^(?:foo|bar)[x-z]?$', 'foo'],
    ['^[A-Z]{2,4}(1|2){2}$', 'AA11'],
    [String.raw`^a\.b\s.*$`, 'a.b '],
    ['x|y', 'x'],
  ])('of %s is %s', (pattern, text) => {
    expect(samplePattern(pattern)).toBe(text);
  });

  it.each(['^(?!a)b$', '(?<=x)y', String.raw`(a)\1`, '[^a]'])('of %s is not tried', (pattern) => {
    expect(samplePattern(pattern)).toBeUndefined();
  });
});
