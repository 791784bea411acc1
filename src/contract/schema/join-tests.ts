import { Evaluated } from './evaluated.ts';
import type { Place, Run, Test } from './run.ts';
import { isOfType, kindOf, type Kind } from './value-types.ts';

/** The tests of one schema, by the kind of value that they look at. */
export interface SchemaTests extends Readonly<
  Record<'number' | 'string' | 'array' | 'object' | 'any', readonly Test[]>
> {
  readonly types: readonly string[] | undefined;
  /** True when `null` fits, whatever else the schema says. */
  readonly allowsNull: boolean;
  readonly unevaluated: { readonly [K in Kind]?: Test | undefined };
}

/** The test of a whole schema. */
export function joinTests({ types, allowsNull, unevaluated, any, ...parts }: SchemaTests): Test {
  const tests: Readonly<Record<Kind, readonly Test[]>> = {
    number: [...parts.number, ...any],
    string: [...parts.string, ...any],
    array: [...parts.array, ...any],
    object: [...parts.object, ...any],
    boolean: any,
    null: allowsNull ? [] : any,
  };
  const detail = `must be ${types?.join(',')}`;
  return (value, run, at, seen) => {
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
