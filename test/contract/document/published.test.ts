import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import type { Contract } from '../../../src/contract/contract.ts';
import { Authority } from '../../../src/entra/authority.ts';
import { publishContract } from '../../../src/http/contract-documents.ts';
import { documentWith, load, loadGood, operation, pathParameter, SCHEMES, type Node } from '../documents.ts';

/** The document that clients get. */
async function publish(document: Node): Promise<Node> {
  return publishOnly(await loadGood(document)) as Node;
}

/** The only document of a contract as clients get it. */
function publishOnly({ documents }: Contract): unknown {
  const texts = publishContract(
    { documents },
    {
      publicUrl: 'https://api.contoso.com',
      authority: new Authority('https://login.microsoftonline.com', 'common'),
    },
  );
  return JSON.parse(texts.get('/openapi.json')?.() ?? '');
}

/** The value at a path of keys. */
function valueAt(document: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>((node, key) => (node as Record<string | number, unknown>)[key], document);
}

/** A document whose only operation answers with this schema. */
function answering(schema: Node): Node {
  const responses = { '200': { description: 'Well.', content: { 'application/json': { schema } } } };
  return documentWith({ '/it': { get: operation({ responses }) } });
}

const SCHEMA = ['paths', '/it', 'get', 'responses', '200', 'content', 'application/json', 'schema'] as const;

describe('the published document has no x- keys', () => {
  it('at any level', async () => {
    const parameters = [pathParameter('rest', { 'x-multi-segment': true })];
    const published = await publish(
      documentWith(
        {
          'x-paths': 1,
          '/it/{rest}': {
            'x-item': 1,
            get: operation({ parameters, 'x-auth-context': 'c1', security: [{ user: [] }], 'x-y': { z: 1 } }),
          },
        },
        { 'x-root': [1], info: { title: 'A', version: '1', 'x-logo': 'a.png' }, tags: [{ name: 'a', 'x-order': 1 }] },
      ),
    );
    expect(JSON.stringify(published)).not.toContain('"x-');
    expect(valueAt(published, 'paths', '/it/{rest}', 'get', 'parameters', 0, 'name')).toBe('rest');
  });

  it('in a response, also in the one called default', async () => {
    const responses = {
      default: { description: 'Else.', 'x-internal': 1, headers: { 'x-total': { 'x-hint': 1, schema: {} } } },
    };
    const published = await publish(documentWith({ '/it': { get: operation({ responses }) } }));
    expect(valueAt(published, 'paths', '/it', 'get', 'responses')).toEqual({
      default: { description: 'Else.', headers: { 'x-total': { schema: {} } } },
    });
  });

  it('though the contract of the demo world is full of them', async () => {
    const { contract, lines } = await load(await readFile(new URL('../../../openapi.yaml', import.meta.url), 'utf8'));
    expect([lines, contract && JSON.stringify(publishOnly(contract)).includes('"x-')]).toEqual([[], false]);
  });
});

describe('the published document keeps what only looks like an extension', () => {
  it.each<[string, Node]>([
    ['a property', { type: 'object', properties: { 'x-foo': { type: 'string' } }, required: ['x-foo'] }],
    ['a property called properties', { type: 'object', properties: { properties: { type: 'string' } } }],
    [
      'a dependent property',
      { dependentRequired: { 'x-a': ['x-b'] }, dependentSchemas: { 'x-a': { type: 'object' } } },
    ],
    ['a definition', { $defs: { 'x-a': { type: 'string' } } }],
    ['an enumerated value', { enum: [{ 'x-a': 1 }], const: { 'x-a': 1 } }],
    ['a default', { default: { 'x-a': 1 } }],
    ['an example', { example: { 'x-a': 1 } }],
    ['one of several examples', { examples: [{ 'x-a': 1 }] }],
  ])('%s', async (_case, schema) => {
    expect(valueAt(await publish(answering(schema)), ...SCHEMA)).toEqual(schema);
  });

  it('names of components, headers, scopes and media types', async () => {
    const user = structuredClone(SCHEMES.user);
    const components = {
      securitySchemes: {
        user: {
          ...user,
          flows: { authorizationCode: { ...user.flows.authorizationCode, scopes: { 'x-scope': 'It' } } },
        },
      },
      schemas: { 'x-schema': { type: 'string' } },
      headers: { 'x-total': { schema: { type: 'integer' } } },
      parameters: { 'x-page': { name: 'x-page', in: 'header', schema: { type: 'integer' } } },
      responses: { 'x-gone': { description: 'Gone.' } },
      requestBodies: { 'x-body': { content: { 'x-world/x-3dmf': {} } } },
      examples: { 'x-example': { value: { 'x-a': 1 } } },
      links: { 'x-link': { operationId: 'it', parameters: { 'x-page': '$request.body#/page' } } },
      callbacks: { 'x-call': { '{$request.body#/url}': { description: 'A call.' } } },
      pathItems: { 'x-item': { description: 'An item.' } },
    };
    const published = await publish(documentWith({ '/it': { get: operation() } }, { components }));
    expect(published['components']).toEqual(components);
  });

  it('names of security schemes where they are asked for, lest a token look optional', async () => {
    const components = { securitySchemes: { 'x-user': SCHEMES.user } };
    const security = [{ 'x-user': ['api://gateway/Orders.Read'] }];
    const published = await publish(
      documentWith({ '/it': { get: operation({ security }) } }, { components, security }),
    );
    expect([published['security'], valueAt(published, 'paths', '/it', 'get', 'security')]).toEqual([
      security,
      security,
    ]);
  });
});

describe('the scopes of the contract', () => {
  it('are those that some operation asks for, each once', async () => {
    const read = { security: [{ user: ['api://gateway/Orders.Read'] }, { daemon: ['Admin'] }] };
    const { scopes, title } = await loadGood(documentWith({ '/a': { get: operation(read), put: operation(read) } }));
    expect([scopes, title]).toEqual([['api://gateway/Orders.Read'], 'A test']);
  });
});
