import { escapePointer, isJsonObject, type JsonObject } from '../../syntax/json.ts';
import type { Location } from './locations.ts';
import type { Test } from './run.ts';

/** What the compilation of a schema needs of the schemas around it. */
export interface SchemaContext {
  /** Makes the test of a schema that stands below a keyword. */
  compileBelow(location: Location, keyword: string): Test;
  /** False for a member that stands in values of the other direction only. */
  canRequire(name: string): boolean;
  readonly assertsFormats: boolean;
}

/** A schema while it is compiled: reads its keywords, and names the place where one of them is wrong. */
export class SchemaNode {
  /** The keywords that count in its dialect. */
  readonly schema: JsonObject;
  readonly location: Location;
  readonly context: SchemaContext;

  constructor(schema: JsonObject, location: Location, context: SchemaContext) {
    this.schema = schema;
    this.location = location;
    this.context = context;
  }

  /** A number, if the keyword is there. @throws {Error} for anything else */
  number(keyword: string): number | undefined {
    return this.#read(keyword, 'a number', isNumber);
  }

  /** A whole number from 0, if the keyword is there. @throws {Error} for anything else */
  count(keyword: string): number | undefined {
    return this.#read(keyword, 'a whole number from 0', isCount);
  }

  /** A text, if the keyword is there. @throws {Error} for anything else */
  text(keyword: string): string | undefined {
    return this.#read(keyword, 'a text', isText);
  }

  /** A list, if the keyword is there. @throws {Error} for anything else */
  list(keyword: string): readonly unknown[] | undefined {
    return this.#read(keyword, 'a list', isList);
  }

  /** A list of texts, if the keyword is there. @throws {Error} for anything else */
  texts(keyword: string): readonly string[] | undefined {
    return this.#read(keyword, 'a list of texts', isTexts);
  }

  /** A map, if the keyword is there. @throws {Error} for anything else */
  map(keyword: string): JsonObject | undefined {
    return this.#read(keyword, 'a map', isJsonObject);
  }

  /** The test of the schema that a keyword holds, if it is there. @throws {Error} when it is no schema */
  below(keyword: string): Test | undefined {
    return this.schema[keyword] === undefined ? undefined : this.#below(this.schema[keyword], keyword);
  }

  /** The tests of the list of schemas that a keyword holds, if it is there. @throws {Error} when it is no such list */
  listBelow(keyword: string): readonly Test[] | undefined {
    return this.list(keyword)?.map((schema, index) => this.#below(schema, keyword, String(index)));
  }

  /** The tests of the map of schemas that a keyword holds, if it is there. @throws {Error} when it is no such map */
  mapBelow(keyword: string): ReadonlyMap<string, Test> | undefined {
    const schemas = this.map(keyword);
    return schemas && new Map(Object.keys(schemas).map((name) => [name, this.#below(schemas[name], keyword, name)]));
  }

  /** The test of one entry of a map that holds other things beside schemas. @throws {Error} when it is no schema */
  entryBelow(keyword: string, name: string): Test {
    return this.#below(this.map(keyword)?.[name], keyword, name);
  }

  /** What is wrong with a keyword, and where it stands. */
  fault(keyword: string, what: string): Error {
    return new Error(`the schema at #${this.location.pointer} has ${what} in ${keyword}`);
  }

  #read<T>(keyword: string, allowed: string, isAllowed: (value: unknown) => value is T): T | undefined {
    const value = this.schema[keyword];
    if (value === undefined || isAllowed(value)) {
      return value;
    }
    throw new Error(`the schema at #${this.location.pointer} has the keyword ${keyword}, which must be ${allowed}`);
  }

  #below(schema: unknown, keyword: string, key?: string): Test {
    const pointer = `${this.location.pointer}/${keyword}${key === undefined ? '' : `/${escapePointer(key)}`}`;
    return this.context.compileBelow({ schema, pointer, resource: this.location.resource }, keyword);
  }
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

/** True for a list of texts. */
export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}
