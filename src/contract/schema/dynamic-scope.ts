import { severalPlaces, splitFragment, type Location, type Resource, type SchemaLocations } from './locations.ts';

/** More than these would be a contract whose schemas are compiled again and again, in each with other meanings. */
const MAX_SCOPES = 200;

/**
 * Where the `$dynamicRef`s of a schema lead: that depends on the resources that were gone through on the way to it (JSON
 * Schema 2020-12 §8.2.3.2). A scope is known when schemas are compiled, so that nothing is looked for while a value is.
 */
export interface DynamicScope {
  /** For each name, what the first resource on the way that has such a `$dynamicAnchor` means by it, if it is one. */
  readonly anchors: ReadonlyMap<string, Location | undefined>;
  /** Where a further resource leads to from here. */
  readonly next: Map<Resource, DynamicScope>;
}

/** The scopes of one document; two ways with the same outcome are one scope. */
export class DynamicScopes {
  readonly outermost: DynamicScope = { anchors: new Map(), next: new Map() };
  readonly #byKey = new Map<string, DynamicScope>();

  /** @throws {Error} when there are too many */
  enter(scope: DynamicScope, resource: Resource): DynamicScope {
    if (resource.dynamicAnchors.size === 0) {
      return scope;
    }
    let next = scope.next.get(resource);
    if (next === undefined) {
      next = this.#intern(new Map([...resource.dynamicAnchors, ...scope.anchors]));
      scope.next.set(resource, next);
    }
    return next;
  }

  #intern(anchors: DynamicScope['anchors']): DynamicScope {
    const names = [...anchors].map(([name, location]) => JSON.stringify([name, location?.pointer]));
    const key = names.toSorted().join(' ');
    const scope = this.#byKey.get(key) ?? { anchors, next: new Map() };
    this.#byKey.set(key, scope);
    if (this.#byKey.size > MAX_SCOPES) {
      throw new Error(`the $dynamicAnchors can be met in more than ${MAX_SCOPES} ways; use fewer of them`);
    }
    return scope;
  }
}

/**
 * Where a `$dynamicRef` leads in a scope: where a `$ref` would, unless that is a `$dynamicAnchor`.
 *
 * @throws {Error} when it leads nowhere, or to several places
 */
export function resolveDynamic(
  reference: string,
  from: Resource,
  scope: DynamicScope,
  locations: SchemaLocations,
): Location {
  const location = locations.resolve(reference, from);
  const [, name] = splitFragment(reference);
  const isDynamic = location.resource.dynamicAnchors.get(name)?.schema === location.schema;
  if (!isDynamic || !scope.anchors.has(name)) {
    return location;
  }
  const first = scope.anchors.get(name);
  if (first === undefined) {
    throw severalPlaces(reference);
  }
  return first;
}
