import { describe, expect, it } from '@jest/globals';
import { SchemaCompiler } from '../../../../src/contract/schema/schemas.ts';
import type { Node } from '../../documents.ts';
import { checkParameters } from '../../parameter-source.ts';

const TEXTS = { type: 'array', items: { type: 'string' }, maxItems: 2 };
const INTEGERS = { type: 'array', items: { type: 'integer' } };

const CONDITION = '{"if":{"type":"array"},"then":{"items":{"type":"integer"}},"else":{"type":"integer"}}';

/** What is wrong with the query of an operation with the parameter `q`. */
function check(schema: Node | boolean, query: string, changes: Node = {}): string[] {
  const parameter = { name: 'q', in: 'query', schema, ...changes };
  return checkParameters([parameter], { query }).map(({ pointer = '', detail }) => `${pointer} ${detail}`.trim());
}

describe('the shape of a parameter is read from its schema wherever it stands', () => {
  it.each<[string, Node | boolean, string]>([
    ['a list or nothing, of one', { anyOf: [TEXTS, { type: 'null' }] }, '?q=a'],
    ['a list or nothing, of two', { anyOf: [TEXTS, { type: 'null' }] }, '?q=a&q=b'],
    ['a list or nothing, of numbers', { anyOf: [INTEGERS, { type: 'null' }] }, '?q=1&q=2'],
    ['a text or a list: a text', { anyOf: [{ type: 'string' }, TEXTS] }, '?q=a'],
    ['a text or a list: a list', { anyOf: [{ type: 'string' }, TEXTS] }, '?q=a&q=b'],
    ['a text or a list of numbers: one', { oneOf: [{ type: 'string', pattern: '^x' }, INTEGERS] }, '?q=1'],
    ['a list in allOf', { allOf: [TEXTS, { minItems: 2 }] }, '?q=a&q=b'],
    ['a list in allOf in oneOf', { oneOf: [{ allOf: [TEXTS] }, { type: 'null' }] }, '?q=a&q=b'],
    ['a list by two types', { type: ['array', 'null'], items: { type: 'integer' } }, '?q=1&q=2'],
    ['a list by its items alone', { items: { type: 'integer' } }, '?q=1&q=2'],
    ['a list after a condition', JSON.parse(CONDITION) as Node, '?q=1&q=2'],
    ['anything', true, '?q=a&q=b'],
    ['anything without a schema', {}, '?q=a&q=b'],
    ['what is not described', { description: 'Anything.' }, '?q=a'],
    ['a number by an enum', { enum: [1, 2] }, '?q=1'],
    ['a boolean by a constant', { const: true }, '?q=true'],
    ['null by an enum', { enum: [null, 'a'] }, '?q='],
    ['a map by its properties alone', { properties: { n: { type: 'integer' } } }, '?n=1'],
    ['a map or nothing', { anyOf: [{ type: 'object', properties: { n: { const: 1 } } }, { type: 'null' }] }, '?n=1'],
    ['a list with nullable', { type: 'array', nullable: true, items: { type: 'string' } }, '?q=a&q=b'],
    ['a list that may be null by another name', { nullable: true, allOf: [TEXTS] }, '?q=a&q=b'],
  ])('takes %s', (_case, schema, query) => {
    expect(check(schema, query)).toEqual([]);
  });

  it.each<[string, Node | boolean, string, string[]]>([
    [
      'a list that is too long',
      { anyOf: [TEXTS, { type: 'null' }] },
      '?q=a&q=b&q=c',
      ['must NOT have more than 2 items'],
    ],
    ['an item that is none', { allOf: [INTEGERS] }, '?q=1&q=x', ['/1 must be integer']],
    ['two of what is one', { anyOf: [{ type: 'integer' }, { type: 'null' }] }, '?q=1&q=2', ['must be given once']],
    ['two texts', { type: 'string' }, '?q=1&q=2', ['must be given once']],
    ['anything', false, '?q=1', ['boolean schema is false']],
    ['another number of an enum', { enum: [1, 2] }, '?q=3', ['must be one of 1, 2']],
    ['another boolean', { const: true }, '?q=false', ['must be equal to constant']],
  ])('refuses %s', (_case, schema, query, faults) => {
    expect(check(schema, query).slice(0, 1)).toEqual(faults);
  });

  it('also behind references, in whatever way they are written', () => {
    const root = {
      parameters: [{ schema: { $ref: '#/definitions/Names' } }, { schema: { $ref: '#names' } }],
      definitions: {
        Names: { $anchor: 'names', anyOf: [{ $ref: '#/definitions/List' }, { type: 'null' }] },
        List: TEXTS,
      },
    };
    const schemas = new SchemaCompiler(root);
    for (const index of [0, 1]) {
      expect([...schemas.outlineAt(`/parameters/${index}/schema`).kinds].toSorted()).toEqual(['array', 'null']);
    }
  });

  it('and a schema that leads back to itself for another value can be anything that it says', () => {
    const root = { tree: { anyOf: [{ type: 'integer' }, { type: 'array', items: { $ref: '#/tree' } }] } };
    const schemas = new SchemaCompiler(root);
    expect([...schemas.outlineAt('/tree').kinds].toSorted()).toEqual(['array', 'number']);
    expect(schemas.compileParameter('/tree')(['1', 'x'])).toEqual(
      expect.arrayContaining([{ pointer: '/1', detail: 'must be integer' }]),
    );
  });
});

describe('a text is read as everything that is written so', () => {
  const either = { oneOf: [{ type: 'integer' }, { type: 'string' }] };
  const limits = {
    oneOf: [
      { type: 'integer', maximum: 10 },
      { type: 'string', pattern: '^[a-z]+$' },
    ],
  };

  it.each<[string, Node, string]>([
    ['a number or a text', either, '?q=5'],
    ['a text or a number', either, '?q=abc'],
    ['a number or a text, empty', either, '?q='],
    ['a number within its limits', limits, '?q=5'],
    ['a text like its pattern', limits, '?q=abc'],
    ['a boolean or a number', { oneOf: [{ type: 'boolean' }, { type: 'number' }] }, '?q=1.5'],
    ['a boolean or a text', { oneOf: [{ type: 'boolean' }, { type: 'string' }] }, '?q=true'],
    ['a text that is no number', { not: { type: 'integer' } }, '?q=5'],
    ['two schemas of one number', { allOf: [{ type: 'integer' }, { minimum: 5 }] }, '?q=5'],
    [
      'two integers, one or the other',
      {
        oneOf: [
          { type: 'integer', maximum: 4 },
          { type: 'integer', minimum: 5 },
        ],
      },
      '?q=5',
    ],
    ['items, each by itself', { type: 'array', items: limits }, '?q=5&q=abc&q=10'],
    ['members, each by itself', { type: 'object', properties: { a: limits, b: limits } }, '?a=5&b=abc'],
    ['other members', { type: 'object', additionalProperties: limits }, '?a=5&b=abc'],
    [
      'a tuple',
      { type: 'array', prefixItems: [{ type: 'integer' }, { type: 'string' }], items: { type: 'boolean' } },
      '?q=5&q=5&q=true',
    ],
    ['what is contained', { type: 'array', contains: { const: 5 } }, '?q=x&q=5'],
    [
      'what is left over',
      { type: 'object', properties: { a: true }, unevaluatedProperties: { type: 'integer' } },
      '?a=x&b=5',
    ],
  ])('%s', (_case, schema, query) => {
    expect(check(schema, query)).toEqual([]);
  });

  it.each<[string, Node, string, string[]]>([
    [
      'a number beyond its limits',
      limits,
      '?q=11',
      ['must be integer', 'must match pattern "^[a-z]+$"', 'must match exactly one schema in oneOf'],
    ],
    [
      'an item beyond its limits',
      { type: 'array', items: { type: 'integer', maximum: 3 } },
      '?q=1&q=4',
      ['/1 must be <= 3'],
    ],
    ['a word among booleans', { type: 'array', items: { type: 'boolean' } }, '?q=yes', ['/0 must be boolean']],
    [
      'a number that both allow',
      { oneOf: [{ type: 'integer' }, { type: 'number' }] },
      '?q=5',
      ['must match exactly one schema in oneOf'],
    ],
    ['a number that is no JSON', { type: 'array', items: { type: 'integer' } }, '?q=007', ['/0 must be integer']],
    ['what no float can hold', { type: 'number' }, '?q=1e999', ['must be number']],
  ])('and refused for what is likeliest: %s', (_case, schema, query, faults) => {
    expect(check(schema, query)).toEqual(faults);
  });
});

describe('names that mean something in JavaScript', () => {
  const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty'];

  it.each(names)('are no members unless they are sent: %s', (name) => {
    const schema = {
      type: 'object',
      required: [name],
      properties: JSON.parse(`{"${name}":{"type":"integer"}}`) as Node,
    };
    const fault = `must have required property '${name}'`;
    expect(check(schema, '?a=1')).toEqual([fault]);
    expect(check(schema, '?q[a]=1', { style: 'deepObject' })).toEqual([fault]);
    expect(check(schema, '?q=a,1', { explode: false })).toEqual([fault]);
    expect(check(schema, `?${name}=1`)).toEqual([]);
    expect(check(schema, `?${name}=x`)).toEqual([`/${name} must be integer`]);
    expect(check(schema, `?q[${name}]=1`, { style: 'deepObject' })).toEqual([]);
    expect(check(schema, `?q[${name}]=x`, { style: 'deepObject' })).toEqual([`/${name} must be integer`]);
    expect(check(schema, `?q=${name},x`, { explode: false })).toEqual([`/${name} must be integer`]);
  });

  it.each(names)('are no parameters unless they are sent: %s', (name) => {
    const places = ['query', 'header', 'cookie', 'path'];
    const faults = checkParameters(
      places.map((place) => ({ name, in: place, required: true, schema: { type: 'integer' } })),
      {},
    );
    expect(faults.map((fault) => [fault.in, fault.detail])).toEqual(places.map((place) => [place, 'is required']));
  });

  it('reach nothing by way of brackets', () => {
    expect(
      check({ type: 'object' }, '?q[__proto__][polluted]=1&q[constructor][prototype][polluted]=1', {
        style: 'deepObject',
      }),
    ).toEqual([]);
    expect(({} as Node)['polluted']).toBeUndefined();
  });
});
