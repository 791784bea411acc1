import { describe, expect, it } from '@jest/globals';
import { read } from '../document-folder.ts';
import { documentWith, operation, pathParameter, type Node } from '../documents.ts';

/** What is wrong with a document. */
async function linesOf(document: Node): Promise<readonly string[]> {
  return (await read({ 'openapi.yaml': document })).lines;
}

/** What is wrong with `GET /it`. */
function faultsOfOperation(changes: Node, root: Node = {}): Promise<readonly string[]> {
  return linesOf(documentWith({ '/it': { get: operation(changes) } }, root));
}

const SCHEMA = { schema: { type: 'string' } };

describe('a fault of the structure names its place', () => {
  it.each<[string, Node, string]>([
    ['no info', { ...documentWith({}), info: undefined }, 'contract openapi.yaml: has no info'],
    [
      'a version that is a number',
      documentWith({}, { info: { title: 'A', version: 1 } }),
      'contract openapi.yaml#/info/version: must be a text; found 1',
    ],
    ['paths that are a list', documentWith([] as never), 'contract openapi.yaml#/paths: must be an object; found []'],
    [
      'a path without a slash',
      documentWith({ it: {} }),
      'contract openapi.yaml#/paths: has the path "it"; a path begins with /',
    ],
    ['a path item that is a text', documentWith({ '/a/{b}': 'x' }), 'contract /a/{b}: must be an object; found "x"'],
    [
      'an operation that is a list',
      documentWith({ '/a': { get: [] } }),
      'contract GET /a: must be an object; found []',
    ],
    [
      'a parameter of a path item',
      documentWith({ '/a': { parameters: [{ in: 'query', ...SCHEMA }] } }),
      'contract /a /parameters/0: has no name',
    ],
    [
      'servers that are none',
      documentWith({}, { servers: ['https://a.example'] }),
      'contract openapi.yaml#/servers/0: must be an object; found "https://a.example"',
    ],
    [
      'a component',
      documentWith({}, { components: { parameters: { A: { name: 'a', in: 'body', ...SCHEMA } } } }),
      'contract openapi.yaml#/components/parameters/A/in: must be one of path, query, header, cookie; found "body"',
    ],
  ])('%s', async (_case, document, line) => {
    expect(await linesOf(document)).toEqual([line]);
  });

  it.each<[string, Node, string]>([
    [
      'a parameter in no place',
      { parameters: [{ name: 'a', ...SCHEMA }] },
      '/parameters/0: has no in; allowed: path, query, header, cookie',
    ],
    [
      'a path parameter that is not required',
      { parameters: [{ name: 'it', in: 'path', ...SCHEMA }] },
      '/parameters/0: is a path parameter without `required: true`',
    ],
    [
      'a parameter that says nothing of its value',
      { parameters: [{ name: 'a', in: 'query' }] },
      '/parameters/0: has neither schema nor content; a parameter has one of them',
    ],
    [
      'a parameter that says two things of its value',
      { parameters: [{ name: 'a', in: 'query', ...SCHEMA, content: { 'text/plain': {} } }] },
      '/parameters/0: has both schema and content; a parameter has one of them',
    ],
    [
      'a parameter with two media types',
      { parameters: [{ name: 'a', in: 'query', content: { 'text/plain': {}, 'application/json': {} } }] },
      '/parameters/0: has 2 media types as its content; a parameter has one',
    ],
    [
      'a parameter twice',
      { parameters: [1, 2].map(() => ({ name: 'a', in: 'query', ...SCHEMA })) },
      ': has the parameter a in query twice',
    ],
    ['a body without content', { requestBody: {} }, '/requestBody: has no content'],
    [
      'a body that is required in words',
      { requestBody: { content: {}, required: 'yes' } },
      '/requestBody/required: must be true or false; found "yes"',
    ],
    [
      'a schema that is a text',
      { requestBody: { content: { 'a/b': { schema: 'string' } } } },
      '/requestBody/content/a~1b/schema: must be an object; found "string"',
    ],
    ['security that is no list', { security: {} }, '/security: must be a list; found {}'],
    [
      'scopes that are no list',
      { security: [{ user: 'Orders.Read' }] },
      '/security/0/user: must be a list of texts; found "Orders.Read"',
    ],
    ['an operationId that is a number', { operationId: 5 }, '/operationId: must be a text; found 5'],
    ['a $ref that is no text', { parameters: [{ $ref: 5 }] }, '/parameters/0/$ref: must be a text; found 5'],
    [
      'a response that is a text',
      { responses: { '200': 'Well.' } },
      '/responses/200: must be an object; found "Well."',
    ],
  ])('in an operation: %s', async (_case, changes, line) => {
    expect(await faultsOfOperation(changes)).toEqual([`contract GET /it${line.startsWith(':') ? '' : ' '}${line}`]);
  });

  it.each<[string, Node, string]>([
    ['no type', {}, ': has no type; allowed: apiKey, http, mutualTLS, oauth2, openIdConnect'],
    [
      'an unknown type',
      { type: 'jwt' },
      '/type: must be one of apiKey, http, mutualTLS, oauth2, openIdConnect; found "jwt"',
    ],
    ['oauth2 without flows', { type: 'oauth2' }, ': has the type oauth2 and no flows'],
    ['http without a scheme', { type: 'http' }, ': has the type http and no scheme'],
    ['a key without a place', { type: 'apiKey', name: 'k' }, ': has the type apiKey and no in'],
  ])('in a security scheme: %s', async (_case, scheme, line) => {
    expect(await linesOf(documentWith({}, { components: { securitySchemes: { a: scheme } } }))).toEqual([
      `contract openapi.yaml#/components/securitySchemes/a${line}`,
    ]);
  });

  it('also where a reference leads to a component of another kind', async () => {
    const root = { components: { schemas: { A: { type: 'string' } } } };
    expect(await faultsOfOperation({ parameters: [{ $ref: '#/components/schemas/A' }] }, root)).toEqual([
      'contract GET /it /parameters/0: has a reference to #/components/schemas/A, where one to #/components/parameters belongs',
    ]);
  });

  it('once, however many references lead there', async () => {
    const parameters = [{ $ref: '#/components/x-mine/A' }];
    const document = documentWith(
      { '/a': { get: operation({ parameters }) }, '/b': { get: operation({ parameters }) } },
      { components: { 'x-mine': { A: { name: 'a', in: 'query' } } } },
    );
    expect(await linesOf(document)).toEqual([
      'contract openapi.yaml#/components/x-mine/A: has neither schema nor content; a parameter has one of them',
    ]);
  });
});

describe('a key that is nearly one that decides something is a fault', () => {
  it.each<[string, Node, string]>([
    [
      'component',
      documentWith({}, { component: {}, components: undefined }),
      'contract openapi.yaml: has the key component; did you mean components?',
    ],
    [
      'requestbody',
      documentWith({ '/a': { get: operation({ requestbody: {} }) } }),
      'contract GET /a: has the key requestbody; did you mean requestBody?',
    ],
    [
      'parameter',
      documentWith({ '/a': { get: operation({ parameter: [] }) } }),
      'contract GET /a: has the key parameter; did you mean parameters?',
    ],
    [
      'securty',
      documentWith({ '/a': { get: operation({ security: undefined, securty: [] }) } }),
      'contract GET /a: has the key securty; did you mean security?',
    ],
    ['GET', documentWith({ '/a': { GET: operation() } }), 'contract /a: has the key GET; did you mean get?'],
    [
      'reqired',
      documentWith({
        '/a': { get: operation({ parameters: [{ name: 'a', in: 'query', reqired: true, ...SCHEMA }] }) },
      }),
      'contract GET /a /parameters/0: has the key reqired; did you mean required?',
    ],
    [
      'query, before 3.2',
      documentWith({ '/a': { query: operation() } }),
      'contract /a: has query, which OpenAPI has since 3.2; the document says 3.1',
    ],
  ])('%s', async (_case, document, line) => {
    expect(await linesOf(document)).toEqual([line]);
  });

  it.each<[string, Node]>([
    ['beside the one that it resembles', documentWith({ '/a': { get: operation({ securty: [] }) } })],
    ['when it is words for people', documentWith({ '/a': { get: operation({ sumary: 'It', tag: ['a'] }) } })],
    ['when it resembles none', documentWith({ '/a': { get: operation({ produces: [] }) } }, { basePath: '/' })],
    ['in a schema', documentWith({}, { components: { schemas: { A: { reqired: ['a'], propertys: {} } } } })],
    ['when it is an extension', documentWith({ '/a': { get: operation({ 'x-security': [] }) } })],
  ])('but an annotation %s', async (_case, document) => {
    expect(await linesOf(document)).toEqual([]);
  });
});

describe('small sins pass where nothing of the gateway depends on them', () => {
  it.each<[string, Node]>([
    ['a description that is nothing', { description: null, responses: { '200': { description: null } } }],
    ['a response without a description', { responses: { '200': {} } }],
    ['no responses', { responses: undefined }],
    ['tags that are a text', { tags: 'a' }],
    [
      'examples of any kind',
      { requestBody: { content: { 'application/json': { example: { $ref: 5 }, schema: { default: { $ref: 5 } } } } } },
    ],
    ['links and callbacks', { callbacks: { a: { b: 5 } }, responses: { '200': { links: { a: 5 } } } }],
  ])('%s', async (_case, changes) => {
    expect(await faultsOfOperation(changes)).toEqual([]);
  });

  it.each<[string, Node]>([
    ['tags', { tags: [{ name: 5 }, {}] }],
    ['a license', { info: { title: 'A', version: '1', license: {}, contact: { email: 5 } } }],
    ['a webhook', { webhooks: { a: { post: 5 } } }],
    ['a document without paths', { paths: undefined }],
    ['variables of a server', { servers: [{ url: '/{a}', variables: { a: {} } }] }],
  ])('%s', async (_case, root) => {
    expect(await linesOf(documentWith({}, root))).toEqual([]);
  });
});

describe('what is named like a reference, and is none, passes', () => {
  it.each<[string, Node]>([
    ['a property', { properties: { $ref: { type: 'string' } } }],
    ['an example', { example: { $ref: '#/nowhere' } }],
    ['one of the examples', { examples: [{ $ref: '#/nowhere' }] }],
    ['a default', { default: { $ref: '#/nowhere' } }],
    ['an enumerated value', { enum: [{ $ref: '#/nowhere' }], const: { $ref: '#/nowhere' } }],
    ['an extension', { 'x-it': { $ref: '#/nowhere' } }],
    ['an unknown keyword', { it: { $ref: '#/nowhere' } }],
  ])('%s', async (_case, schema) => {
    expect(await linesOf(documentWith({}, { components: { schemas: { A: schema } } }))).toEqual([]);
  });

  it('a schema that has an address of its own means its own parts', async () => {
    const schema = { $id: 'https://a.example/a', $defs: { B: {} }, items: { $ref: '#/$defs/B' } };
    expect(await linesOf(documentWith({}, { components: { schemas: { A: schema } } }))).toEqual([]);
  });

  it('a schema that is called by its name', async () => {
    const schemas = { A: { $anchor: 'a' }, B: { $ref: '#a' } };
    expect(await linesOf(documentWith({}, { components: { schemas } }))).toEqual([]);
  });
});

describe('the version of a document decides', () => {
  const sibling = { $ref: '#/components/schemas/B', properties: 5 };

  it.each<[string, Node, string[]]>([
    ['3.0.3', {}, []],
    ['3.1.0', {}, ['contract openapi.yaml#/components/schemas/A/properties: must be an object; found 5']],
  ])('whether what stands beside a $ref of a schema counts: %s', async (openapi, root, lines) => {
    const components = { schemas: { A: sibling, B: {} } };
    expect(await linesOf(documentWith({}, { openapi, components, ...root }))).toEqual(lines);
  });

  it.each([
    ['3.1.0', 1],
    ['3.2.0', 0],
  ])('whether a parameter can be the whole query string: %s', async (openapi, faults) => {
    const parameters = [{ name: 'q', in: 'querystring', content: { 'application/json': {} } }];
    const lines = await linesOf(documentWith({ '/a': { get: operation({ parameters }) } }, { openapi }));
    expect(lines).toHaveLength(faults);
  });

  it('and 3.2 has more methods', async () => {
    const paths = { '/a': { query: operation(), additionalOperations: { COPY: operation({ parameters: 5 }) } } };
    expect(await linesOf(documentWith(paths, { openapi: '3.2.0' }))).toEqual([
      'contract COPY /a /parameters: must be a list; found 5',
    ]);
  });

  it('a path parameter with everything is right in each', async () => {
    const paths = { '/{a}': { get: operation({ parameters: [pathParameter('a')] }) } };
    const versions = ['3.0.0', '3.1.0', '3.2.0'];
    expect(await Promise.all(versions.map((openapi) => linesOf(documentWith(paths, { openapi }))))).toEqual([
      [],
      [],
      [],
    ]);
  });
});
