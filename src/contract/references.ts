import { escapePointer, isJsonObject, type JsonObject } from '../syntax/json.ts';

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
  const value = parent.value[key];
  return isJsonObject(value)
    ? dereference(root, { value, pointer: `${parent.pointer}/${escapePointer(key)}` })
    : undefined;
}

/**
 * The node that a `$ref` within the document stands for; a node without one stands for itself.
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
    if (!reference.startsWith('#/')) {
      throw new Error(
        `the reference ${reference} leaves the document; only references that start with #/ are followed`,
      );
    }
    const pointer = decodeURIComponent(reference.slice(1));
    const value = resolvePointer(root, pointer);
    if (!isJsonObject(value)) {
      throw new Error(`the reference ${reference} leads nowhere`);
    }
    at = { value, pointer };
  }
  throw new Error(`the reference at #${start.pointer} goes round in circles`);
}

function resolvePointer(root: JsonObject, pointer: string): unknown {
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((node, key) => {
      if (Array.isArray(node)) {
        return node[Number(key)] as unknown;
      }
      return isJsonObject(node) && Object.hasOwn(node, key) ? node[key] : undefined;
    }, root);
}
