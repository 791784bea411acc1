import type { QueryPair } from './query.ts';
import { decodeQueryText } from './query.ts';

/** Deeper than this nobody nests, and some servers read no more. */
const MAX_LEVELS = 5;

/** Texts of one name, or what stands below it. */
type Branch = Map<string, Branch | string[]>;

/** What `name[a]=1&name[b][]=2` stands for; `undefined` when the query has nothing of it. */
export type DeepObject = { readonly value: unknown } | { readonly fault: string } | undefined;

/**
 * Reads the style `deepObject`. OpenAPI says only how flat maps are written; lists and maps in them are read as the clients
 * write them: `name[a]=1&name[a]=2`, `name[a][]=1`, `name[a][0]=1` and `name[a][b]=1`.
 */
export function readDeepObject(name: string, query: readonly QueryPair[]): DeepObject {
  const tree: Branch = new Map();
  const prefix = `${name}[`;
  for (const [key, value] of query) {
    if (!key.startsWith(prefix)) {
      continue;
    }
    const path = readPath(key.slice(name.length));
    if (path === undefined) {
      return { fault: `must be written as ${name}[member], with at most ${MAX_LEVELS} brackets` };
    }
    if (!plant(tree, path, decodeQueryText(value))) {
      return { fault: 'must not have a member that is both a value and a map' };
    }
  }
  return tree.size === 0 ? undefined : { value: harvest(tree) };
}

/** The names in `[a][b]`. */
function readPath(brackets: string): string[] | undefined {
  if (!brackets.endsWith(']')) {
    return undefined;
  }
  const names = brackets.slice(1, -1).split('][', MAX_LEVELS + 1);
  return names.length > MAX_LEVELS || names.some((name) => /[[\]]/.test(name)) ? undefined : names;
}

function plant(tree: Branch, path: readonly string[], text: string): boolean {
  let branch = tree;
  for (const name of path.slice(0, -1)) {
    const next = branch.get(name) ?? new Map<string, Branch | string[]>();
    if (Array.isArray(next)) {
      return false;
    }
    branch.set(name, next);
    branch = next;
  }
  const name = path.at(-1) ?? '';
  const texts = branch.get(name);
  if (texts === undefined) {
    branch.set(name, [text]);
    return true;
  }
  return Array.isArray(texts) && texts.push(text) > 0;
}

function harvest(node: Branch | string[]): unknown {
  if (Array.isArray(node)) {
    return node.length === 1 ? node[0] : node;
  }
  const items = node.get('');
  return node.size === 1 && Array.isArray(items)
    ? items
    : Object.fromEntries([...node].map(([name, child]) => [name, harvest(child)]));
}
