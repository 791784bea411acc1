import type { JsonObject } from '../../syntax/json.ts';
import type { SchemaDialect } from './dialect.ts';
import type { Outline } from './outline.ts';
import { TooMuchWork } from './pattern-program.ts';
import { Run, WHOLE, type SchemaFault, type Test } from './run.ts';
import { SchemaSet } from './schema-set.ts';
import { SchemaSource } from './schema-source.ts';
import { testTexts } from './text-readings.ts';

export type { Outline, SchemaDialect, SchemaFault };

/** Looks at a value; `undefined` when it fits, otherwise what is wrong: the first faults, 50 at most. */
export type Check = (value: unknown) => readonly SchemaFault[] | undefined;

/**
 * Compiles schemas where they stand in the contract. What they look at is a caller's, and everyone else waits meanwhile:
 * so a check takes time and memory in proportion to the value, whatever the schemas say, and what cannot be checked so
 * is a fault of the contract.
 */
export class SchemaCompiler {
  readonly #source: SchemaSource;
  readonly #bodies: SchemaSet;
  readonly #parameters: SchemaSet;

  /**
   * @param root the document that the schemas stand in
   * @param dialect how they are to be read; default: as OpenAPI 3.1 does, for requests, with formats that are checked
   */
  constructor(root: JsonObject, dialect: SchemaDialect = {}) {
    this.#source = new SchemaSource(root, dialect);
    this.#bodies = new SchemaSet(this.#source, false);
    this.#parameters = new SchemaSet(this.#source, true);
  }

  /**
   * A check for parsed JSON.
   *
   * @param pointer where the schema stands in the contract
   * @throws {Error} when the schema itself is wrong
   */
  compile(pointer: string): Check {
    return toCheck(this.#bodies.at(pointer).test);
  }

  /** A check for a parameter, whose numbers and booleans arrive as texts: one, a list or a map of them. */
  compileParameter(pointer: string): Check {
    const { test } = this.#parameters.at(pointer);
    return toCheck(testTexts(test, 'whole', this.outlineAt(pointer).kinds));
  }

  /**
   * What can be told of the values of a schema without a look at one.
   *
   * @param pointer as for {@link compile}
   * @throws {Error} when it, or one that it refers to, is nowhere
   */
  outlineAt(pointer: string): Outline {
    return this.#source.outlines.of(this.#source.locations.at(pointer));
  }
}

function toCheck(test: Test): Check {
  return (value) => {
    const run = new Run();
    try {
      return test(value, run, undefined, undefined) ? undefined : explain(test, value, run);
    } catch (error) {
      if (error instanceof RangeError) {
        // The value is nested more deeply than the stack is high.
        return [{ pointer: '', detail: 'is nested too deeply' }];
      }
      if (error instanceof TooMuchWork) {
        return [{ pointer: '', detail: 'is too long for the patterns that it must match' }];
      }
      throw error;
    }
  };
}

function explain(test: Test, value: unknown, run: Run): readonly SchemaFault[] {
  test(value, run, WHOLE, undefined);
  return run.faults;
}
