import type { ConfigFault } from '../failures.ts';

/** The environment as `process.env` gives it. */
export type Environment = Readonly<Record<string, string | undefined>>;

const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/**
 * Replaces every `${NAME}` in the texts of a parsed YAML tree. It runs after the YAML parser, so that no value of the
 * environment can change the structure of the file.
 *
 * @param faults gets one entry for each variable that is not set
 */
export function substituteEnvironment(tree: unknown, env: Environment, faults: ConfigFault[], at = ''): unknown {
  if (typeof tree === 'string') {
    return tree.replaceAll(REFERENCE, (reference, name: string) => {
      const value = env[name];
      if (value === undefined) {
        faults.push({ at, message: `the environment variable ${name} is not set` });
      }
      return value ?? reference;
    });
  }
  if (Array.isArray(tree)) {
    return tree.map((item, index) => substituteEnvironment(item, env, faults, joinPath(at, index)));
  }
  if (typeof tree === 'object' && tree !== null) {
    return Object.fromEntries(
      Object.entries(tree).map(([key, value]) => [key, substituteEnvironment(value, env, faults, joinPath(at, key))]),
    );
  }
  return tree;
}

/** Writes the path of a key as messages show it: `downstreams.graph.scopes[0]`. */
export function joinPath(parent: string, key: PropertyKey): string {
  if (typeof key === 'number') {
    return `${parent}[${key}]`;
  }
  return parent === '' ? String(key) : `${parent}.${String(key)}`;
}
