import { isJsonObject, type JsonObject } from '../../syntax/json.ts';
import { compileArrayKeywords, compileUnevaluatedItems } from './array-keywords.ts';
import { compileCombiningKeywords } from './combining-keywords.ts';
import { Evaluated } from './evaluated.ts';
import { SchemaLocations, type Location } from './locations.ts';
import { compileNumberKeywords } from './number-keywords.ts';
import { compileObjectKeywords, compileUnevaluatedProperties } from './object-keywords.ts';
import type { Place, Run, Target, Test } from './run.ts';
import { SchemaNode } from './schema-node.ts';
import { compileTextKeywords } from './text-keywords.ts';
import { coerce, isOfType, kindOf, readTypes, type Kind } from './value-types.ts';

interface Entry extends Target {
  test: Test;
  refers: boolean;
  readonly location: Location;
  /** The schemas that look at the same value. */
  readonly inPlace: Entry[];
  /** The schemas that look at a part of it. */
  readonly below: Entry[];
  isCompiled: boolean;
  error?: unknown;
}

/** Keywords whose schemas look at the same value as the schema that they stand in. */
const IN_PLACE = new Set(['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'dependentSchemas', 'dependencies']);

const always: Test = () => true;
const never: Test = (_value, run, at) => run.fail(at, 'boolean schema is false');

/**
 * The schemas of one document as tests, each compiled once, where it stands: references, also recursive ones, mean what
 * they mean there (JSON Schema 2020-12, which OpenAPI 3.1 uses).
 */
export class SchemaSet {
  readonly #locations: SchemaLocations;
  readonly #entries = new Map<object, Entry>();
  readonly #waiting: Entry[] = [];
  /** What was gone through to its last reference and found without a fault. */
  readonly #sound = new Set<Entry>();

  constructor(root: JsonObject) {
    this.#locations = new SchemaLocations(root);
  }

  /**
   * The schema at a place of the document.
   *
   * @throws {Error} when it, or one that it leads to, is wrong
   */
  at(pointer: string): Target {
    const location = this.#locations.at(pointer);
    const entry = this.#enter(location);
    this.#waiting.push(entry);
    for (let next = this.#waiting.pop(); next !== undefined; next = this.#waiting.pop()) {
      this.#compile(next);
    }
    this.#refuseFaults(entry);
    return entry;
  }

  /** References may go round, so a schema has its entry before it has its test. */
  #enter(location: Location): Entry {
    const { schema } = location;
    const known = isJsonObject(schema) ? this.#entries.get(schema) : undefined;
    if (known !== undefined) {
      return known;
    }
    const entry: Entry = {
      test: schema === false ? never : always,
      refers: false,
      location,
      inPlace: [],
      below: [],
      isCompiled: false,
    };
    if (isJsonObject(schema)) {
      this.#entries.set(schema, entry);
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
    const resource = this.#locations.resourceOf(schema, entry.location.resource);
    const node = new SchemaNode(schema, { ...entry.location, resource }, (location, keyword) => {
      const child = this.#enter(location);
      (IN_PLACE.has(keyword) ? entry.inPlace : entry.below).push(child);
      this.#compile(child);
      entry.refers ||= child.refers;
      return child.test;
    });
    return joinTests({
      types: readTypes(node),
      number: compileNumberKeywords(node),
      string: compileTextKeywords(node),
      array: compileArrayKeywords(node),
      object: compileObjectKeywords(node),
      any: [...this.#compileReferences(entry, node), ...compileCombiningKeywords(node)],
      unevaluated: { array: compileUnevaluatedItems(node), object: compileUnevaluatedProperties(node) },
    });
  }

  #compileReferences(entry: Entry, node: SchemaNode): Test[] {
    const { resource } = node.location;
    const reference = node.text('$ref');
    const dynamic = node.text('$dynamicRef');
    return [
      ...(reference === undefined ? [] : [this.#locations.resolve(reference, resource)]),
      ...(dynamic === undefined ? [] : [this.#locations.resolveDynamic(dynamic, resource)]),
    ].map((location): Test => {
      const target = this.#enter(location);
      this.#waiting.push(target);
      entry.refers = true;
      entry.inPlace.push(target);
      return (value, run, at, seen) => run.follow(target, value, at, seen);
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
      refuseCircle(entry);
      waiting.push(...entry.inPlace, ...entry.below);
    }
    for (const entry of seen) {
      this.#sound.add(entry);
    }
  }
}

/** A schema that looks at the same value again and again would never come to an end. */
function refuseCircle(start: Entry): void {
  const seen = new Set<Entry>();
  const waiting = [...start.inPlace];
  for (let entry = waiting.pop(); entry !== undefined; entry = waiting.pop()) {
    if (entry === start) {
      throw new Error(`the schema at #${start.location.pointer} leads back to itself for the same value`);
    }
    if (!seen.has(entry)) {
      seen.add(entry);
      waiting.push(...entry.inPlace);
    }
  }
}

interface SchemaTests extends Readonly<Record<'number' | 'string' | 'array' | 'object' | 'any', readonly Test[]>> {
  readonly types: readonly string[] | undefined;
  readonly unevaluated: { readonly [K in Kind]?: Test | undefined };
}

function joinTests({ types, unevaluated, any, ...parts }: SchemaTests): Test {
  const tests: Readonly<Record<Kind, readonly Test[]>> = {
    number: [...parts.number, ...any],
    string: [...parts.string, ...any],
    array: [...parts.array, ...any],
    object: [...parts.object, ...any],
    boolean: any,
    null: any,
  };
  const detail = `must be ${types?.join(',')}`;
  return (given, run, at, seen) => {
    const value = run.coerces && types !== undefined && typeof given === 'string' ? coerce(given, types) : given;
    const kind = kindOf(value);
    if (types !== undefined && !isOfType(value, kind, types)) {
      return run.fail(at, detail);
    }
    const rest = unevaluated[kind];
    if (rest === undefined) {
      return testAll(tests[kind], value, run, at, seen);
    }
    const evaluated = new Evaluated();
    const fits = testAll(tests[kind], value, run, at, evaluated) && rest(value, run, at, evaluated);
    if (fits) {
      seen?.add(evaluated);
    }
    return fits;
  };
}

/** Goes on after a fault while faults are written down and there is room for more. */
function testAll(
  tests: readonly Test[],
  value: unknown,
  run: Run,
  at: Place | undefined,
  seen: Evaluated | undefined,
): boolean {
  let fits = true;
  for (const test of tests) {
    if (!test(value, run, at, seen)) {
      fits = false;
      if (!run.goesOn(at)) {
        return false;
      }
    }
  }
  return fits;
}
