import { escapePointer, isJsonObject, type JsonObject } from '../../syntax/json.ts';
import type { Located } from './references.ts';
import { fieldOf } from './parts.ts';
import type { Dropped } from './prune.ts';
import type { Structure } from './structure.ts';

/** An operation as it stands in a path item. */
export interface Candidate {
  readonly path: string;
  /** As the document writes it: in lower case, except among the `additionalOperations`. */
  readonly method: string;
  readonly item: Located;
  readonly operation: Located;
}

/** The part of a path item whose operations are served: a copy, whose members are those of the original. */
export type KeepServed = (item: JsonObject, path: string) => Record<string, unknown>;

/**
 * Makes what takes the operations out of a path item that are not served.
 *
 * @param dropped gets what was taken out
 */
export function createKeepServed(
  { 'path item': rule }: Structure,
  serves: (candidate: Candidate) => boolean,
  dropped: Dropped[],
): KeepServed {
  return (value, path) => {
    const item = { value, pointer: `/paths/${escapePointer(path)}` };
    const keeps = (method: string, written: unknown, pointer: string): boolean => {
      // What is no operation is a fault only where one would be served.
      const operation = { value: isJsonObject(written) ? written : {}, pointer };
      const isKept = serves({ path, method, item, operation });
      if (!isKept) {
        dropped.push({ value: operation.value, kind: 'operation' });
      }
      return isKept;
    };
    const entries = Object.entries(value).flatMap(([key, child]): [string, unknown][] => {
      const field = fieldOf(rule, key);
      const pointer = `${item.pointer}/${escapePointer(key)}`;
      if (field === undefined || !('of' in field) || field.of !== 'operation') {
        return [[key, child]];
      }
      if (field.is === 'map' && isJsonObject(child)) {
        const kept = Object.entries(child).filter(([method, operation]) =>
          keeps(method, operation, `${pointer}/${escapePointer(method)}`),
        );
        return [[key, Object.fromEntries(kept)]];
      }
      return keeps(key, child, pointer) ? [[key, child]] : [];
    });
    return Object.fromEntries(entries);
  };
}

/** True for a path item in which there is an operation, or which refers to another one. */
export function hasOperation({ 'path item': rule }: Structure, item: JsonObject): boolean {
  return Object.entries(item).some(([key, value]) => {
    const field = fieldOf(rule, key);
    const isOperation = field !== undefined && 'of' in field && field.of === 'operation';
    return key === '$ref' || (isOperation && (field.is === 'object' || Object.keys(value as object).length > 0));
  });
}
