import { basename, extname } from 'node:path';
import type { JsonObject } from '../../syntax/json.ts';

/** What a part of a file is called when it becomes a component: by the last key of its pointer, or as the file. */
export function nameOrigin(file: string, pointer: string): string {
  const last = pointer
    .slice(pointer.lastIndexOf('/') + 1)
    .replaceAll('~1', '/')
    .replaceAll('~0', '~');
  const written = pointer === '' ? basename(file, extname(file)) : last;
  // A name has no other characters (OpenAPI 3.1 §4.8.7).
  return written.replaceAll(/[^A-Za-z0-9._-]+/g, '_').replaceAll(/^_+|_+$/g, '') || 'part';
}

/** A name that no other component has: the one that is wanted, or `Order_2`. */
export function nameUniquely(wanted: string, taken: JsonObject): string {
  let name = wanted;
  for (let count = 2; Object.hasOwn(taken, name); count += 1) {
    name = `${wanted}_${count}`;
  }
  return name;
}
