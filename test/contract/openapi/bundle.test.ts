import { execFile } from 'node:child_process';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { readDocument } from '../../../src/contract/document/document.ts';
import { SchemaCompiler } from '../../../src/contract/schema/schemas.ts';
import type { ConfigFault } from '../../../src/failures.ts';
import { escapePointer } from '../../../src/syntax/json.ts';
import { read, withFolder } from '../document-folder.ts';
import { documentWith, operation, type Node } from '../documents.ts';

type Files = Readonly<Record<string, Node | string>>;

const TEXT = { type: 'string' };

/** A document whose `POST /it` has a body of a schema. */
function withBody(schema: Node, changes: Node = {}): Node {
  const requestBody = { content: { 'application/json': { schema } } };
  return documentWith({ '/it': { post: operation({ requestBody }) } }, { components: undefined, ...changes });
}

/** Reads a document that is good, and returns its root. */
async function bundleGood(files: Files): Promise<Node> {
  const { document, lines } = await read(files);
  if (document === undefined) {
    throw new Error(lines.join('\n'));
  }
  return document.root;
}

/** The value at a path of keys. */
function valueAt(document: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>((node, key) => (node as Record<string | number, unknown> | undefined)?.[key], document);
}

const BODY_SCHEMA = ['paths', '/it', 'post', 'requestBody', 'content', 'application/json', 'schema'] as const;

describe('a schema in another file becomes a component', () => {
  it.each<[string, string, Files, string, unknown]>([
    ['a part of a file', './schemas/order.yaml#/Order', { 'schemas/order.yaml': { Order: TEXT } }, 'Order', TEXT],
    ['a whole file', './schemas/order.yaml', { 'schemas/order.yaml': TEXT }, 'order', TEXT],
    ['JSON in YAML and the other way round', 'order.json', { 'order.json': 'type: string\n' }, 'order', TEXT],
    [
      'a name with percent-encodings',
      './my%20files/%C3%A4.yaml#/a~1b%20c',
      { 'my files/ä.yaml': { 'a/b c': TEXT } },
      'a_b_c',
      TEXT,
    ],
    ['a file in the same folder by a detour', './a/../order.yaml#/X', { 'order.yaml': { X: TEXT } }, 'X', TEXT],
    [
      'a schema that has a name',
      'order.yaml#item',
      { 'order.yaml': { default: { $anchor: 'item' }, items: { $id: 'a', $anchor: 'item' }, X: { $anchor: 'item' } } },
      'X',
      { $anchor: 'item' },
    ],
    ['a schema that is true or false', 'order.yaml#/Any', { 'order.yaml': { Any: false } }, 'Any', false],
    [
      'a part of another document',
      'other.yaml#/components/schemas/A',
      { 'other.yaml': documentWith({}, { components: { schemas: { A: TEXT } } }) },
      'A',
      TEXT,
    ],
  ])('%s', async (_case, $ref, files, name, schema) => {
    const root = await bundleGood({ 'openapi.yaml': withBody({ $ref }), ...files });
    expect([valueAt(root, ...BODY_SCHEMA), root['components']]).toEqual([
      { $ref: `#/components/schemas/${name}` },
      { schemas: { [name]: schema } },
    ]);
  });

  it('once, with those that it leads to, relative to where it stands', async () => {
    const root = await bundleGood({
      'openapi.yaml': withBody({ anyOf: [{ $ref: 'schemas/order.yaml' }, { $ref: './schemas/order.yaml#' }] }),
      'schemas/order.yaml': {
        properties: { id: { $ref: '#/$defs/Id' }, lines: { items: { $ref: 'line.yaml#/Line' } } },
        $defs: { Id: TEXT },
      },
      'schemas/line.yaml': { Line: { properties: { of: { $ref: './order.yaml' }, parent: { $ref: '#/Line' } } } },
    });
    expect(valueAt(root, ...BODY_SCHEMA)).toEqual({
      anyOf: [{ $ref: '#/components/schemas/order' }, { $ref: '#/components/schemas/order' }],
    });
    expect(valueAt(root, 'components', 'schemas')).toEqual({
      order: {
        properties: {
          id: { $ref: '#/components/schemas/Id' },
          lines: { items: { $ref: '#/components/schemas/Line' } },
        },
        $defs: { Id: TEXT },
      },
      Line: {
        properties: { of: { $ref: '#/components/schemas/order' }, parent: { $ref: '#/components/schemas/Line' } },
      },
      Id: TEXT,
    });
  });

  it('under a name of its own when another has it', async () => {
    const root = await bundleGood({
      'openapi.yaml': withBody({ $ref: 'a.yaml#/A' }, { components: { schemas: { A: { type: 'integer' } } } }),
      'a.yaml': { A: TEXT },
    });
    expect(root['components']).toEqual({ schemas: { A: { type: 'integer' }, A_2: TEXT } });
  });

  it('and leads back into the main file', async () => {
    const root = await bundleGood({
      'openapi.yaml': withBody({ $ref: 'a.yaml' }, { components: { schemas: { Id: TEXT } } }),
      'a.yaml': { items: { $ref: 'openapi.yaml#/components/schemas/Id' } },
    });
    expect(valueAt(root, 'components', 'schemas', 'a')).toEqual({ items: { $ref: '#/components/schemas/Id' } });
  });

  it('in the place of the component that refers to it', async () => {
    const root = await bundleGood({
      'openapi.yaml': withBody(
        { $ref: '#/components/schemas/Order' },
        { components: { schemas: { Order: { $ref: 'a.yaml' }, Line: { $ref: 'b.yaml' } } } },
      ),
      'a.yaml': { items: { $ref: 'b.yaml' } },
      'b.yaml': { items: { $ref: 'a.yaml' } },
    });
    expect(root['components']).toEqual({
      schemas: {
        Order: { items: { $ref: '#/components/schemas/Line' } },
        Line: { items: { $ref: '#/components/schemas/Order' } },
      },
    });
  });

  it('but not when a reference and more stand there, which count both', async () => {
    const root = await bundleGood({
      'openapi.yaml': withBody(
        { $ref: '#/components/schemas/A' },
        { components: { schemas: { A: { $ref: 'a.yaml' } } } },
      ),
      'a.yaml': { $ref: 'b.yaml', minLength: 1 },
      'b.yaml': { maxLength: 5 },
    });
    expect(root['components']).toEqual({
      schemas: {
        A: { $ref: '#/components/schemas/a' },
        a: { $ref: '#/components/schemas/b', minLength: 1 },
        b: { maxLength: 5 },
      },
    });
  });
});

describe('what else stands in other files', () => {
  it('becomes a component of its kind', async () => {
    const parts = {
      'parts.yaml': {
        page: { name: 'page', in: 'query', schema: { $ref: '#/Page' } },
        Page: { type: 'integer' },
        body: { content: { 'application/json': { examples: { one: { $ref: '#/example' } } } } },
        example: { value: { $ref: '#/nowhere' } },
        gone: { headers: { 'x-a': { $ref: '#/header' } } },
        header: { schema: TEXT },
      },
    };
    const changes = {
      parameters: [{ $ref: 'parts.yaml#/page' }],
      requestBody: { $ref: 'parts.yaml#/body' },
      responses: { '410': { $ref: 'parts.yaml#/gone' } },
    };
    const root = await bundleGood({
      'openapi.yaml': documentWith({ '/it': { put: operation(changes) } }, { components: undefined }),
      ...parts,
    });
    expect(root['components']).toEqual({
      parameters: { page: { name: 'page', in: 'query', schema: { $ref: '#/components/schemas/Page' } } },
      requestBodies: {
        body: { content: { 'application/json': { examples: { one: { $ref: '#/components/examples/example' } } } } },
      },
      responses: { gone: { headers: { 'x-a': { $ref: '#/components/headers/header' } } } },
      schemas: { Page: { type: 'integer' } },
      examples: { example: { value: { $ref: '#/nowhere' } } },
      headers: { header: { schema: TEXT } },
    });
  });

  const ORDERS = { get: operation({ operationId: 'listOrders', requestBody: { $ref: 'parts.yaml#/body' } }) };
  const PARTS = { 'paths/orders.yaml': ORDERS, 'paths/parts.yaml': { body: { content: {} } } };

  it.each([
    ['3.0.3', { requestBodies: { body: { content: {} } } }],
    ['3.1.0', { requestBodies: { body: { content: {} } }, pathItems: { orders: expect.anything() } }],
  ])('a path item, which %s has a component for or not', async (openapi, components) => {
    const root = await bundleGood({
      'openapi.yaml': documentWith({ '/orders': { $ref: 'paths/orders.yaml' } }, { openapi, components: undefined }),
      ...PARTS,
    });
    const item = (valueAt(root, 'components', 'pathItems', 'orders') ?? valueAt(root, 'paths', '/orders')) as Node;
    expect(root['components']).toEqual(components);
    expect(valueAt(item, 'get', 'requestBody')).toEqual({ $ref: '#/components/requestBodies/body' });
  });

  it('a path item with more beside its reference is written out', async () => {
    const root = await bundleGood({
      'openapi.yaml': documentWith(
        {
          '/orders': { $ref: 'paths/orders.yaml', put: operation() },
          '/own': { $ref: '#/components/pathItems/Own', put: operation() },
        },
        { components: { pathItems: { Own: { get: operation({ operationId: 'own' }) } } } },
      ),
      ...PARTS,
    });
    expect([
      Object.keys(valueAt(root, 'paths', '/orders') as Node),
      Object.keys(valueAt(root, 'paths', '/own') as Node),
    ]).toEqual([
      ['put', 'get'],
      ['put', 'get'],
    ]);
  });

  it('a path item that says the same thing twice is a fault', async () => {
    const { lines } = await read({
      'openapi.yaml': documentWith({ '/orders': { $ref: 'paths/orders.yaml', get: operation() } }),
      ...PARTS,
    });
    expect(lines).toEqual([
      'contract /orders: has get both beside its $ref and where that leads; OpenAPI does not say which of them counts',
    ]);
  });

  it('whole maps and operations, as other tools write them', async () => {
    const root = await bundleGood({
      'openapi.yaml': documentWith(
        { '/it': { get: { $ref: 'get.yaml' } } },
        { components: { schemas: { $ref: 'schemas/index.yaml' } } },
      ),
      'get.yaml': operation({ requestBody: { content: { 'a/b': { schema: { $ref: 'schemas/a.yaml' } } } } }),
      'schemas/index.yaml': { A: { $ref: 'a.yaml' } },
      'schemas/a.yaml': TEXT,
    });
    expect(root['components']).toEqual({ schemas: { A: TEXT } });
    expect(valueAt(root, 'paths', '/it', 'get', 'requestBody', 'content', 'a/b', 'schema')).toEqual({
      $ref: '#/components/schemas/A',
    });
  });

  it('members of a map that is a file of its own, wherever they are referred to', async () => {
    const root = await bundleGood({
      'openapi.yaml': withBody(
        { $ref: 'schemas/index.yaml#/Order' },
        { components: { schemas: { $ref: 'schemas/index.yaml', Id: { type: 'integer' } } } },
      ),
      'schemas/index.yaml': {
        Order: { properties: { id: { $ref: '#/Id' }, line: { $ref: '#/Line' } } },
        Line: { $ref: 'line.yaml' },
        Id: TEXT,
      },
      'schemas/line.yaml': { items: { $ref: './index.yaml#/Order' } },
    });
    expect([valueAt(root, ...BODY_SCHEMA), root['components']]).toEqual([
      { $ref: '#/components/schemas/Order' },
      {
        schemas: {
          Id: { type: 'integer' },
          // A schema of that name stands in the document itself.
          Id_2: TEXT,
          Order: {
            properties: { id: { $ref: '#/components/schemas/Id_2' }, line: { $ref: '#/components/schemas/Line' } },
          },
          Line: { items: { $ref: '#/components/schemas/Order' } },
        },
      },
    ]);
  });

  it('targets of a discriminator', async () => {
    const mapping = { dog: 'dog.yaml', cat: '#/components/schemas/Cat', ant: 'Ant', elk: 'no.yaml' };
    const root = await bundleGood({
      'openapi.yaml': withBody({ oneOf: [{ $ref: 'dog.yaml' }], discriminator: { propertyName: 'is', mapping } }),
      'dog.yaml': {},
    });
    expect(valueAt(root, ...BODY_SCHEMA, 'discriminator', 'mapping')).toEqual({
      ...mapping,
      dog: '#/components/schemas/dog',
    });
  });
});

describe('a reference within a schema that has an address leads', () => {
  it.each<[string, string, Node, string]>([
    [
      'to the file beside it that has the address',
      'https://a.example/schemas/order.json',
      { $id: 'https://a.example/schemas/line.json', ...TEXT },
      'line.json#',
    ],
    ['to one whose address is relative, too', 'order.json', { $id: 'line.json', ...TEXT }, 'line.json#'],
    ['to the file beside it that has none', 'https://a.example/order.json', TEXT, '#/components/schemas/line'],
  ])('%s', async (_case, $id, line, $ref) => {
    const root = await bundleGood({
      'openapi.yaml': withBody({ $ref: 'schemas/order.json' }),
      'schemas/order.json': { $id, items: { $ref: 'line.json#' }, contains: { $ref: '#/$defs/A' }, $defs: { A: {} } },
      'schemas/line.json': line,
    });
    expect(root['components']).toEqual({
      schemas: { order: { $id, items: { $ref }, contains: { $ref: '#/$defs/A' }, $defs: { A: {} } }, line },
    });
    expect(() => new SchemaCompiler(root).compile(`/${BODY_SCHEMA.map(escapePointer).join('/')}`)).not.toThrow();
  });
});

describe('a reference is no reference to a file', () => {
  it('when a schema of the document has that address', async () => {
    const schemas = { A: { $id: 'https://a.example/a', items: { $ref: 'b' } }, B: { $id: 'https://a.example/b' } };
    const schema = { $ref: 'https://a.example/a' };
    const root = await bundleGood({ 'openapi.yaml': withBody(schema, { components: { schemas } }) });
    expect([valueAt(root, ...BODY_SCHEMA), root['components']]).toEqual([schema, { schemas }]);
  });

  it('when it means the schema of schemas', async () => {
    const schema = { $ref: 'https://json-schema.org/draft/2020-12/schema' };
    const root = await bundleGood({ 'openapi.yaml': withBody(schema) });
    expect(valueAt(root, ...BODY_SCHEMA)).toEqual(schema);
  });

  it('when a schema of another file has that address', async () => {
    const schema = { $ref: 'https://a.example/a' };
    const root = await bundleGood({
      'openapi.yaml': withBody(schema, { components: { schemas: { A: { $ref: 'a.yaml' } } } }),
      'a.yaml': { $id: 'https://a.example/a', items: { $ref: '#/$defs/B' }, $defs: { B: { type: 'integer' } } },
    });
    expect(valueAt(root, ...BODY_SCHEMA)).toEqual(schema);
  });

  it.each<[string, Node]>([
    ['in an example', { example: { $ref: 'no.yaml' } }],
    ['in a default', { default: { $ref: 'no.yaml' } }],
    ['in an extension', { 'x-it': { $ref: 'no.yaml' } }],
    ['as the name of a property', { properties: { $ref: { const: 'no.yaml' } } }],
  ])('%s', async (_case, schema) => {
    expect(valueAt(await bundleGood({ 'openapi.yaml': withBody(schema) }), ...BODY_SCHEMA)).toEqual(schema);
  });

  it('by $self, which says what the references of a document are relative to', async () => {
    const main = withBody(
      {
        anyOf: [{ $ref: 'https://a.example/api/parts/a.yaml#/A' }, { $ref: '/api/openapi.yaml#/components/schemas/B' }],
      },
      { openapi: '3.2.0', $self: 'https://a.example/api/openapi.yaml', components: { schemas: { B: {} } } },
    );
    const root = await bundleGood({
      'openapi.yaml': main,
      'parts/a.yaml': { A: { items: { $ref: '../openapi.yaml#/components/schemas/B' } } },
    });
    expect([valueAt(root, ...BODY_SCHEMA, 'anyOf'), valueAt(root, 'components', 'schemas', 'A')]).toEqual([
      [{ $ref: '#/components/schemas/A' }, { $ref: '#/components/schemas/B' }],
      { items: { $ref: '#/components/schemas/B' } },
    ]);
  });
});

describe('a reference that cannot be followed is a fault with its place', () => {
  const PLACE = 'contract POST /it /requestBody/content/application~1json/schema';
  const OUTSIDE = 'leaves the document, and is no file in the folder of the contract';

  it.each<[string, string]>([
    ['../order.yaml', OUTSIDE],
    ['a/../../order.yaml', OUTSIDE],
    ['%2e%2e/order.yaml', OUTSIDE],
    ['..%2forder.yaml', OUTSIDE],
    ['/etc/hostname', OUTSIDE],
    ['//a.example/order.yaml', OUTSIDE],
    ['https://a.example/order.yaml', OUTSIDE],
    ['file:///etc/hostname', OUTSIDE],
    ['a.yaml?b', OUTSIDE],
    ['http://[', 'is no address'],
    ['no.yaml', 'leads to a file that cannot be read (ENOENT)'],
    ['a.yaml#/B', 'leads nowhere'],
    ['a.yaml#/A/type', 'leads to what is no object'],
    ['a.yaml#A', 'is no pointer, which begins with #/'],
    ['a.yaml#/%', 'has a % that encodes nothing'],
  ])('%s', async ($ref, problem) => {
    const { lines } = await read({ 'openapi.yaml': withBody({ $ref }), 'a.yaml': { A: TEXT } });
    expect(lines).toEqual([`${PLACE}: the reference ${$ref} ${problem}`]);
  });

  it.each<[string, string, string]>([
    ['that is no YAML', 'a: 1\nb: ]\n', 'the file a.yaml:2 cannot be read as YAML from here on'],
    ['of another version', 'openapi: 3.0.0\n', 'the file a.yaml is OpenAPI 3.0, and the contract is 3.1'],
    ['of Swagger', 'swagger: "2.0"\n', 'the file a.yaml is Swagger 2.0'],
    [
      'of settings, which may hold secrets',
      'identity: { credential: { secret: a } }\ndownstreams: {}\n',
      'the file a.yaml is a gateway.yaml, of which nothing becomes a part of a contract',
    ],
  ])('to a file %s', async (_case, text, problem) => {
    const { lines } = await read({ 'openapi.yaml': withBody({ $ref: 'a.yaml' }), 'a.yaml': text });
    expect(lines).toEqual([expect.stringContaining(`${PLACE}: ${problem}`)]);
  });

  it('to a folder', async () => {
    const { lines } = await read({ 'openapi.yaml': withBody({ $ref: 'a' }), 'a/b.yaml': {} });
    expect(lines).toEqual([`${PLACE}: the reference a leads to what is no file`]);
  });

  it('to a named pipe, in which nobody writes', async () => {
    const lines = await withFolder({ 'openapi.yaml': withBody({ $ref: 'pipe.yaml' }) }, async (folder) => {
      await promisify(execFile)('mkfifo', [join(folder, 'pipe.yaml')]);
      const faults: ConfigFault[] = [];
      await readDocument(join(folder, 'openapi.yaml'), faults);
      return faults.map(({ at, message }) => `${at}: ${message}`);
    });
    expect(lines).toEqual([`${PLACE}: the reference pipe.yaml leads to what is no file`]);
  });

  it('in another file, which is named', async () => {
    const { lines } = await read({
      'openapi.yaml': withBody({ $ref: 'schemas/a.yaml#/A' }),
      'schemas/a.yaml': { A: { items: { $ref: '#/B' } } },
    });
    expect(lines).toEqual(['contract schemas/a.yaml#/A/items: the reference #/B leads nowhere']);
  });

  it('in a whole file', async () => {
    const { lines } = await read({
      'openapi.yaml': withBody({ $ref: 'schemas/a.yaml' }),
      'schemas/a.yaml': { items: { $ref: 'no.yaml' } },
    });
    expect(lines).toEqual([
      'contract schemas/a.yaml#/items: the reference no.yaml leads to a file that cannot be read (ENOENT)',
    ]);
  });

  it('as is what is wrong in another file', async () => {
    const { lines } = await read({
      'openapi.yaml': documentWith({ '/it': { get: operation({ parameters: [{ $ref: 'a.yaml#/A' }] }) } }),
      'a.yaml': { A: { name: 'a', in: 'body', schema: {} } },
    });
    expect(lines).toEqual(['contract a.yaml#/A/in: must be one of path, query, header, cookie; found "body"']);
  });

  it('out of the folder by a symbolic link, but not to a file of it', async () => {
    const lines = await withFolder(
      {
        'in/openapi.yaml': withBody({ anyOf: ['out', 'in'].map((name) => ({ $ref: `${name}.yaml` })) }),
        'in/real.yaml': TEXT,
      },
      async (folder) => {
        await writeFile(join(folder, 'secret.yaml'), 'type: string');
        await symlink('../secret.yaml', join(folder, 'in/out.yaml'));
        await symlink('real.yaml', join(folder, 'in/in.yaml'));
        const faults: ConfigFault[] = [];
        await readDocument(join(folder, 'in/openapi.yaml'), faults);
        return faults.map(({ at, message }) => `${at}: ${message}`);
      },
    );
    expect(lines).toEqual([
      `${PLACE}/anyOf/0: the reference out.yaml leads out of the folder of the contract by a symbolic link`,
    ]);
  });

  it.each<[string, Files]>([
    [
      'parameters',
      {
        'openapi.yaml': documentWith({ '/it': { parameters: [{ $ref: 'a.yaml' }] } }),
        'a.yaml': { $ref: 'b.yaml' },
        'b.yaml': { $ref: 'a.yaml' },
      },
    ],
    [
      'path items',
      {
        'openapi.yaml': documentWith({ '/it': { $ref: 'a.yaml' } }),
        'a.yaml': { $ref: 'b.yaml' },
        'b.yaml': { $ref: 'a.yaml' },
      },
    ],
  ])('round in circles over files: %s', async (_case, files) => {
    const { lines } = await read(files);
    expect(lines).not.toEqual([]);
    expect(new Set(lines.map((line) => line.endsWith('goes round in circles')))).toEqual(new Set([true]));
  });

  it('round in circles of path items, which 3.0 can only write out', async () => {
    const item = { get: operation({ callbacks: { on: { '{$url}': { $ref: 'a.yaml' } } } }) };
    const main = documentWith({ '/it': { $ref: 'a.yaml' } }, { openapi: '3.0.0' });
    const { lines } = await read({ 'openapi.yaml': main, 'a.yaml': item });
    expect(lines).toEqual([
      'contract openapi.yaml: has references to path items that go round in circles, for which it has no components',
    ]);
  });
});
