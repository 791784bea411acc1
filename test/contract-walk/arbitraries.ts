import * as fc from 'fast-check';
import { dereference, follow, type Located } from '../../src/contract/openapi/references.ts';
import { isJsonObject, type JsonObject } from '../../src/syntax/json.ts';

/** Where a schema stands, and what its free texts may be made of. */
export interface Ground {
  readonly root: JsonObject;
  readonly text: fc.Arbitrary<string>;
}

/** Letters that no style of parameters gives a meaning to. */
export const PLAIN_TEXT = fc.stringMatching(/^[\w~-]{0,12}$/);

/** Anything that is a text. */
export const ANY_TEXT = fc.string({ unit: 'binary', maxLength: 40 });

/** What fits a schema. */
export function valuesOf(ground: Ground, start: Located, depth = 0): fc.Arbitrary<unknown> {
  const { root } = ground;
  const at = dereference(root, start);
  const schema = at.value;
  if ('const' in schema) {
    return fc.constant(schema['const']);
  }
  if (Array.isArray(schema['enum'])) {
    return fc.constantFrom(...(schema['enum'] as unknown[]));
  }
  if (Array.isArray(schema['oneOf'])) {
    return fc.oneof(...listOf(at, 'oneOf').map((branch) => valuesOf(ground, branch, depth)));
  }
  if (Array.isArray(schema['allOf'])) {
    const parts = listOf(at, 'allOf').map((part) => valuesOf(ground, part, depth));
    return fc.tuple(...parts).map((values) => Object.assign({}, ...values) as unknown);
  }
  return fc.oneof(...typesOf(schema).map((type) => valuesOfType(ground, at, type, depth)));
}

function listOf({ value, pointer }: Located, key: string): Located[] {
  return (value[key] as JsonObject[]).map((branch, index) => ({
    value: branch,
    pointer: `${pointer}/${key}/${index}`,
  }));
}

function typesOf({ type, properties }: JsonObject): string[] {
  return [type ?? (properties === undefined ? 'string' : 'object')].flat().map(String);
}

function valuesOfType(ground: Ground, at: Located, type: string, depth: number): fc.Arbitrary<unknown> {
  switch (type) {
    case 'object':
      return objectsOf(ground, at, depth);
    case 'array':
      return arraysOf(ground, at, depth);
    case 'integer':
    case 'number':
      return numbersOf(at.value, type === 'integer');
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return textsOf(ground, at.value);
  }
}

function objectsOf(ground: Ground, at: Located, depth: number): fc.Arbitrary<unknown> {
  const properties = follow(ground.root, at, 'properties');
  const required = (at.value['required'] ?? []) as string[];
  const names = Object.keys(properties?.value ?? {}).filter((name) => depth < 3 || required.includes(name));
  const model = Object.fromEntries(
    names.flatMap((name) => {
      const property = properties && follow(ground.root, properties, name);
      return property === undefined ? [] : [[name, valuesOf(ground, property, depth + 1)]];
    }),
  );
  const least = (at.value['minProperties'] ?? 0) as number;
  return fc.record(model, { requiredKeys: required }).filter((value) => Object.keys(value).length >= least);
}

function arraysOf(ground: Ground, at: Located, depth: number): fc.Arbitrary<unknown> {
  const items = follow(ground.root, at, 'items');
  const { minItems: minLength = 0, maxItems = 4 } = at.value as { minItems?: number; maxItems?: number };
  return items === undefined
    ? fc.constant([])
    : fc.array(valuesOf(ground, items, depth + 1), { minLength, maxLength: Math.min(maxItems, minLength + 3) });
}

interface NumberRules {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly multipleOf?: number;
}

function numbersOf(schema: JsonObject, isInteger: boolean): fc.Arbitrary<unknown> {
  const { minimum = -1_000, maximum = 1_000, exclusiveMinimum, multipleOf = 1 } = schema as NumberRules;
  const least = exclusiveMinimum === undefined ? minimum : exclusiveMinimum + 1;
  const whole = fc
    .integer({ min: Math.ceil(least / multipleOf), max: Math.floor(maximum / multipleOf) })
    .map((count) => count * multipleOf);
  return isInteger
    ? whole
    : fc.oneof(
        whole,
        fc.integer({ min: least * 4, max: maximum * 4 }).map((count) => count / 4),
      );
}

function textsOf({ text }: Ground, schema: JsonObject): fc.Arbitrary<unknown> {
  const { format, pattern, minLength = 0, maxLength = Infinity } = schema as Record<string, never>;
  if (format === 'uuid') {
    return fc.uuid();
  }
  if (format === 'date') {
    return fc
      .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
      .map((day) => day.toISOString().slice(0, 10));
  }
  if (pattern !== undefined) {
    return fc.stringMatching(new RegExp(pattern));
  }
  return text.filter((value) => countCodePoints(value) >= minLength && countCodePoints(value) <= maxLength);
}

/** JSON Schema counts code points. */
function countCodePoints(value: string): number {
  return Array.from(value).length;
}

/** Texts that a parameter with this schema must refuse; `undefined` where every text is good. */
export function brokenTextsOf({ root }: Ground, start: Located): fc.Arbitrary<string> | undefined {
  const schema = dereference(root, start).value;
  const { maxLength, maximum, minimum, minLength = 0 } = schema as Record<string, number | undefined>;
  const tooBig = maximum === undefined ? [] : [fc.integer({ min: maximum + 1, max: maximum + 1_000 }).map(String)];
  const tooSmall = minimum === undefined ? [] : [fc.integer({ min: minimum - 1_000, max: minimum - 1 }).map(String)];
  const types = typesOf(schema);
  if (types.includes('integer') || types.includes('number')) {
    const fractions = types.includes('number') ? [] : [fc.constantFrom('1.5', '-0.25')];
    const words = fc.constantFrom('ten', '0x1', 'Infinity', 'NaN', '1_000', '1.', '+1');
    return fc.oneof(words, ...tooBig, ...tooSmall, ...fractions);
  }
  if (types.includes('boolean')) {
    return fc.constantFrom('yes', '2', 'TRUE', 'null');
  }
  if (Array.isArray(schema['enum']) || schema['format'] !== undefined || schema['pattern'] !== undefined) {
    return fc.stringMatching(/^[%!]?no~[a-z]{1,6}$/).map((word) => word.replace('%', '!'));
  }
  const tooLong =
    maxLength === undefined
      ? []
      : [fc.integer({ min: 1, max: 9 }).map((extra) => 'x'.repeat(Math.max(maxLength, minLength) + extra))];
  return tooLong.length === 0 ? undefined : fc.oneof(...tooLong);
}

/** Bodies that a schema must refuse, each a good one in which one thing is wrong. */
export function brokenValuesOf(ground: Ground, start: Located): fc.Arbitrary<unknown> {
  return valuesOf(ground, start).chain((value) => breakOne(ground, start, value));
}

function breakOne(ground: Ground, start: Located, value: unknown): fc.Arbitrary<unknown> {
  const at = dereference(ground.root, start);
  const parts = Array.isArray(at.value['allOf']) ? listOf(at, 'allOf') : [at];
  return fc.oneof(...parts.flatMap((part) => waysToBreak(ground, dereference(ground.root, part), value)));
}

function waysToBreak(ground: Ground, at: Located, value: unknown): fc.Arbitrary<unknown>[] {
  const another = fc.constant(isJsonObject(value) || Array.isArray(value) ? 'not this' : { not: 'this' });
  if (Array.isArray(value)) {
    const items = follow(ground.root, at, 'items');
    const inside = items === undefined || value.length === 0 ? [] : [breakItem(ground, items, value)];
    return [another, ...inside];
  }
  if (!isJsonObject(value)) {
    return [another];
  }
  const required = (at.value['required'] ?? []) as string[];
  const properties = follow(ground.root, at, 'properties');
  return [
    another,
    ...required.map((name) => fc.constant(omit(value, name))),
    ...(at.value['additionalProperties'] === false ? [fc.constant({ ...value, surprise: 1 })] : []),
    ...Object.keys(value).flatMap((name) => {
      const property = properties && follow(ground.root, properties, name);
      return property === undefined
        ? []
        : [breakOne(ground, property, value[name]).map((broken) => ({ ...value, [name]: broken }))];
    }),
  ];
}

function breakItem(ground: Ground, items: Located, values: readonly unknown[]): fc.Arbitrary<unknown> {
  return fc
    .nat(values.length - 1)
    .chain((at) => breakOne(ground, items, values[at]).map((broken) => values.with(at, broken)));
}

function omit(value: JsonObject, name: string): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== name));
}
