import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { gatewaySchema, toJsonSchema } from '../../src/config/schema.ts';

/** The part of a JSON Schema that gateway.yaml has. */
interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly anyOf?: readonly Node[];
  readonly items?: Node;
  readonly propertyNames?: unknown;
  readonly required?: readonly string[];
  readonly default?: unknown;
}

interface Key {
  readonly path: string;
  readonly isRequired: boolean;
  readonly default: unknown;
}

/** The keys that hold a value, by their paths; the names of downstreams are `{name}`. */
function listKeys(node: Node, path = '', isRequired = false): Key[] {
  const { properties, additionalProperties, anyOf = [] } = node;
  if (properties !== undefined) {
    return Object.entries(properties).flatMap(([name, child]) =>
      listKeys(child, path === '' ? name : `${path}.${name}`, node.required?.includes(name) === true),
    );
  }
  if (typeof additionalProperties === 'object' && additionalProperties.properties !== undefined) {
    return listKeys(additionalProperties, `${path}.{name}`);
  }
  const items = anyOf.flatMap((alternative) => (alternative.items?.properties ? [alternative.items] : []));
  return [{ path, isRequired, default: node.default }, ...items.flatMap((item) => listKeys(item, `${path}[]`))];
}

const rows = new Map(
  [
    ...readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8').matchAll(
      /^\| `([^`]+)` *\|([^|]*)\|/gm,
    ),
  ].map(([, key = '', byDefault = '']) => [key, byDefault.trim()]),
);
const ID = '72f988bf-86f1-41af-91ab-2d7cd011db47';
const SMALLEST = gatewaySchema.parse({
  contract: 'openapi.yaml',
  identity: { tenant: ID, clientId: ID, credential: { secret: 'secret' } },
  downstreams: {},
  nativeAuth: { clients: [ID] },
  mcp: {},
  authorizationService: {},
});
const keys = listKeys(toJsonSchema());

describe('docs/configuration.md', () => {
  it('lists every key of gateway.yaml, and no other', () => {
    expect([...rows.keys()].toSorted()).toEqual(keys.map(({ path }) => path).toSorted());
  });

  it.each(keys.filter((key) => key.default !== undefined && !isEmptyList(key)))(
    'says what $path is by default',
    ({ path, default: value }) => {
      expect(rows.get(path)).toBe(`\`${typeof value === 'string' ? value : JSON.stringify(value)}\``);
    },
  );

  it.each([...rows].filter(([, byDefault]) => /^`\d+`$/.test(byDefault)))(
    'says of the number %s what it is',
    (path, byDefault) => {
      expect(byDefault).toBe(`\`${String(valueAt(path.split('.'), SMALLEST))}\``);
    },
  );

  it.each(keys.filter(({ path, isRequired }) => isRequired && !path.startsWith('identity.credential.')))(
    'says that $path is required, unless its section is left out',
    ({ path }) => {
      expect(rows.get(path)).toBe(path === 'tokenCache.redis.url' ? '' : '_required_');
    },
  );
});

/** What a value of gateway.yaml has below a path. */
function valueAt(path: readonly string[], value: unknown): unknown {
  return path.reduce<unknown>((part, name) => (part as Record<string, unknown>)[name], value);
}

/** An empty list can stand for a default that depends on other keys. */
function isEmptyList({ default: value }: Key): boolean {
  return Array.isArray(value) && value.length === 0;
}
