import { isJsonObject, type JsonObject } from '../../syntax/json.ts';
import { fieldOf, isExtension } from './parts.ts';
import { structureOf, type Field, type Kind, type Structure } from './structure.ts';
import type { OpenApiVersion } from './version.ts';

/**
 * A document without its extensions, the `x-` keys. What only looks like one stays: names that the author chose, such as
 * a header called `x-total`, and data. Parts without extensions are those of the document itself.
 */
export function stripExtensions(root: JsonObject, version: OpenApiVersion): JsonObject {
  return stripObject(root, 'document', structureOf(version)) as JsonObject;
}

function stripObject(value: unknown, kind: Kind, structure: Structure): unknown {
  const rule = structure[kind];
  return mapMembers(value, (child, key) =>
    isExtension(rule, key) ? LEFT_OUT : stripField(child, fieldOf(rule, key), structure),
  );
}

function stripField(value: unknown, field: Field | undefined, structure: Structure): unknown {
  if (field === undefined || !('of' in field)) {
    return value;
  }
  if (field.is === 'object') {
    return stripObject(value, field.of, structure);
  }
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => stripObject(item, field.of, structure));
    return items.some((item, index) => item !== value[index]) ? items : (value as unknown[]);
  }
  return field.is === 'map' ? mapMembers(value, (child) => stripObject(child, field.of, structure)) : value;
}

const LEFT_OUT = Symbol('left out');

/** The same object when nothing changes, so that a large document takes no memory twice. */
function mapMembers(value: unknown, change: (child: unknown, key: string) => unknown): unknown {
  if (!isJsonObject(value)) {
    return value;
  }
  let changes = false;
  const entries: [string, unknown][] = [];
  for (const key of Object.keys(value)) {
    const child = change(value[key], key);
    changes ||= child !== value[key];
    if (child !== LEFT_OUT) {
      entries.push([key, child]);
    }
  }
  return changes ? Object.fromEntries(entries) : value;
}
