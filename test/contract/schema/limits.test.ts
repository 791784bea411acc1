import { describe, expect, it } from '@jest/globals';
import { SchemaCompiler } from '../../../src/contract/schema/schemas.ts';
import type { SchemaFault } from '../../../src/contract/schema/schemas.ts';

type Schema = Readonly<Record<string, unknown>>;

/** A schema that refers to itself as `#/$defs/self`. */
function recursive(self: Schema): Schema {
  return { $ref: '#/$defs/self', $defs: { self } };
}

const SELF = { $ref: '#/$defs/self' };

function check(schema: Schema, value: unknown): readonly SchemaFault[] {
  return new SchemaCompiler(schema).compile('')(value) ?? [];
}

/** An object in an object, so many levels deep. */
function nested(levels: number, innermost: unknown = 0): unknown {
  let value = innermost;
  for (let level = 0; level < levels; level += 1) {
    value = { a: value };
  }
  return value;
}

/** A list in a list, so many levels deep. */
function nestedList(levels: number, innermost: unknown): unknown {
  let value = innermost;
  for (let level = 0; level < levels; level += 1) {
    value = [value];
  }
  return value;
}

function list<T>(length: number, item: (index: number) => T): T[] {
  return Array.from({ length }, (_, index) => item(index));
}

describe('a check of much is no endless work', () => {
  const both = { properties: { a: SELF } };
  it.each<[what: string, schema: Schema, value: unknown, faults: number]>([
    ['items that must differ', { uniqueItems: true }, list(300_000, (index) => ({ a: index })), 0],
    [
      'items that must each be one of many objects',
      { items: { enum: list(20_000, (index) => ({ a: index, b: [index] })) } },
      list(40_000, (index) => ({ b: [19_999 - (index % 20_000)], a: 19_999 - (index % 20_000) })),
      0,
    ],
    [
      'items that must differ, on every level',
      recursive({ uniqueItems: true, items: SELF }),
      nestedList(
        300,
        list(20_000, (index) => [index]),
      ),
      0,
    ],
    [
      'a choice that doubles with each level',
      recursive({
        anyOf: [
          { ...both, required: ['x'] },
          { ...both, required: ['y'] },
        ],
      }),
      nested(300),
      50,
    ],
    [
      'one of two that doubles with each level',
      recursive({ oneOf: [both, { ...both, required: ['y'] }] }),
      nested(300),
      1,
    ],
    [
      'all of two that double with each level',
      recursive({ allOf: [both, both], unevaluatedProperties: false }),
      nested(300),
      0,
    ],
    [
      'what is not looked at, on every level',
      recursive({ anyOf: [both, both], unevaluatedProperties: SELF }),
      nested(300),
      0,
    ],
    [
      'conditions that double with each level',
      recursive({ ...Object.fromEntries(['if', 'then', 'else'].map((word) => [word, both])), not: { not: both } }),
      nested(300),
      0,
    ],
    ['dependents that double with each level', recursive({ ...both, dependentSchemas: { a: both } }), nested(300), 0],
    [
      'lists that contain, on every level',
      recursive({ contains: SELF }),
      nestedList(
        300,
        list(200_000, () => []),
      ),
      1,
    ],
    [
      'dynamic references that double with each level',
      {
        $id: 'strict',
        $dynamicAnchor: 'node',
        $ref: 'tree',
        unevaluatedProperties: false,
        $defs: {
          tree: {
            $id: 'tree',
            $dynamicAnchor: 'node',
            anyOf: list(2, () => ({ properties: { a: { allOf: list(2, () => ({ $dynamicRef: '#node' })) } } })),
          },
        },
      },
      nested(300, { b: 1 }),
      1,
    ],
    [
      'references that double without a level',
      {
        ...Object.fromEntries([['$ref', '#/$defs/0']]),
        $defs: Object.fromEntries(
          list(60, (index) => [
            String(index),
            index === 59 ? { type: 'number' } : { anyOf: list(2, () => ({ $ref: `#/$defs/${index + 1}` })) },
          ]),
        ),
      },
      'a',
      50,
    ],
    [
      'a choice that doubles with each level, with much at its end',
      recursive({ anyOf: list(2, () => ({ properties: { a: SELF, list: { items: { type: 'number' } } } })) }),
      nested(13, { list: [...list(200_000, () => 0), 'a'] }),
      1,
    ],
    [
      'a large constant that nearly fits',
      { items: { enum: [list(1_000, () => 0)] } },
      list(20_000, () => list(20, () => 0)),
      1,
    ],
    ['fractions', { items: { multipleOf: 0.01 } }, list(100_000, (index) => index / 100), 0],
    ['very large numbers', { items: { multipleOf: 0.01 } }, list(100_000, () => 1e308), 0],
    ['very small numbers', { items: { multipleOf: 1e300 } }, list(100_000, () => 1e-300), 1],
    [
      'very many objects of which everything must be looked at',
      recursive({ items: SELF, allOf: [{ properties: { a: SELF } }], unevaluatedProperties: false }),
      list(200_000, () => ({})),
      0,
    ],
  ])('%s', (_, schema, value, faults) => {
    expect(Math.min(check(schema, value).length, faults)).toBe(faults);
  });
});

describe('a document that is made to be slow to compile starts all the same', () => {
  const names = list(400, (index) => `s${index}`);
  it.each<[what: string, schema: Schema]>([
    [
      'choices that refer to all that follow them',
      {
        $ref: '#/$defs/s0',
        $defs: Object.fromEntries(
          names.map((name, index) => [
            name,
            { type: 'string', allOf: names.slice(index + 1).map((later) => ({ $ref: `#/$defs/${later}` })) },
          ]),
        ),
      },
    ],
    [
      'a long way of references',
      {
        $ref: '#/$defs/s0',
        $defs: Object.fromEntries(
          list(20_000, (index) => [
            `s${index}`,
            index === 19_999 ? { type: 'string' } : { $ref: `#/$defs/s${index + 1}` },
          ]),
        ),
      },
    ],
    [
      'more members than a call has room for arguments',
      { properties: Object.fromEntries(list(150_000, (index) => [`p${index}`, { type: 'string' }])) },
    ],
  ])('%s', (_what, schema) => {
    expect(() => new SchemaCompiler(schema).compile('')).not.toThrow();
  });
});

describe('the list of faults', () => {
  it('ends at fifty, and no more are made', () => {
    const value = list(1_000_000, () => ({}));
    expect(check({ items: { required: ['a', 'b', 'c'] } }, value)).toHaveLength(50);
  });

  it('does not grow with the names that a caller chooses', () => {
    const name = 'n'.repeat(1_000_000);
    const value = { [name]: list(100, () => 1), short: { [name]: 1 } };
    const faults = check(
      { properties: { short: { additionalProperties: false } }, additionalProperties: { items: { type: 'string' } } },
      value,
    );
    expect(JSON.stringify(faults).length).toBeLessThan(40_000);
    expect(faults[0]).toEqual({ pointer: '', detail: 'must be string' });
  });

  it.each<[what: string, allowed: readonly unknown[], detail: RegExp]>([
    ['many', list(100_000, (index) => `value ${index}`), /^must be one of "value 0", "value 1", .* and 99\d\d\d more$/],
    ['long ones', ['a'.repeat(5_000), 'b'], /^must be one of 2 values$/],
  ])('does not grow with the values that a contract allows: %s', (_what, allowed, detail) => {
    const [fault] = check({ enum: allowed }, 1);
    expect(fault?.detail).toMatch(detail);
    expect(fault?.detail.length).toBeLessThan(1_100);
  });
});

describe('texts that would keep a pattern of many steps busy for long', () => {
  const pattern = '([a-z]{2,20},?){1,100}!';
  const detail = 'is too long for the patterns that it must match';

  it.each([
    ['one of them', { pattern }, 'a'.repeat(1_000_000)],
    ['many of them', { items: { pattern } }, list(1_000, () => `${'a'.repeat(999)}!`)],
    ['names', { patternProperties: { [pattern]: {} } }, { ['a'.repeat(1_000_000)]: 1 }],
    ['one of a choice', { anyOf: [{ pattern }, {}] }, 'a'.repeat(1_000_000)],
  ])('are refused: %s', (_, schema, value) => {
    expect(check(schema, value)).toEqual([{ pointer: '', detail }]);
  });

  it('are none where there are few steps', () => {
    expect(check({ pattern: '^(?:[a-z0-9]{1,63}[.])+$' }, 'abc.'.repeat(100_000))).toEqual([]);
  });
});

describe('a value that is nested more deeply than the stack is high', () => {
  it('is one fault, not an error of ours', () => {
    const tree = recursive({ properties: { a: SELF } });
    expect(check(tree, nested(1_000_000))).toEqual([{ pointer: '', detail: 'is nested too deeply' }]);
  });
});
