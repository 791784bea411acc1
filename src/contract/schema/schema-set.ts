import { isJsonObject, type JsonObject } from '../../syntax/json.ts';
import { compileArrayKeywords, compileUnevaluatedItems } from './array-keywords.ts';
import { compileCombiningKeywords } from './combining-keywords.ts';
import { allowsNull, readKeywords, refuseStrangeDialect } from './dialect.ts';
import { DynamicScopes, resolveDynamic, type DynamicScope } from './dynamic-scope.ts';
import { joinTests } from './join-tests.ts';
import { isLeftOut } from './left-out.ts';
import type { Location, SchemaLocations } from './locations.ts';
import { compileNumberKeywords } from './number-keywords.ts';
import { compileObjectKeywords, compileUnevaluatedProperties } from './object-keywords.ts';
import type { Target, Test } from './run.ts';
import { SchemaNode } from './schema-node.ts';
import type { SchemaSource } from './schema-source.ts';
import { IN_PLACE } from './subschemas.ts';
import { compileTextKeywords } from './text-keywords.ts';
import { standingBelow, testTexts } from './text-readings.ts';
import { readTypes } from './value-types.ts';

interface Entry extends Target {
  test: Test;
  refers: boolean;
  readonly location: Location;
  readonly scope: DynamicScope;
  /** The schema in whose `allOf` it stands. */
  partOf?: Entry;
  /** The schemas that look at the same value. */
  readonly inPlace: Entry[];
  /** The schemas that look at a part of it. */
  readonly below: Entry[];
  isCompiled: boolean;
  error?: unknown;
}

const always: Test = () => true;
const never: Test = (_value, run, at) => run.fail(at, 'boolean schema is false');

/**
 * The schemas of one document as tests, each compiled once, where it stands: references, also recursive ones, mean what
 * they mean there. A schema that dynamic references make several of is compiled once for each scope.
 */
export class SchemaSet {
  readonly #source: SchemaSource;
  readonly #readsTexts: boolean;
  readonly #scopes = new DynamicScopes();
  readonly #entries = new Map<DynamicScope, Map<object, Entry>>();
  readonly #waiting: Entry[] = [];
  /** What was gone through to its last reference and found without a fault. */
  readonly #sound = new Set<Entry>();

  /** @param readsTexts true for schemas of parameters, whose numbers and booleans arrive as texts */
  constructor(source: SchemaSource, readsTexts: boolean) {
    this.#source = source;
    this.#readsTexts = readsTexts;
  }

  /**
   * The schema at a place of the document.
   *
   * @throws {Error} when it, or one that it leads to, is wrong
   */
  at(pointer: string): Target {
    const entry = this.#enter(this.#locations.at(pointer), this.#scopes.outermost);
    this.#waiting.push(entry);
    for (let next = this.#waiting.pop(); next !== undefined; next = this.#waiting.pop()) {
      this.#compile(next);
    }
    this.#refuseFaults(entry);
    return entry;
  }

  get #locations(): SchemaLocations {
    return this.#source.locations;
  }

  /** References may go round, so a schema has its entry before it has its test. */
  #enter(place: Location, around: DynamicScope): Entry {
    const { schema } = place;
    const location = { ...place, resource: this.#locations.resourceOf(schema, place.resource) };
    const scope = this.#scopes.enter(around, location.resource);
    const entries = this.#entries.get(scope) ?? new Map<object, Entry>();
    this.#entries.set(scope, entries);
    const known = isJsonObject(schema) ? entries.get(schema) : undefined;
    if (known !== undefined) {
      return known;
    }
    const test = schema === false ? never : always;
    const entry: Entry = { test, refers: false, location, scope, inPlace: [], below: [], isCompiled: false };
    if (isJsonObject(schema)) {
      entries.set(schema, entry);
    } else if (typeof schema !== 'boolean') {
      entry.error = new Error(`#${location.pointer} is no schema`);
    }
    return entry;
  }

  #compile(entry: Entry): void {
    if (entry.isCompiled || !isJsonObject(entry.location.schema)) {
      return;
    }
    entry.isCompiled = true;
    try {
      entry.test = this.#compileSchema(entry, entry.location.schema);
    } catch (error) {
      entry.error = error;
    }
  }

  #compileSchema(entry: Entry, schema: JsonObject): Test {
    const node = this.#read(entry, schema);
    return joinTests({
      types: readTypes(node),
      allowsNull: allowsNull(node.schema),
      number: compileNumberKeywords(node),
      string: compileTextKeywords(node),
      array: compileArrayKeywords(node),
      object: compileObjectKeywords(node),
      any: [...this.#compileReferences(entry, node), ...compileCombiningKeywords(node)],
      unevaluated: { array: compileUnevaluatedItems(node), object: compileUnevaluatedProperties(node) },
    });
  }

  #read(entry: Entry, schema: JsonObject): SchemaNode {
    const { version, formats } = this.#source.dialect;
    const keywords = readKeywords(schema, version);
    refuseStrangeDialect(keywords, '$schema', `the schema at #${entry.location.pointer}`);
    return new SchemaNode(keywords, entry.location, {
      assertsFormats: formats === 'assert',
      canRequire: (name) => this.#canRequire(entry, name),
      compileBelow: (location, keyword) => {
        const child = this.#enter(location, entry.scope);
        if (keyword === 'allOf') {
          child.partOf ??= entry;
        }
        (IN_PLACE.has(keyword) ? entry.inPlace : entry.below).push(child);
        this.#compile(child);
        entry.refers ||= child.refers;
        return this.#readsTexts ? this.#readTexts(child.test, keyword, location) : child.test;
      },
    });
  }

  #readTexts(test: Test, keyword: string, location: Location): Test {
    const standing = standingBelow(keyword);
    return standing === undefined ? test : testTexts(test, standing, this.#source.outlines.of(location).kinds);
  }

  #canRequire(entry: Entry, name: string): boolean {
    const { version, direction } = this.#source.dialect;
    if (version !== '3.0') {
      return true;
    }
    let whole = entry;
    while (whole.partOf !== undefined) {
      whole = whole.partOf;
    }
    return !isLeftOut(name, whole.location, direction === 'request' ? 'readOnly' : 'writeOnly', this.#locations);
  }

  #compileReferences(entry: Entry, node: SchemaNode): Test[] {
    const { resource } = node.location;
    return ['$ref', '$dynamicRef'].flatMap((keyword): Test[] => {
      const reference = node.text(keyword);
      if (reference === undefined) {
        return [];
      }
      const target = atPlace(node.location, () =>
        this.#enter(
          keyword === '$ref'
            ? this.#locations.resolve(reference, resource)
            : resolveDynamic(reference, resource, entry.scope, this.#locations),
          entry.scope,
        ),
      );
      this.#waiting.push(target);
      entry.refers = true;
      entry.inPlace.push(target);
      return [(value, run, at, seen) => run.follow(target, value, at, seen)];
    });
  }

  #refuseFaults(start: Entry): void {
    const seen = new Set<Entry>();
    const waiting = [start];
    for (let entry = waiting.pop(); entry !== undefined; entry = waiting.pop()) {
      if (seen.has(entry) || this.#sound.has(entry)) {
        continue;
      }
      seen.add(entry);
      if (entry.error !== undefined) {
        throw entry.error;
      }
      // Not as arguments of one call: there may be more of them than the stack has room for.
      for (const next of [...entry.inPlace, ...entry.below]) {
        waiting.push(next);
      }
    }
    const straight = new Set<Entry>();
    for (const entry of seen) {
      refuseCircle(entry, straight);
    }
    for (const entry of seen) {
      this.#sound.add(entry);
    }
  }
}

/** Adds to a fault of a reference where it stands. */
function atPlace<T>(location: Location, find: () => T): T {
  try {
    return find();
  } catch (error) {
    throw new Error(`${(error as Error).message} (at #${location.pointer})`, { cause: error });
  }
}

/**
 * A schema that looks at the same value again and again would never come to an end.
 *
 * @param straight gets the schemas that lead to no such one, which are not gone through again
 */
function refuseCircle(start: Entry, straight: Set<Entry>): void {
  const around = new Set<Entry>();
  const waiting = [start];
  for (let entry = waiting.at(-1); entry !== undefined; entry = waiting.at(-1)) {
    if (straight.has(entry) || around.has(entry)) {
      // Everything that it leads to was gone through.
      around.delete(entry);
      straight.add(entry);
      waiting.pop();
      continue;
    }
    around.add(entry);
    for (const next of entry.inPlace) {
      if (around.has(next)) {
        throw new Error(`the schema at #${next.location.pointer} leads back to itself for the same value`);
      }
      waiting.push(next);
    }
  }
}
