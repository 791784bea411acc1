import { isExtension, visitParts } from '../contract/openapi/parts.ts';
import { structureOf, type Kind } from '../contract/openapi/structure.ts';
import type { OpenApiVersion } from '../contract/openapi/version.ts';
import { escapePointer, isJsonObject, type JsonObject } from '../syntax/json.ts';

/**
 * Finds a key of a document that is between its author and the gateway (OpenAPI 3.1 §4.9); names of headers or properties
 * that begin alike are none.
 *
 * @returns where the first one stands, as a JSON pointer (RFC 6901)
 */
export function findExtension(root: JsonObject, version: OpenApiVersion): string | undefined {
  const structure = structureOf(version);
  // A list instead of calls within calls, because a document can be nested more deeply than the stack is high.
  const waiting: { value: unknown; kind: Kind; pointer: string }[] = [{ value: root, kind: 'document', pointer: '' }];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    const { value, kind, pointer } = part;
    if (isJsonObject(value)) {
      const rule = structure[kind];
      const key = Object.keys(value).find((name) => isExtension(rule, name));
      if (key !== undefined) {
        return `${pointer}/${escapePointer(key)}`;
      }
      visitParts(value, pointer, rule, (child) => waiting.push(child));
    }
  }
  return undefined;
}
