import { escapePointer, isJsonObject, type JsonObject } from '../../syntax/json.ts';

/** A node of the document and the RFC 6901 pointer by which it is reached. */
export interface Located {
  readonly value: JsonObject;
  /** Decoded: to stand in a URI it must be percent-encoded. */
  readonly pointer: string;
}

const MAX_HOPS = 32;

/**
 * Goes to a child of a node and follows `$ref`s within the document.
 *
 * @throws {Error} when a reference leaves the document, leads nowhere or goes round in circles
 */
export function follow(root: JsonObject, parent: Located, key: string): Located | undefined {
  const value = Object.hasOwn(parent.value, key) ? parent.value[key] : undefined;
  return isJsonObject(value)
    ? dereference(root, { value, pointer: `${parent.pointer}/${escapePointer(key)}` })
    : undefined;
}

/**
 * The node that a `$ref` within the document stands for; a node without one stands for itself. What stands beside a `$ref`
 * does not count (OpenAPI 3.0 §4.7.23, 3.1 §4.8.23).
 *
 * @throws {Error} as {@link follow} does
 */
export function dereference(root: JsonObject, start: Located): Located {
  let at = start;
  for (let hops = 0; hops < MAX_HOPS; hops += 1) {
    const reference = at.value['$ref'];
    if (typeof reference !== 'string') {
      return at;
    }
    const pointer = readReference(reference);
    const value = resolvePointer(root, pointer);
    if (!isJsonObject(value)) {
      throw new Error(`the reference ${reference} leads nowhere`);
    }
    at = { value, pointer };
  }
  throw new Error(`the reference at #${start.pointer} goes round in circles`);
}

/**
 * The pointer of a reference within the document, decoded.
 *
 * @throws {Error} when it leaves the document, or is no pointer
 */
export function readReference(reference: string): string {
  if (!reference.startsWith('#')) {
    throw new Error(`the reference ${reference} leaves the document`);
  }
  return readFragment(reference.slice(1), reference);
}

/**
 * Decodes the pointer in the fragment of a reference (RFC 6901 §6).
 *
 * @throws {Error} when it is no pointer
 */
export function readFragment(fragment: string, reference: string): string {
  let pointer: string;
  try {
    pointer = decodeURIComponent(fragment);
  } catch {
    throw new Error(`the reference ${reference} has a % that encodes nothing`);
  }
  if (pointer !== '' && !pointer.startsWith('/')) {
    throw new Error(`the reference ${reference} is no pointer, which begins with #/`);
  }
  return pointer;
}

/** What a decoded pointer leads to; `undefined` when nothing is there. */
export function resolvePointer(root: unknown, pointer: string): unknown {
  let node = root;
  for (const part of pointer.split('/').slice(1)) {
    if (typeof node !== 'object' || node === null || !Object.hasOwn(node, unescapePointer(part))) {
      return undefined;
    }
    node = (node as JsonObject)[unescapePointer(part)];
  }
  return node;
}

function unescapePointer(part: string): string {
  return part.includes('~') ? part.replaceAll('~1', '/').replaceAll('~0', '~') : part;
}
