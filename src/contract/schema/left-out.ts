import { isJsonObject, type JsonObject } from '../../syntax/json.ts';
import type { Location, SchemaLocations } from './locations.ts';

/**
 * True for a member that stands in values of the other direction only, so that `required` does not ask for it here:
 * `readOnly` in requests, `writeOnly` in responses (OpenAPI 3.0.4 §4.7.24.1). It may be said wherever the member is
 * described: in the schema, in its `allOf`, and behind a `$ref`.
 *
 * @param whole the schema that describes the value, with all of its `allOf`
 */
export function isLeftOut(
  name: string,
  whole: Location,
  flag: 'readOnly' | 'writeOnly',
  locations: SchemaLocations,
): boolean {
  return listParts(whole, locations).some(({ schema, ...place }) => {
    const { properties } = schema;
    return (
      isJsonObject(properties) &&
      Object.hasOwn(properties, name) &&
      listParts({ ...place, schema: properties[name] }, locations).some((part) => part.schema[flag] === true)
    );
  });
}

/** A schema, what its `$ref` leads to, and the members of its `allOf`, and so on. */
function listParts(whole: Location, locations: SchemaLocations): readonly (Location & { schema: JsonObject })[] {
  const seen = new Set<unknown>();
  const parts: (Location & { schema: JsonObject })[] = [];
  const waiting = [whole];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { schema, ...place } = next;
    if (!isJsonObject(schema) || seen.has(schema)) {
      continue;
    }
    seen.add(schema);
    parts.push({ ...place, schema });
    const { $ref, allOf } = schema;
    if (typeof $ref === 'string') {
      waiting.push(locations.resolve($ref, place.resource));
    } else if (Array.isArray(allOf)) {
      waiting.push(...allOf.map((member: unknown) => ({ ...place, schema: member })));
    }
  }
  return parts;
}
