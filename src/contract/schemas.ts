import type { JsonObject } from '../syntax/json.ts';
import { TooMuchWork } from './schema/pattern-program.ts';
import { Run, WHOLE, type SchemaFault, type Target } from './schema/run.ts';
import { SchemaSet } from './schema/schema-set.ts';

export type { SchemaFault };

/** Looks at a value; `undefined` when it fits, otherwise what is wrong: the first faults, 50 at most. */
export type Check = (value: unknown) => readonly SchemaFault[] | undefined;

/**
 * Compiles schemas where they stand in the contract. What they look at is a caller's, and everyone else waits meanwhile:
 * so a check takes time and memory in proportion to the value, whatever the schemas say, and what cannot be checked so
 * is a fault of the contract.
 */
export class SchemaCompiler {
  readonly #schemas: SchemaSet;

  constructor(root: JsonObject) {
    this.#schemas = new SchemaSet(root);
  }

  /**
   * A check for parsed JSON.
   *
   * @param pointer where the schema stands in the contract
   * @throws {Error} when the schema itself is wrong
   */
  compile(pointer: string): Check {
    return toCheck(this.#schemas.at(pointer), false);
  }

  /** A check for a parameter, whose numbers and booleans arrive as texts: one, a list or a map of them. */
  compileParameter(pointer: string): Check {
    return toCheck(this.#schemas.at(pointer), true);
  }
}

function toCheck(schema: Target, coerces: boolean): Check {
  return (value) => {
    const run = new Run(coerces);
    try {
      return schema.test(value, run, undefined, undefined) ? undefined : explain(schema, value, run);
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

function explain(schema: Target, value: unknown, run: Run): readonly SchemaFault[] {
  schema.test(value, run, WHOLE, undefined);
  return run.faults;
}
