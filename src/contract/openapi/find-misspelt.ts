import { editDistance } from '../../syntax/edit-distance.ts';
import type { JsonObject } from '../../syntax/json.ts';
import type { Field, ObjectRule } from './structure.ts';

/**
 * The field that was meant by a key that OpenAPI does not know: one that decides something, is nearly called so, and is
 * not there. Any other unknown key is an annotation.
 */
export function findMisspelt(key: string, value: JsonObject, rule: ObjectRule): string | undefined {
  const word = key.toLowerCase();
  const allowed = key.length < 5 ? 1 : 2;
  for (const [name, field] of rule.fields) {
    const isNear = Math.abs(name.length - key.length) <= allowed && editDistance(name.toLowerCase(), word) <= allowed;
    if (isNear && decides(field) && !Object.hasOwn(value, name)) {
      return name;
    }
  }
  return undefined;
}

function decides(field: Field): boolean {
  return field.is !== 'any' && field.isAside !== true && !('of' in field && field.of === 'note');
}
