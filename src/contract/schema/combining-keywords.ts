import { Evaluated } from './evaluated.ts';
import { isEqual } from './identity.ts';
import type { Place, Run, Test } from './run.ts';
import type { SchemaNode } from './schema-node.ts';

/** The keywords that look at any value (JSON Schema 2020-12 §10.2, Validation §6.1). */
export function compileCombiningKeywords(node: SchemaNode): Test[] {
  return [
    ...compileConstants(node),
    ...(node.listBelow('allOf') ?? []),
    ...compileAnyOf(node),
    ...compileOneOf(node),
    ...compileNot(node),
    ...compileIf(node),
  ];
}

function compileConstants(node: SchemaNode): Test[] {
  const tests: Test[] = [];
  const allowed = node.list('enum');
  if (allowed !== undefined) {
    const plain = new Set(allowed);
    const composite = allowed.filter((value) => typeof value === 'object' && value !== null);
    const detail = `must be one of ${listAllowed(allowed)}`;
    tests.push(
      (value, run, at) =>
        plain.has(value) || (composite.length > 0 && run.isListed(value, composite)) || run.fail(at, detail),
    );
  }
  if (Object.hasOwn(node.schema, 'const')) {
    const constant = node.schema['const'];
    tests.push((value, run, at) => isEqual(constant, value) || run.fail(at, 'must be equal to constant'));
  }
  return tests;
}

/** Characters of allowed values in a fault: a caller is not to get a megabyte for a wrong word. */
const MAX_LISTED = 1_000;

function listAllowed(allowed: readonly unknown[]): string {
  let listed = '';
  for (const [index, value] of allowed.entries()) {
    const longer = `${listed}${index === 0 ? '' : ', '}${JSON.stringify(value)}`;
    if (longer.length > MAX_LISTED) {
      return index === 0 ? `${allowed.length} values` : `${listed} and ${allowed.length - index} more`;
    }
    listed = longer;
  }
  return listed;
}

function compileAnyOf(node: SchemaNode): Test[] {
  const branches = node.listBelow('anyOf');
  if (branches === undefined) {
    return [];
  }
  return [
    (value, run, at, seen) => {
      const fits =
        seen === undefined
          ? branches.some((branch) => branch(value, run, undefined, undefined))
          : countFitting(branches, value, run, seen) > 0;
      return fits || failWithBranches(branches, value, run, at, 'must match a schema in anyOf');
    },
  ];
}

function compileOneOf(node: SchemaNode): Test[] {
  const branches = node.listBelow('oneOf');
  if (branches === undefined) {
    return [];
  }
  const detail = 'must match exactly one schema in oneOf';
  return [
    (value, run, at, seen) => {
      const count = countFitting(branches, value, run, seen);
      return count === 1 || (count > 1 ? run.fail(at, detail) : failWithBranches(branches, value, run, at, detail));
    },
  ];
}

function countFitting(branches: readonly Test[], value: unknown, run: Run, seen: Evaluated | undefined): number {
  return branches.filter((branch) => testApart(branch, value, run, seen)).length;
}

/** What a schema has looked at counts only when the value fits it. */
function testApart(test: Test, value: unknown, run: Run, seen: Evaluated | undefined): boolean {
  const evaluated = seen && new Evaluated();
  const fits = test(value, run, undefined, evaluated);
  if (fits && evaluated !== undefined) {
    seen?.add(evaluated);
  }
  return fits;
}

function failWithBranches(
  branches: readonly Test[],
  value: unknown,
  run: Run,
  at: Place | undefined,
  detail: string,
): false {
  for (const branch of branches) {
    if (!run.goesOn(at)) {
      return false;
    }
    branch(value, run, at, undefined);
  }
  return run.fail(at, detail);
}

function compileNot(node: SchemaNode): Test[] {
  const unwanted = node.below('not');
  return unwanted === undefined
    ? []
    : [(value, run, at) => !unwanted(value, run, undefined, undefined) || run.fail(at, 'must NOT be valid')];
}

function compileIf(node: SchemaNode): Test[] {
  const condition = node.below('if');
  if (condition === undefined) {
    return [];
  }
  const [consequence, alternative] = [node.below('then'), node.below('else')];
  return [
    (value, run, at, seen) => {
      const next = testApart(condition, value, run, seen) ? consequence : alternative;
      return next === undefined || next(value, run, at, seen);
    },
  ];
}
