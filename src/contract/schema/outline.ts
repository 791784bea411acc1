import { isJsonObject, type JsonObject } from '../../syntax/json.ts';
import type { Location, SchemaLocations } from './locations.ts';
import { kindOf, type Kind } from './value-types.ts';

/** What can be told of the values of a schema without a look at one. It may name too much, never too little. */
export interface Outline {
  readonly kinds: ReadonlySet<Kind>;
  /** The names in `properties`. */
  readonly members: ReadonlySet<string>;
}

const KINDS: readonly Kind[] = ['string', 'number', 'boolean', 'null', 'array', 'object'];
const ANYTHING: Outline = { kinds: new Set(KINDS), members: new Set() };
const NOTHING: Outline = { kinds: new Set(), members: new Set() };

/**
 * Tells what values of schemas can be, wherever a schema says so: in its own keywords, in what it refers to, and in the
 * schemas that it combines.
 */
export class Outlines {
  readonly #locations: SchemaLocations;
  readonly #keywordsOf: (schema: JsonObject) => JsonObject;
  readonly #known = new Map<object, Outline>();

  /** @param keywordsOf what of a schema counts in its dialect */
  constructor(locations: SchemaLocations, keywordsOf: (schema: JsonObject) => JsonObject) {
    this.#locations = locations;
    this.#keywordsOf = keywordsOf;
  }

  /** @throws {Error} when a reference leads nowhere */
  of(location: Location): Outline {
    const { schema } = location;
    if (!isJsonObject(schema)) {
      return schema === false ? NOTHING : ANYTHING;
    }
    const known = this.#known.get(schema);
    if (known !== undefined) {
      return known;
    }
    // For a schema that leads back to itself.
    this.#known.set(schema, ANYTHING);
    const resource = this.#locations.resourceOf(schema, location.resource);
    const keywords = this.#keywordsOf(schema);
    const outline = this.#read(keywords, { ...location, schema: keywords, resource });
    this.#known.set(schema, outline);
    return outline;
  }

  #read(schema: JsonObject, at: Location): Outline {
    const { $ref: reference, nullable } = schema;
    const parts = [
      readOwn(schema),
      ...(typeof reference === 'string' ? [this.of(this.#locations.resolve(reference, at.resource))] : []),
      ...this.#listBelow(at, 'allOf'),
      ...['anyOf', 'oneOf']
        .filter((keyword) => Array.isArray(schema[keyword]))
        .map((keyword) => unite(this.#listBelow(at, keyword))),
      ...(schema['if'] === undefined ? [] : [unite([this.#below(at, 'then'), this.#below(at, 'else')])]),
    ];
    const kinds = KINDS.filter(
      // Of OpenAPI 3.0; beside a $ref and allOf it adds to what they allow.
      (kind) => parts.every((part) => part.kinds.has(kind)) || (kind === 'null' && nullable === true),
    );
    return { kinds: new Set(kinds), members: unite(parts).members };
  }

  #listBelow({ schema, pointer, resource }: Location, keyword: string): Outline[] {
    const list = (schema as JsonObject)[keyword];
    return (Array.isArray(list) ? (list as unknown[]) : []).map((item, index) =>
      this.of({ schema: item, pointer: `${pointer}/${keyword}/${index}`, resource }),
    );
  }

  #below({ schema, pointer, resource }: Location, keyword: string): Outline {
    return this.of({ schema: (schema as JsonObject)[keyword], pointer: `${pointer}/${keyword}`, resource });
  }
}

function readOwn(schema: JsonObject): Outline {
  const { properties } = schema;
  const members = new Set(isJsonObject(properties) ? Object.keys(properties) : []);
  return { kinds: ownKinds(schema), members };
}

function ownKinds(schema: JsonObject): ReadonlySet<Kind> {
  const { type, enum: allowed, properties, items } = schema;
  if (type !== undefined) {
    const types: unknown[] = [type].flat();
    return new Set(types.map((name) => (name === 'integer' ? 'number' : (name as Kind))));
  }
  if (Array.isArray(allowed) || Object.hasOwn(schema, 'const')) {
    return new Set((Array.isArray(allowed) ? (allowed as unknown[]) : [schema['const']]).map(kindOf));
  }
  // The keywords alone allow anything else, too, but nobody writes them for that.
  if (properties !== undefined) {
    return new Set(['object']);
  }
  return items === undefined ? ANYTHING.kinds : new Set(['array']);
}

function unite(outlines: readonly Outline[]): Outline {
  return {
    kinds: new Set(outlines.flatMap(({ kinds }) => [...kinds])),
    members: new Set(outlines.flatMap(({ members }) => [...members])),
  };
}
