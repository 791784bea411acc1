import { formatOfTexts } from './formats.ts';
import { compilePattern, type MatchesPattern } from './pattern.ts';
import type { Test } from './run.ts';
import type { SchemaNode } from './schema-node.ts';

/** The keywords that look at texts (JSON Schema Validation 2020-12 §6.3 and §7). */
export function compileTextKeywords(node: SchemaNode): Test[] {
  const tests: Test[] = [];
  const [shortest, longest] = [node.count('minLength'), node.count('maxLength')];
  if (shortest !== undefined) {
    const detail = `must NOT have fewer than ${shortest} characters`;
    tests.push((value, run, at) => hasAtLeast(value as string, shortest) || run.fail(at, detail));
  }
  if (longest !== undefined) {
    const detail = `must NOT have more than ${longest} characters`;
    tests.push((value, run, at) => !hasAtLeast(value as string, longest + 1) || run.fail(at, detail));
  }
  const pattern = node.text('pattern');
  if (pattern !== undefined) {
    const matches = readPattern(node, 'pattern', pattern);
    const detail = `must match pattern "${pattern}"`;
    tests.push((value, run, at) => matches(value as string, run) || run.fail(at, detail));
  }
  const format = node.schema['format'];
  const isOfFormat = typeof format === 'string' && node.context.assertsFormats ? formatOfTexts(format) : undefined;
  if (isOfFormat !== undefined) {
    const detail = `must match format "${String(format)}"`;
    tests.push((value, run, at) => isOfFormat(value as string) || run.fail(at, detail));
  }
  return tests;
}

/** @throws {Error} that names the schema, when the pattern is none or cannot be looked for in linear time */
export function readPattern(node: SchemaNode, keyword: string, pattern: string): MatchesPattern {
  try {
    return compilePattern(pattern);
  } catch (error) {
    throw node.fault(keyword, `the pattern ${JSON.stringify(pattern)}, which ${(error as Error).message},`);
  }
}

/** Counts characters, not the two halves that JavaScript makes of some (JSON Schema Validation 2020-12 §6.3.1). */
function hasAtLeast(text: string, count: number): boolean {
  if (text.length < count || text.length >= 2 * count) {
    return text.length >= count;
  }
  let pairs = 0;
  for (let index = 0; index < text.length; index += 1) {
    if ((text.codePointAt(index) ?? 0) > 0xff_ff) {
      pairs += 1;
      index += 1;
    }
  }
  return text.length - pairs >= count;
}
