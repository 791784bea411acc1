import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compileParameter } from '../../../../src/contract/checks/parameters.ts';
import { readDeclaration } from '../../../../src/contract/checks/parameters/declaration.ts';
import { SchemaCompiler } from '../../../../src/contract/schema/schemas.ts';
import { EMPTY_PARTS, toSource, withParameter } from '../../../../src/verify/request-parts.ts';
import type { Node } from '../../documents.ts';

const STYLES: readonly [place: string, style: string, explode: boolean][] = [
  ...(['matrix', 'label', 'simple'] as const).flatMap((style): [string, string, boolean][] => [
    ['path', style, false],
    ['path', style, true],
  ]),
  ['header', 'simple', false],
  ['header', 'simple', true],
  ['query', 'form', false],
  ['query', 'form', true],
  ['query', 'spaceDelimited', false],
  ['query', 'pipeDelimited', false],
  ['cookie', 'form', false],
  ['cookie', 'form', true],
  ['cookie', 'cookie', true],
];

/** What a style cannot write: its own delimiters, where nothing encodes them. */
const UNWRITABLE: Readonly<Record<string, RegExp>> = {
  header: /[\s,=\P{ASCII}\p{Cc}]/u,
  cookie: /[\s,=;&%"\P{ASCII}\p{Cc}]/u,
  spaceDelimited: / /,
  pipeDelimited: /\|/,
  // The encoding of a dot is a dot.
  label: /\./,
};

function textFor(place: string, style: string): fc.Arbitrary<string> {
  const unwritable = UNWRITABLE[style === 'label' ? 'label' : place === 'query' ? style : place];
  return fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 5 })
    .filter((text) => !(unwritable?.test(text) ?? false));
}

/** A schema that a value fits and next to nothing else. */
function schemaOf(value: unknown): Node {
  if (Array.isArray(value)) {
    return { type: 'array', prefixItems: value.map(schemaOf), items: false, minItems: value.length };
  }
  if (typeof value === 'object' && value !== null) {
    const properties = Object.fromEntries(Object.entries(value).map(([name, member]) => [name, schemaOf(member)]));
    return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
  }
  return { const: value };
}

function accepts(place: string, style: string, explode: boolean, value: unknown): boolean {
  const parameter = { name: 'color', in: place, required: true, style, explode, schema: schemaOf(value) };
  const root = { parameter };
  const located = { value: parameter, pointer: '/parameter' };
  const schemas = new SchemaCompiler(root);
  const check = compileParameter(root, located, schemas, new Set(['color']));
  const parts = withParameter(EMPTY_PARTS, readDeclaration(root, located, schemas), value);
  return check?.(toSource(parts)).length === 0;
}

describe('whatever is written in a style is read as what it was', () => {
  it.each(STYLES)('in %s, %s, exploded: %s', (place, style, explode) => {
    const text = textFor(place, style);
    const value = fc.oneof(
      text,
      fc.integer(),
      fc.boolean(),
      fc.array(text, { minLength: 1, maxLength: 4 }),
      fc.array(fc.oneof(text, fc.integer()), { minLength: 1, maxLength: 4 }),
      fc.dictionary(
        text.filter((name) => name !== '__proto__' && name !== 'color'),
        fc.oneof(text, fc.integer()),
        { minKeys: 1, maxKeys: 3 },
      ),
    );
    fc.assert(
      fc.property(value, (one) => {
        expect(accepts(place, style, explode, one)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('in deepObject, with lists and maps', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 });
    const name = text.filter((one) => !/[[\]]|__proto__|^\d/.test(one));
    const flat = fc.dictionary(name, fc.oneof(text, fc.integer(), fc.array(text, { minLength: 1, maxLength: 3 })), {
      minKeys: 1,
      maxKeys: 3,
    });
    const value = fc.oneof(flat, fc.dictionary(name, flat, { minKeys: 1, maxKeys: 3 }));
    fc.assert(
      fc.property(value, (one) => {
        expect(accepts('query', 'deepObject', true, one)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
