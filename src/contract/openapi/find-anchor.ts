import { escapePointer, isJsonObject } from '../../syntax/json.ts';

/** What holds any value, and so no schema that has a name. */
const DATA = new Set(['const', 'default', 'enum', 'example', 'examples']);

/**
 * The pointer of the schema in a file that gives itself a name by `$anchor` or `$dynamicAnchor` (JSON Schema 2020-12
 * §8.2.2); `undefined` where none does. A schema with an `$id` below has names of its own.
 */
export function findAnchor(tree: unknown, name: string, pointer = ''): string | undefined {
  if (typeof tree !== 'object' || tree === null || (pointer !== '' && isJsonObject(tree) && '$id' in tree)) {
    return undefined;
  }
  if (isJsonObject(tree) && (tree['$anchor'] === name || tree['$dynamicAnchor'] === name)) {
    return pointer;
  }
  for (const [key, child] of Object.entries(tree)) {
    const found = DATA.has(key) ? undefined : findAnchor(child, name, `${pointer}/${escapePointer(key)}`);
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}
