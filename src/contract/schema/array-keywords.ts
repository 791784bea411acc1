import type { Test } from './run.ts';
import type { SchemaNode } from './schema-node.ts';

/** The keywords that look at arrays, but for `unevaluatedItems` (JSON Schema 2020-12 §10.3.1, Validation §6.4). */
export function compileArrayKeywords(node: SchemaNode): Test[] {
  const tests: Test[] = [];
  const [fewest, most] = [node.count('minItems'), node.count('maxItems')];
  if (fewest !== undefined) {
    const detail = `must NOT have fewer than ${fewest} items`;
    tests.push((value, run, at) => (value as unknown[]).length >= fewest || run.fail(at, detail));
  }
  if (most !== undefined) {
    const detail = `must NOT have more than ${most} items`;
    tests.push((value, run, at) => (value as unknown[]).length <= most || run.fail(at, detail));
  }
  if (node.schema['uniqueItems'] === true) {
    tests.push(hasUniqueItems);
  }
  return [...tests, ...compileItems(node), ...compileContains(node)];
}

const hasUniqueItems: Test = (value, run, at) => {
  const indexes = new Map<unknown, number>();
  const items = value as unknown[];
  const { identities } = run;
  for (let index = 0; index < items.length; index += 1) {
    const identity = identities.of(items[index]);
    const earlier = indexes.get(identity);
    if (earlier !== undefined) {
      return run.fail(at, `must NOT have duplicate items (items ## ${earlier} and ${index} are identical)`);
    }
    indexes.set(identity, index);
  }
  return true;
};

function compileItems(node: SchemaNode): Test[] {
  const prefix = node.listBelow('prefixItems') ?? [];
  if (Array.isArray(node.schema['items'])) {
    throw node.fault('items', 'a list, for which there is prefixItems (JSON Schema 2020-12, OpenAPI 3.1),');
  }
  const rest = node.below('items');
  if (prefix.length === 0 && rest === undefined) {
    return [];
  }
  const isClosed = node.schema['items'] === false;
  return [
    (value, run, at, seen) => {
      const items = value as unknown[];
      seen?.addItemsBefore(rest === undefined ? prefix.length : Number.POSITIVE_INFINITY);
      if (isClosed && items.length > prefix.length) {
        return run.fail(at, `must NOT have more than ${prefix.length} items`);
      }
      let fits = true;
      for (let index = 0; index < items.length; index += 1) {
        const test = prefix[index] ?? rest;
        if (test !== undefined && !test(items[index], run, at && { parent: at, key: index }, undefined)) {
          fits = false;
          if (!run.goesOn(at)) {
            return false;
          }
        }
      }
      return fits;
    },
  ];
}

function compileContains(node: SchemaNode): Test[] {
  const wanted = node.below('contains');
  const fewest = node.count('minContains') ?? 1;
  const most = node.count('maxContains') ?? Number.POSITIVE_INFINITY;
  if (wanted === undefined) {
    return [];
  }
  const detail =
    most === Number.POSITIVE_INFINITY
      ? `must contain at least ${fewest} valid item(s)`
      : `must contain at least ${fewest} and no more than ${most} valid item(s)`;
  return [
    (value, run, at, seen) => {
      let found = 0;
      const items = value as unknown[];
      for (let index = 0; index < items.length; index += 1) {
        if (wanted(items[index], run, undefined, undefined)) {
          found += 1;
          seen?.addItem(index);
          if (found > most || (found >= fewest && most === Number.POSITIVE_INFINITY && seen === undefined)) {
            break;
          }
        }
      }
      return (found >= fewest && found <= most) || run.fail(at, detail);
    },
  ];
}

/** `unevaluatedItems`, which comes after all other keywords of its schema (JSON Schema 2020-12 §11.2). */
export function compileUnevaluatedItems(node: SchemaNode): Test | undefined {
  const rest = node.below('unevaluatedItems');
  return (
    rest &&
    ((value, run, at, seen) => {
      const items = value as unknown[];
      let fits = true;
      for (let index = 0; index < items.length; index += 1) {
        const isSeen = seen?.hasItem(index) === true;
        if (!isSeen && !rest(items[index], run, at && { parent: at, key: index }, undefined)) {
          fits = false;
          if (!run.goesOn(at)) {
            return false;
          }
        }
      }
      seen?.addItemsBefore(Number.POSITIVE_INFINITY);
      return fits;
    })
  );
}
