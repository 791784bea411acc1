import type { SchemaNode } from './schema-node.ts';

/** What a JSON value is. */
export type Kind = 'string' | 'number' | 'boolean' | 'null' | 'array' | 'object';

const TYPES: readonly unknown[] = ['string', 'number', 'integer', 'boolean', 'null', 'array', 'object'];

/** What a JSON value is. */
export function kindOf(value: unknown): Kind {
  const type = typeof value;
  if (type === 'string' || type === 'number' || type === 'boolean') {
    return type;
  }
  if (value === null) {
    return 'null';
  }
  return Array.isArray(value) ? 'array' : 'object';
}

/**
 * The types that a schema allows, if it names any (JSON Schema Validation 2020-12 §6.1.1).
 *
 * @throws {Error} when one of them is none
 */
export function readTypes(node: SchemaNode): readonly string[] | undefined {
  const { type, nullable } = node.schema;
  if (type === undefined) {
    return undefined;
  }
  const types = Array.isArray(type) ? (type as unknown[]) : [type];
  if (types.length === 0 || !types.every((name) => TYPES.includes(name))) {
    throw new Error(
      `the schema at #${node.location.pointer} has the type ${JSON.stringify(type)}; allowed: ${TYPES.join(', ')}`,
    );
  }
  // Of OpenAPI 3.0: what was written for it and renamed to 3.1 is full of it, and nothing else is meant by it.
  return nullable === true && !types.includes('null') ? [...(types as string[]), 'null'] : (types as string[]);
}

/** True when a value is of one of the types; a number that no float can hold is of none. */
export function isOfType(value: unknown, kind: Kind, types: readonly string[]): boolean {
  if (kind !== 'number') {
    return types.includes(kind);
  }
  return (types.includes('number') && Number.isFinite(value)) || (types.includes('integer') && Number.isInteger(value));
}

const NUMBER = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;

/** A text as the first of the types that it can be read as; as it is, when there is none. */
export function coerce(text: string, types: readonly string[]): unknown {
  if (types.includes('string')) {
    return text;
  }
  for (const type of types) {
    const value = readAs(type, text);
    if (value !== undefined) {
      return value;
    }
  }
  return text;
}

/** JavaScript would take more texts for a number, such as `0x10`, ` 1` and `Infinity`; few servers do. */
function readAs(type: string, text: string): unknown {
  switch (type) {
    case 'number':
      return NUMBER.test(text) && Number.isFinite(Number(text)) ? Number(text) : undefined;
    case 'integer':
      return NUMBER.test(text) && Number.isInteger(Number(text)) ? Number(text) : undefined;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined;
    case 'null':
      return text === '' ? null : undefined;
    default:
      return undefined;
  }
}
