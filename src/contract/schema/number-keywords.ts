import { compileMultiple } from './is-multiple.ts';
import type { Test } from './run.ts';
import type { SchemaNode } from './schema-node.ts';
import { formatOfNumbers } from './formats.ts';

/** The keywords that look at numbers (JSON Schema Validation 2020-12 §6.2). */
export function compileNumberKeywords(node: SchemaNode): Test[] {
  const tests: Test[] = [];
  const limit = (keyword: string, sign: string, fits: (value: number, bound: number) => boolean): void => {
    const bound = node.number(keyword);
    if (bound !== undefined) {
      const detail = `must be ${sign} ${bound}`;
      tests.push((value, run, at) => fits(value as number, bound) || run.fail(at, detail));
    }
  };
  limit('minimum', '>=', (value, bound) => value >= bound);
  limit('maximum', '<=', (value, bound) => value <= bound);
  limit('exclusiveMinimum', '>', (value, bound) => value > bound);
  limit('exclusiveMaximum', '<', (value, bound) => value < bound);
  const divisor = node.number('multipleOf');
  if (divisor !== undefined) {
    if (divisor <= 0) {
      throw node.fault('multipleOf', `${divisor}, which has no multiples,`);
    }
    const detail = `must be multiple of ${divisor}`;
    const isMultiple = compileMultiple(divisor);
    tests.push((value, run, at) => isMultiple(value as number) || run.fail(at, detail));
  }
  const format = node.schema['format'];
  const isOfFormat = typeof format === 'string' && node.context.assertsFormats ? formatOfNumbers(format) : undefined;
  if (isOfFormat !== undefined) {
    tests.push(
      (value, run, at) => isOfFormat(value as number) || run.fail(at, `must match format "${String(format)}"`),
    );
  }
  return tests;
}
