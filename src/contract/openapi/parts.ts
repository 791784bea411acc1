import { escapePointer, isJsonObject, type JsonObject } from '../../syntax/json.ts';
import type { Field, Holding, Kind, ObjectRule } from './structure.ts';

/** An object of a kind that stands in another one, and where. What stands there need not be an object. */
export interface Part {
  readonly value: unknown;
  readonly kind: Kind;
  /** RFC 6901, decoded. */
  readonly pointer: string;
  readonly isAside: boolean;
}

/** Calls `visit` with every object that stands in another one, one level down. */
export function visitParts(value: JsonObject, pointer: string, rule: ObjectRule, visit: (part: Part) => void): void {
  for (const key of Object.keys(value)) {
    const field = fieldOf(rule, key);
    if (field !== undefined && 'of' in field) {
      visitField(value[key], `${pointer}/${escapePointer(key)}`, field, visit);
    }
  }
}

/** What a key of an object holds: `undefined` for an extension, and for a key that OpenAPI does not know. */
export function fieldOf(rule: ObjectRule, key: string): Field | undefined {
  return rule.fields.get(key) ?? (isExtension(rule, key) ? undefined : rule.names);
}

/** True for a key that is between the author and a tool (OpenAPI 3.1 §4.9), and not a name that begins alike. */
export function isExtension(rule: ObjectRule, key: string): boolean {
  return key.startsWith('x-') && rule.hasExtensions !== false;
}

function visitField(
  value: unknown,
  pointer: string,
  field: Extract<Holding, { of: Kind }> & Field,
  visit: (part: Part) => void,
): void {
  const { of: kind, isAside = false } = field;
  if (field.is === 'object') {
    visit({ value, kind, pointer, isAside });
  } else if (field.is === 'list' ? Array.isArray(value) : isJsonObject(value)) {
    for (const [key, child] of Object.entries(value as object)) {
      visit({ value: child as unknown, kind, pointer: `${pointer}/${escapePointer(key)}`, isAside });
    }
  }
}
