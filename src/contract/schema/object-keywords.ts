import type { JsonObject } from '../../syntax/json.ts';
import { quote, type Place, type Run, type Test } from './run.ts';
import { isTexts, type SchemaNode } from './schema-node.ts';
import { readPattern } from './text-keywords.ts';

/** The keywords that look at objects, but for `unevaluatedProperties` (JSON Schema 2020-12 §10.3.2, Validation §6.5). */
export function compileObjectKeywords(node: SchemaNode): Test[] {
  return [
    ...compileSize(node),
    ...compileRequired(node),
    ...compileNames(node),
    ...compileMembers(node),
    ...compileDependencies(node),
  ];
}

function compileSize(node: SchemaNode): Test[] {
  const tests: Test[] = [];
  const [fewest, most] = [node.count('minProperties'), node.count('maxProperties')];
  if (fewest !== undefined) {
    const detail = `must NOT have fewer than ${fewest} properties`;
    tests.push((value, run, at) => Object.keys(value as object).length >= fewest || run.fail(at, detail));
  }
  if (most !== undefined) {
    const detail = `must NOT have more than ${most} properties`;
    tests.push((value, run, at) => Object.keys(value as object).length <= most || run.fail(at, detail));
  }
  return tests;
}

function compileRequired(node: SchemaNode): Test[] {
  // Written at a member that need not be there, it says what is so anyway.
  const names = node.schema['required'] === false ? [] : (node.texts('required') ?? []);
  const needed = names.filter((name) => node.context.canRequire(name));
  return needed.map((name): Test => {
    const detail = `must have required property '${name}'`;
    return (value, run, at) => Object.hasOwn(value as object, name) || run.fail(at, detail);
  });
}

function compileNames(node: SchemaNode): Test[] {
  const fits = node.below('propertyNames');
  if (fits === undefined) {
    return [];
  }
  return [
    (value, run, at) => {
      const wrong = Object.keys(value as object).find((name) => !fits(name, run, undefined, undefined));
      return wrong === undefined || run.fail(at, `must not have a property with the name ${quote(wrong)}`);
    },
  ];
}

function compileMembers(node: SchemaNode): Test[] {
  const declared = node.mapBelow('properties');
  const patterns = [...(node.mapBelow('patternProperties') ?? [])].map(([pattern, test]) => ({
    matches: readPattern(node, 'patternProperties', pattern),
    test,
  }));
  const others = node.below('additionalProperties');
  if (declared === undefined && patterns.length === 0 && others === undefined) {
    return [];
  }
  const isClosed = node.schema['additionalProperties'] === false;
  const testMember = (members: JsonObject, key: string, run: Run, at: Place | undefined): 'fits' | 'fails' | 'free' => {
    const test = declared?.get(key);
    let verdict: 'fits' | 'fails' | 'free' = 'free';
    if (test !== undefined) {
      verdict = test(members[key], run, at && { parent: at, key }, undefined) ? 'fits' : 'fails';
    }
    for (const pattern of patterns) {
      if (pattern.matches(key, run)) {
        const fits = pattern.test(members[key], run, at && { parent: at, key }, undefined);
        verdict = fits && verdict !== 'fails' ? 'fits' : 'fails';
      }
    }
    if (verdict !== 'free' || others === undefined) {
      return verdict;
    }
    const fits = isClosed
      ? run.fail(at, `must not have the property ${quote(key)}`)
      : others(members[key], run, at && { parent: at, key }, undefined);
    return fits ? 'fits' : 'fails';
  };
  return [
    (value, run, at, seen) => {
      const members = value as JsonObject;
      let fits = true;
      for (const key of Object.keys(members)) {
        const verdict = testMember(members, key, run, at);
        if (verdict === 'fails') {
          fits = false;
          if (!run.goesOn(at)) {
            return false;
          }
        }
        if (verdict !== 'free') {
          seen?.addKey(key);
        }
      }
      return fits;
    },
  ];
}

/** `dependentRequired` and `dependentSchemas`, and `dependencies`, which both were once. */
function compileDependencies(node: SchemaNode): Test[] {
  const tests: Test[] = [];
  for (const [name, needed] of Object.entries(node.map('dependentRequired') ?? {})) {
    if (!isTexts(needed)) {
      throw node.fault('dependentRequired', `something else than a list of names at ${quote(name)}`);
    }
    tests.push(...compileDependentRequired(name, needed));
  }
  for (const [name, test] of node.mapBelow('dependentSchemas') ?? []) {
    tests.push(onlyWith(name, test));
  }
  for (const [name, needed] of Object.entries(node.map('dependencies') ?? {})) {
    tests.push(
      ...(isTexts(needed)
        ? compileDependentRequired(name, needed)
        : [onlyWith(name, node.entryBelow('dependencies', name))]),
    );
  }
  return tests;
}

function compileDependentRequired(name: string, needed: readonly string[]): Test[] {
  return needed.map((other): Test => {
    const detail = `must have property ${other} when property ${name} is present`;
    return onlyWith(name, (value, run, at) => Object.hasOwn(value as object, other) || run.fail(at, detail));
  });
}

function onlyWith(name: string, test: Test): Test {
  return (value, run, at, seen) => !Object.hasOwn(value as object, name) || test(value, run, at, seen);
}

/** `unevaluatedProperties`, which comes after all other keywords of its schema (JSON Schema 2020-12 §11.3). */
export function compileUnevaluatedProperties(node: SchemaNode): Test | undefined {
  const others = node.below('unevaluatedProperties');
  const isClosed = node.schema['unevaluatedProperties'] === false;
  return (
    others &&
    ((value, run, at, seen) => {
      const members = value as JsonObject;
      let fits = true;
      for (const key of Object.keys(members)) {
        if (seen?.hasKey(key) === true) {
          continue;
        }
        const isFree = isClosed
          ? run.fail(at, `must not have the property ${quote(key)}`)
          : others(members[key], run, at && { parent: at, key }, undefined);
        if (!isFree) {
          fits = false;
          if (!run.goesOn(at)) {
            return false;
          }
        }
      }
      seen?.addAllKeys();
      return fits;
    })
  );
}
