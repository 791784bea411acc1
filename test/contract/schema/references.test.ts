import { describe, expect, it } from '@jest/globals';
import { SchemaCompiler } from '../../../src/contract/schema/schemas.ts';

type Schema = Readonly<Record<string, unknown>>;

function fits(schema: Schema, value: unknown): boolean {
  return new SchemaCompiler(schema).compile('')(value) === undefined;
}

const NUMBER = { type: 'number' };
/** A list of what `#item` means where it is used. */
const LIST_OF_ITEMS = {
  $id: 'list',
  type: 'array',
  items: { $dynamicRef: '#item' },
  $defs: { any: { $dynamicAnchor: 'item' } },
};
/** An object whose members are trees again, whatever a tree is where it is used. */
const TREE = {
  $id: 'tree',
  $dynamicAnchor: 'node',
  type: 'object',
  properties: { data: true, children: { type: 'array', items: { $dynamicRef: '#node' } } },
};

function listOf(type: string): Schema {
  return { $id: `list-of-${type}`, $ref: 'list', $defs: { item: { $dynamicAnchor: 'item', type } } };
}

describe('a reference', () => {
  it.each<[to: string, schema: Schema, good: unknown, bad: unknown]>([
    ['a pointer', { properties: { a: { $ref: '#/$defs/x~1y' } }, $defs: { 'x/y': NUMBER } }, { a: 1 }, { a: '' }],
    ['an encoded pointer', { items: { $ref: '#/$defs/a%25%20%22b' }, $defs: { 'a% "b': NUMBER } }, [1], ['']],
    ['an anchor', { items: { $ref: '#n' }, $defs: { n: { $anchor: 'n', ...NUMBER } } }, [1], ['']],
    ['a dynamic anchor', { items: { $ref: '#n' }, $defs: { n: { $dynamicAnchor: 'n', ...NUMBER } } }, [1], ['']],
    [
      'a schema with an address of its own',
      { items: { $ref: 'https://a.example/n' }, $defs: { n: { $id: 'https://a.example/n', ...NUMBER } } },
      [1],
      [''],
    ],
    [
      'an address from where it stands',
      {
        $id: 'https://a.example/root.json',
        items: { $ref: 'b/list.json' },
        $defs: {
          list: { $id: 'b/list.json', items: { $ref: 'number.json' } },
          number: { $id: '/b/number.json', ...NUMBER },
        },
      },
      [[1]],
      [['']],
    ],
    [
      'a name that is no address',
      {
        $id: 'urn:example:root',
        items: { $ref: 'urn:example:n#x' },
        $defs: { n: { $id: 'urn:example:n', $defs: { a: { $anchor: 'x', ...NUMBER } } } },
      },
      [1],
      [''],
    ],
    [
      'a pointer within a schema with an address',
      {
        $defs: { n: NUMBER, a: { $id: 'a', items: { $ref: '#/$defs/n' }, $defs: { n: { type: 'string' } } } },
        $ref: 'a',
      },
      [''],
      [1],
    ],
    ['the whole', { properties: { a: { $ref: '#' } }, additionalProperties: false }, { a: { a: {} } }, { a: { b: 1 } }],
    ['something beside other keywords', { $ref: '#/$defs/n', minimum: 2, $defs: { n: NUMBER } }, 2, 1],
    [
      'a pointer from the document, where the schema with an address has none such',
      { $ref: 'a', $defs: { n: NUMBER, a: { $id: 'a', items: { $ref: '#/$defs/n' } } } },
      [1],
      [''],
    ],
    [
      'the schema of schemas',
      { properties: { schema: { $ref: 'https://json-schema.org/draft/2020-12/schema' } } },
      { schema: { type: 'string', properties: { a: { items: true } } } },
      { schema: { properties: { a: { items: { minLength: -1 } } } } },
    ],
  ])('leads to %s', (_, schema, good, bad) => {
    expect([fits(schema, good), fits(schema, bad)]).toEqual([true, false]);
  });

  it.each<[where: string, schema: Schema]>([
    ['a value', { const: { $ref: '#/no' } }],
    ['values', { enum: [{ $ref: '#/no' }], default: { $ref: 'no' }, examples: [{ $ref: 'no' }] }],
    ['an extension', { 'x-of': { $ref: '#/no' }, properties: { a: { 'x-of': { $ref: 'no' } } } }],
    ['an unknown keyword', { another: { $ref: 'no', $id: 'x', $anchor: 'x' } }],
  ])('is none in %s', (_, schema) => {
    expect(() => new SchemaCompiler(schema).compile('')).not.toThrow();
  });

  it.each([
    ['$ref', { properties: { $ref: { type: 'string' } } }, { $ref: 'a' }, { $ref: 1 }],
    ['$id', { properties: { $id: { $anchor: 'a', ...NUMBER }, b: { $ref: '#a' } } }, { $id: 1, b: 1 }, { b: '' }],
    ['$anchor', { properties: { $anchor: true, a: { $ref: '#/properties/$anchor' } } }, { a: 1 }, undefined],
    ['$dynamicRef', { properties: { $dynamicRef: NUMBER } }, { $dynamicRef: 1 }, { $dynamicRef: '' }],
  ])('is none as the name of a member: %s', (_, schema, good, bad) => {
    expect(fits(schema, good)).toBe(true);
    expect(bad !== undefined && fits(schema, bad)).toBe(false);
  });

  it('is not led by names that values give themselves', () => {
    const named = { $id: 'https://a.example/n', $anchor: 'n', type: 'string' };
    const schema = {
      const: named,
      enum: [named],
      default: named,
      another: named,
      items: { anyOf: [{ $ref: 'https://a.example/n' }, { $ref: '#n' }] },
    };
    expect(() => new SchemaCompiler(schema).compile('')).toThrow(/leaves the document|leads nowhere/);
  });

  it('is led to schemas of other operations, and to components', () => {
    const root = {
      openapi: '3.1.0',
      info: {},
      paths: {
        '/a': { post: { requestBody: { content: { json: { schema: { items: { $ref: 'https://a.example/n' } } } } } } },
        '/b': { post: { requestBody: { content: { json: { schema: { $id: 'https://a.example/n', $ref: '#m' } } } } } },
      },
      components: { schemas: { schema: { $anchor: 'm', $dynamicAnchor: 'd' } } },
    };
    const schemas = new SchemaCompiler(root);
    // The anchor is one of the document, and not of the schema that has the address.
    expect(() => schemas.compile('/paths/~1a/post/requestBody/content/json/schema')).toThrow('#m leads nowhere');
    const components = new SchemaCompiler({ ...root, paths: { '/c': { schema: { $ref: '#m' } } } });
    expect(components.compile('/paths/~1c/schema')(1)).toBeUndefined();
  });

  it.each<[what: string, operationOf: (schema: Schema) => Schema]>([
    [
      'a header that is called like an extension',
      (schema) => ({ responses: { 200: { headers: { 'x-n': { schema } } } } }),
    ],
    ['the default answer', (schema) => ({ responses: { default: { content: { json: { schema } } } } })],
  ])('is led to a schema of %s', (_, operationOf) => {
    const get = operationOf({ $id: 'https://a.example/n', ...NUMBER });
    const root = { openapi: '3.1.0', info: {}, paths: { '/a': { get } }, schema: { $ref: 'https://a.example/n' } };
    expect(new SchemaCompiler(root).compile('/schema')('')).toHaveLength(1);
  });

  it('is led from the address that a document of OpenAPI 3.2 gives itself', () => {
    const root = {
      openapi: '3.2.0',
      info: {},
      $self: 'https://a.example/openapi',
      components: {
        schemas: {
          number: { $id: 'schemas/number', ...NUMBER },
          list: { items: { $ref: 'https://a.example/schemas/number' } },
          same: { items: { $ref: 'https://a.example/openapi#/components/schemas/number' } },
        },
      },
    };
    const schemas = new SchemaCompiler(root, { version: '3.2' });
    const checks = ['list', 'same'].map((name) => schemas.compile(`/components/schemas/${name}`));
    expect(checks.map((check) => [check([1]), check([''])?.length])).toEqual([
      [undefined, 1],
      [undefined, 1],
    ]);
  });
});

describe('a dynamic reference', () => {
  it.each<[to: string, schema: Schema, good: unknown, bad: unknown]>([
    ['the only one', { items: { $dynamicRef: '#n' }, $defs: { n: { $dynamicAnchor: 'n', ...NUMBER } } }, [1], ['']],
    ['a plain anchor', { items: { $dynamicRef: '#n' }, $defs: { n: { $anchor: 'n', ...NUMBER } } }, [1], ['']],
    [
      'what the list means by an item',
      { $ref: 'list-of-string', $defs: { LIST_OF_ITEMS, strings: listOf('string') } },
      ['a'],
      [1],
    ],
    [
      'another item in each of two lists',
      {
        properties: { texts: { $ref: 'list-of-string' }, numbers: { $ref: 'list-of-number' }, all: { $ref: 'list' } },
        $defs: { LIST_OF_ITEMS, strings: listOf('string'), numbers: listOf('number') },
      },
      { texts: ['a'], numbers: [1], all: [1, 'a', null] },
      { texts: ['a'], numbers: ['a'] },
    ],
    [
      'the first of the resources on the way, not the last',
      {
        $id: 'outer',
        $ref: 'list-of-number',
        $defs: { LIST_OF_ITEMS, numbers: listOf('number'), item: { $dynamicAnchor: 'item', type: 'string' } },
      },
      ['a'],
      [1],
    ],
    [
      'a tree that is strict on each level',
      {
        $id: 'strict-tree',
        $dynamicAnchor: 'node',
        $ref: 'tree',
        unevaluatedProperties: false,
        $defs: { TREE },
      },
      { children: [{ data: 1, children: [{ data: 2 }] }] },
      { children: [{ children: [{ daat: 1 }] }] },
    ],
    [
      'a tree that is not',
      {
        properties: { strict: { $ref: 'strict' }, loose: { $ref: 'tree' } },
        $defs: { TREE, strict: { $id: 'strict', $dynamicAnchor: 'node', $ref: 'tree', unevaluatedProperties: false } },
      },
      { loose: { children: [{ daat: 1 }] }, strict: { children: [{ data: 1 }] } },
      { strict: { children: [{ daat: 1 }] } },
    ],
    [
      'nothing of a resource that was left again',
      {
        $id: 'main',
        allOf: [{ $ref: 'list-of-string' }, { items: { $ref: 'list' } }],
        $defs: { LIST_OF_ITEMS, strings: listOf('string') },
      },
      [],
      [1],
    ],
  ])('leads to %s', (_, schema, good, bad) => {
    expect([fits(schema, good), fits(schema, bad)]).toEqual([true, false]);
  });
});

describe('a reference that leads nowhere is a fault', () => {
  it.each<[what: string, schema: Schema, message: RegExp]>([
    ['to nothing', { items: { $ref: '#/$defs/no' } }, /^the reference #\/\$defs\/no leads nowhere \(at #\/items\)$/],
    [
      'to a name of methods',
      { items: { $ref: '#/$defs/constructor' }, $defs: {} },
      /constructor leads nowhere \(at #\/items\)$/,
    ],
    ['to no anchor', { items: { $ref: '#no' } }, /^the reference #no leads nowhere \(at #\/items\)$/],
    ['to another document', { items: { $ref: 'other.yaml#/A' } }, /other\.yaml#\/A leaves the document/],
    ['to nothing, dynamically', { $dynamicRef: '#a' }, /^the reference #a leads nowhere \(at #\)$/],
    [
      'to a name that two schemas have',
      { $dynamicRef: '#a', $defs: { a: { $dynamicAnchor: 'a' }, b: { $dynamicAnchor: 'a' } } },
      /^the reference #a can lead to several places; give one of them another name, or an \$id \(at #\)$/,
    ],
    [
      'to a name that two schemas around it have',
      {
        $ref: 'list',
        $defs: { LIST_OF_ITEMS, a: { $dynamicAnchor: 'item' }, b: { $dynamicAnchor: 'item' } },
      },
      /^the reference #item can lead to several places/,
    ],
  ])('%s', (_, schema, message) => {
    expect(() => new SchemaCompiler(schema).compile('')).toThrow(message);
  });

  it('that names can be met in too many ways', () => {
    const names = Array.from({ length: 12 }, (_, index) => `n${index}`);
    // Each resource can be gone through or left out, in any order.
    const resource = (name: string): Schema => ({
      $id: name,
      anyOf: names.map((other) => ({ properties: { a: { $ref: other } } })),
      $defs: { own: { $dynamicAnchor: name } },
    });
    expect(() =>
      new SchemaCompiler({
        $ref: 'n0',
        $defs: Object.fromEntries(names.map((name) => [name, resource(name)])),
      }).compile(''),
    ).toThrow(/can be met in more than 200 ways/);
  });
});
