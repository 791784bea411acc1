import { escapePointer, isJsonObject, type JsonObject } from '../../syntax/json.ts';

/** A part of the document with an address of its own: the whole of it, or a schema with an `$id`. */
export interface Resource {
  readonly uri: string;
  readonly schema: JsonObject;
  readonly pointer: string;
  /** The schemas that `$anchor` or `$dynamicAnchor` gives a name. */
  readonly anchors: Map<string, Location>;
}

/** Where a schema stands. */
export interface Location {
  readonly schema: unknown;
  /** From the root of the document, decoded. */
  readonly pointer: string;
  readonly resource: Resource;
}

const ROOT_URI = 'contract:///';

/** What holds any value, and no schema. */
const DATA = new Set(['const', 'enum', 'default', 'example', 'examples']);

/** Finds schemas by pointers, and by the names and addresses that they give themselves (JSON Schema 2020-12 §8.2). */
export class SchemaLocations {
  readonly #resources = new Map<string, Resource>();
  readonly #byId = new Map<object, Resource>();
  readonly #dynamicAnchors = new Map<string, number>();
  readonly #root: Resource;

  constructor(root: JsonObject) {
    this.#root = this.#addResource(ROOT_URI, root, '');
    this.#index(root, '', this.#root);
  }

  /** @throws {Error} when nothing is there */
  at(pointer: string): Location {
    return this.#walk(this.#root, pointer);
  }

  /** The resource that a schema below another stands in. */
  resourceOf(schema: unknown, around: Resource): Resource {
    return (isJsonObject(schema) ? this.#byId.get(schema) : undefined) ?? around;
  }

  /** @throws {Error} when it leads nowhere or out of the document */
  resolve(reference: string, from: Resource): Location {
    const cut = reference.indexOf('#');
    const address = cut === -1 ? reference : reference.slice(0, cut);
    const fragment = decode(cut === -1 ? '' : reference.slice(cut + 1));
    const resource = address === '' ? from : this.#resources.get(join(address, from.uri) ?? '');
    if (resource === undefined) {
      throw new Error(
        `the reference ${reference} leaves the document; only references that start with #/ are followed`,
      );
    }
    const found =
      fragment === '' || fragment.startsWith('/')
        ? this.#walk(resource, fragment, reference)
        : resource.anchors.get(fragment);
    if (found === undefined) {
      throw new Error(`the reference ${reference} leads nowhere`);
    }
    return found;
  }

  /**
   * A `$dynamicRef` is followed where it can only lead to one place.
   *
   * @throws {Error} when it leads nowhere, or when it depends on the way to it
   */
  resolveDynamic(reference: string, from: Resource): Location {
    const name = reference.slice(reference.indexOf('#') + 1);
    if ((this.#dynamicAnchors.get(name) ?? 0) > 1) {
      throw new Error(`the $dynamicRef ${reference} can lead to several places; write a $ref to the one that is meant`);
    }
    return this.resolve(reference, from);
  }

  #walk(resource: Resource, pointer: string, reference = `#${pointer}`): Location {
    let at: Location = { schema: resource.schema, pointer: resource.pointer, resource };
    for (const part of pointer.split('/').slice(1)) {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
      const parent = at.schema;
      const isThere = typeof parent === 'object' && parent !== null && Object.hasOwn(parent, key);
      if (!isThere) {
        throw new Error(`the reference ${reference} leads nowhere`);
      }
      const schema = (parent as JsonObject)[key];
      at = { schema, pointer: `${at.pointer}/${part}`, resource: this.resourceOf(schema, at.resource) };
    }
    return at;
  }

  #addResource(uri: string, schema: JsonObject, pointer: string): Resource {
    const resource: Resource = { uri, schema, pointer, anchors: new Map() };
    this.#resources.set(uri, resource);
    return resource;
  }

  #index(node: object, pointer: string, around: Resource): void {
    let resource = around;
    if (!Array.isArray(node)) {
      const { $id, $anchor, $dynamicAnchor } = node as JsonObject;
      const uri = typeof $id === 'string' ? join($id, around.uri)?.replace(/#$/, '') : undefined;
      if (uri !== undefined && !this.#resources.has(uri)) {
        resource = this.#addResource(uri, node as JsonObject, pointer);
        this.#byId.set(node, resource);
      }
      for (const name of [$anchor, $dynamicAnchor].filter((anchor) => typeof anchor === 'string')) {
        resource.anchors.set(name, { schema: node, pointer, resource });
      }
      if (typeof $dynamicAnchor === 'string') {
        this.#dynamicAnchors.set($dynamicAnchor, (this.#dynamicAnchors.get($dynamicAnchor) ?? 0) + 1);
      }
    }
    for (const [key, child] of Object.entries(node)) {
      if (typeof child === 'object' && child !== null && !DATA.has(key) && !key.startsWith('x-')) {
        this.#index(child, `${pointer}/${escapePointer(key)}`, resource);
      }
    }
  }
}

function join(address: string, base: string): string | undefined {
  try {
    return new URL(address, base).href;
  } catch {
    return undefined;
  }
}

function decode(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}
