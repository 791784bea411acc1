import { escapePointer, isJsonObject, type JsonObject } from '../../syntax/json.ts';
import { isOpenApi } from './dialect.ts';
import { METASCHEMA } from './metaschema.ts';
import { walkDocument, walkSchema } from './subschemas.ts';

/** A part of the document with an address of its own: the whole of it, or a schema with an `$id`. */
export interface Resource {
  readonly uri: string;
  readonly schema: JsonObject;
  readonly pointer: string;
  /** The schemas that `$anchor` or `$dynamicAnchor` gives a name; `undefined` for a name that it gives to several. */
  readonly anchors: Map<string, Location | undefined>;
  /** Those of them that `$dynamicAnchor` names. */
  readonly dynamicAnchors: Map<string, Location | undefined>;
}

/** Where a schema stands. */
export interface Location {
  readonly schema: unknown;
  /** From the root of the document, decoded. */
  readonly pointer: string;
  readonly resource: Resource;
}

const ROOT_URI = 'contract:///';

/** Finds schemas by pointers, and by the names and addresses that they give themselves (JSON Schema 2020-12 §8.2). */
export class SchemaLocations {
  readonly #resources = new Map<string, Resource>();
  readonly #byId = new Map<object, Resource>();
  readonly #root: Resource;
  readonly #hasNames: boolean;

  /** @param hasNames false for a dialect whose schemas cannot name themselves (OpenAPI 3.0) */
  constructor(root: JsonObject, hasNames: boolean) {
    this.#hasNames = hasNames;
    const self = hasNames && typeof root['$self'] === 'string' ? join(root['$self'], ROOT_URI) : undefined;
    this.#root = this.#addResource(self ?? ROOT_URI, root, '');
    if (hasNames) {
      this.#index(this.#root, isOpenApi(root) ? walkDocument : walkSchema);
    }
  }

  /** @throws {Error} when nothing is there */
  at(pointer: string): Location {
    const found = this.#walk(this.#root, pointer);
    if (found === undefined) {
      throw new Error(`the reference #${pointer} leads nowhere`);
    }
    return found;
  }

  /** The resource that a schema below another stands in. */
  resourceOf(schema: unknown, around: Resource): Resource {
    return (this.#hasNames && isJsonObject(schema) ? this.#byId.get(schema) : undefined) ?? around;
  }

  /** @throws {Error} when it leads nowhere or out of the document */
  resolve(reference: string, from: Resource): Location {
    const [address, fragment] = splitFragment(reference);
    const resource = address === '' ? from : this.#find(join(address, from.uri) ?? '');
    if (resource === undefined) {
      throw new Error(`the reference ${reference} leaves the document, and no schema in it has that address`);
    }
    const isPointer = fragment === '' || fragment.startsWith('/');
    const found = isPointer ? this.#walk(resource, fragment) : resource.anchors.get(fragment);
    if (found !== undefined) {
      return found;
    }
    if (resource.anchors.has(fragment)) {
      throw severalPlaces(reference);
    }
    // A schema with an `$id` has pointers of its own; one that leads nowhere there was meant as all others of the document.
    const meant = isPointer && address === '' ? this.#walk(this.#root, fragment) : undefined;
    if (meant === undefined) {
      throw new Error(`the reference ${reference} leads nowhere`);
    }
    return meant;
  }

  #find(uri: string): Resource | undefined {
    const known = this.#resources.get(uri);
    if (known !== undefined || uri !== METASCHEMA.$id) {
      return known;
    }
    const resource = this.#addResource(uri, METASCHEMA, uri);
    this.#index(resource, walkSchema);
    return resource;
  }

  #walk(resource: Resource, pointer: string): Location | undefined {
    const { schema: start } = resource;
    let at: Location = { schema: start, pointer: resource.pointer, resource: this.resourceOf(start, resource) };
    for (const part of pointer.split('/').slice(1)) {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
      const parent = at.schema;
      const isThere = typeof parent === 'object' && parent !== null && Object.hasOwn(parent, key);
      if (!isThere) {
        return undefined;
      }
      const schema = (parent as JsonObject)[key];
      at = { schema, pointer: `${at.pointer}/${part}`, resource: this.resourceOf(schema, at.resource) };
    }
    return at;
  }

  #addResource(uri: string, schema: JsonObject, pointer: string): Resource {
    const resource: Resource = { uri, schema, pointer, anchors: new Map(), dynamicAnchors: new Map() };
    if (!this.#resources.has(uri)) {
      this.#resources.set(uri, resource);
    }
    this.#byId.set(schema, resource);
    return resource;
  }

  #index(whole: Resource, walk: typeof walkSchema): void {
    const around: { readonly depth: number; readonly resource: Resource }[] = [{ depth: -1, resource: whole }];
    walk(whole.schema, [], (schema, path) => {
      while ((around.at(-1)?.depth ?? -1) >= path.length) {
        around.pop();
      }
      const { $id, $anchor, $dynamicAnchor } = schema;
      if (typeof $id !== 'string' && typeof $anchor !== 'string' && typeof $dynamicAnchor !== 'string') {
        return;
      }
      const pointer = `${whole.pointer}${path.map((key) => `/${escapePointer(key)}`).join('')}`;
      let resource = around.at(-1)?.resource ?? whole;
      if (typeof $id === 'string') {
        resource = this.#addNamed($id, schema, pointer, resource);
        around.push({ depth: path.length, resource });
      }
      addAnchors(resource, { schema, pointer, resource });
    });
  }

  /** An `$id` that is only a fragment, as older drafts write it, is an `$anchor`. */
  #addNamed($id: string, schema: JsonObject, pointer: string, around: Resource): Resource {
    const [address, fragment] = splitFragment($id);
    const uri = join(address, around.uri);
    if (uri === undefined || address === '') {
      if (fragment !== '') {
        addAnchor(around.anchors, fragment, { schema, pointer, resource: around });
      }
      return around;
    }
    const known = this.#byId.get(schema);
    return known?.uri === uri ? known : this.#addResource(uri, schema, pointer);
  }
}

function addAnchors(resource: Resource, location: Location): void {
  const { $anchor, $dynamicAnchor } = location.schema as JsonObject;
  if (typeof $anchor === 'string') {
    addAnchor(resource.anchors, $anchor, location);
  }
  if (typeof $dynamicAnchor === 'string') {
    addAnchor(resource.anchors, $dynamicAnchor, location);
    addAnchor(resource.dynamicAnchors, $dynamicAnchor, location);
  }
}

function addAnchor(anchors: Map<string, Location | undefined>, name: string, location: Location): void {
  const isTaken = anchors.has(name) && anchors.get(name)?.schema !== location.schema;
  anchors.set(name, isTaken ? undefined : location);
}

/** A name that is given to several schemas of one resource means none of them. */
export function severalPlaces(reference: string): Error {
  return new Error(`the reference ${reference} can lead to several places; give one of them another name, or an $id`);
}

/** Cuts a reference at its `#`; what follows is decoded, if it can be. */
export function splitFragment(reference: string): readonly [address: string, fragment: string] {
  const cut = reference.indexOf('#');
  return cut === -1 ? [reference, ''] : [reference.slice(0, cut), decode(reference.slice(cut + 1))];
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
