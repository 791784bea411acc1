import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from '@jest/globals';
import { load } from 'js-yaml';
import { FIRST_ORDER_ID } from '../../dev/demo-apis/order-book.ts';
import { startWorld } from '../../dev/world.ts';
import { SchemaCompiler } from '../../src/contract/schema/schemas.ts';

type Node = Readonly<Record<string, unknown>>;

const document = load(readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8')) as Node;

/** What a pointer such as `#/components/schemas/Order` leads to. */
function follow(node: Node): Node {
  const pointer = node['$ref'];
  return typeof pointer === 'string'
    ? pointer
        .slice(2)
        .split('/')
        .reduce<Node>((parent, key) => parent[key] as Node, document)
    : node;
}

function toNode(value: unknown): Node | undefined {
  return typeof value === 'object' && value !== null ? (value as Node) : undefined;
}

/** Every node of the document, with the way to it. */
function* walk(node: unknown, way = ''): Generator<{ readonly way: string; readonly node: Node }> {
  const inner = toNode(node);
  if (inner === undefined) {
    return;
  }
  yield { way, node: inner };
  for (const [key, value] of Object.entries(inner)) {
    if (key !== 'example' && key !== 'examples') {
      yield* walk(value, `${way}/${key}`);
    }
  }
}

const NODES = [...walk(document)];

/** A checker of values, for which the references lead into the document. */
function checkerOf(schema: Node): (value: unknown) => boolean {
  const check = new SchemaCompiler({ schema, components: document['components'] }).compile('/schema');
  return (value) => check(value) === undefined;
}

/** The examples of a parameter, a media type or a schema. */
function examplesOf(node: Node): unknown[] {
  const examples = node['examples'];
  return [...('example' in node ? [node['example']] : []), ...(Array.isArray(examples) ? (examples as unknown[]) : [])];
}

describe('openapi.yaml has an example', () => {
  it('of every parameter', () => {
    const without = NODES.filter(({ node }) => typeof node['in'] === 'string' && 'name' in node)
      .filter(({ node }) => examplesOf(node).length === 0)
      .map(({ way }) => way);
    expect(without).toEqual([]);
  });

  it('of every body of a request', () => {
    const contents = NODES.filter(({ way }) => way.endsWith('/requestBody/content')).flatMap(({ way, node }) =>
      Object.entries(node).map(([type, media]) => ({ way: `${way}/${type}`, media: media as Node })),
    );
    expect(contents.length).toBeGreaterThan(3);
    expect(contents.filter(({ media }) => examplesOf(media).length === 0).map(({ way }) => way)).toEqual([]);
  });

  it('of every member that must be there', () => {
    const without = NODES.flatMap(({ way, node }) => {
      const required = Array.isArray(node['required']) ? (node['required'] as string[]) : [];
      const properties = toNode(node['properties']) ?? {};
      return required
        .filter((name) => {
          const schema = follow(properties[name] as Node);
          return schema['type'] !== 'array' && examplesOf(schema).length === 0;
        })
        .map((name) => `${way}/${name}`);
    });
    expect(without).toEqual([]);
  });

  it('that fits its schema, each of them', () => {
    const wrong = NODES.flatMap(({ way, node }) => {
      const schema = toNode(node['schema']) ?? ('type' in node && !('in' in node) ? node : undefined);
      const examples = examplesOf(node);
      if (schema === undefined || examples.length === 0) {
        return [];
      }
      const check = checkerOf(schema);
      return examples.filter((example) => !check(example)).map((example) => `${way}: ${JSON.stringify(example)}`);
    });
    expect(wrong).toEqual([]);
  });
});

describe('what the demo APIs answer', () => {
  const world = startWorld();
  afterAll(async () => (await world).close());

  const order = { customer: 'Fabrikam', lines: [{ article: 'bolt', quantity: 40 }] };
  const payout = { orderId: FIRST_ORDER_ID, amount: 12.5 };

  it.each([
    ['get', '/status', '/status', undefined, 200],
    ['get', '/me', '/me', undefined, 200],
    ['get', '/me/messages', '/me/messages?$top=5', undefined, 200],
    ['get', '/orders', '/orders?limit=20', undefined, 200],
    ['post', '/orders', '/orders', order, 201],
    ['get', '/orders/{orderId}', `/orders/${FIRST_ORDER_ID}`, undefined, 200],
    ['put', '/orders/{orderId}', `/orders/${FIRST_ORDER_ID}`, order, 200],
    ['put', '/orders/{orderId}/attachment', `/orders/${FIRST_ORDER_ID}/attachment`, 'a file of any kind', 200],
    ['get', '/catalogue/{path}', '/catalogue/tools/hammers', undefined, 200],
    ['post', '/payouts', '/payouts', payout, 202],
    ['get', '/orders/{orderId}', '/orders/00000000-0000-4000-8000-000000000000', undefined, 404],
  ] as const)(
    'to %s %s is what its schema says, and holds nothing else',
    async (method, template, path, body, status) => {
      const { gatewayUrl, emulator } = await world;
      const isJson = typeof body === 'object';
      const response = await fetch(`${gatewayUrl}${path}`, {
        method: method.toUpperCase(),
        headers: {
          authorization: `Bearer ${emulator.issueAccessToken({ user: 'adele', acrs: ['c1'] })}`,
          ...(body === undefined ? {} : { 'content-type': isJson ? 'application/json' : 'application/octet-stream' }),
        },
        ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : body }),
      });
      const operation = ((document['paths'] as Node)[template] as Node)[method] as Node;
      const answer = follow((operation['responses'] as Node)[String(status)] as Node);
      const schema = ((answer['content'] as Node)['application/json'] as Node)['schema'] as Node;
      const content = (await response.json()) as Node;
      expect([response.status, checkerOf(schema)(content)]).toEqual([status, true]);
      const known = Object.keys((follow(schema)['properties'] as Node | undefined) ?? {});
      expect(Object.keys(content).filter((name) => !known.includes(name))).toEqual([]);
    },
  );
});
