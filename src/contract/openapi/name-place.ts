import { basename } from 'node:path';

const IN_OPERATION =
  /^\/paths\/([^/]+)\/(?:additionalOperations\/([^/]+)|(get|put|post|delete|options|head|patch|trace|query))(\/.*)?$/;
const IN_PATH = /^\/paths\/(~1[^/]*)(\/.*)?$/;
const IN_COMPONENT = /^\/components\/[^/]+\/[^/]+/;

/** Parts that came from other files, by their pointers in the bundled document: `/components/schemas/Order`. */
export type Origins = ReadonlyMap<string, string>;

/**
 * How a fault names a place of a document: `contract GET /orders /parameters/0` in an operation, `contract /orders` in a
 * path, and `contract openapi.yaml#/components/schemas/Order` or `contract schemas/order.yaml#/Order` elsewhere.
 */
export function namePlace(file: string, pointer: string, origins: Origins): string {
  const [, path, additional, method = '', rest] = IN_OPERATION.exec(pointer) ?? [];
  if (path !== undefined) {
    const name = additional === undefined ? method.toUpperCase() : unescape(additional);
    return join(`contract ${name} ${unescape(path)}`, rest);
  }
  const [, item, below] = IN_PATH.exec(pointer) ?? [];
  if (item !== undefined) {
    return join(`contract ${unescape(item)}`, below);
  }
  const component = IN_COMPONENT.exec(pointer)?.[0] ?? '';
  const origin = origins.get(component);
  if (origin !== undefined) {
    const within = pointer.slice(component.length);
    return `contract ${origin}${within === '' || origin.includes('#') ? '' : '#'}${within}`;
  }
  return pointer === '' ? `contract ${basename(file)}` : `contract ${basename(file)}#${pointer}`;
}

function join(name: string, below: string | undefined): string {
  return below === undefined ? name : `${name} ${below}`;
}

function unescape(key: string): string {
  return key.replaceAll('~1', '/').replaceAll('~0', '~');
}
