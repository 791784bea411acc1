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
  return nullable === true && !types.includes('null') ? [...(types as string[]), 'null'] : (types as string[]);
}

/** True when a value is of one of the types; a number that no float can hold is of none. */
export function isOfType(value: unknown, kind: Kind, types: readonly string[]): boolean {
  if (kind !== 'number') {
    return types.includes(kind);
  }
  return (types.includes('number') && Number.isFinite(value)) || (types.includes('integer') && Number.isInteger(value));
}
