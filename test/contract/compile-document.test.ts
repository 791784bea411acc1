import { describe, expect, it } from '@jest/globals';
import type { ContractSource } from '../../src/contract/contract.ts';
import {
  compile,
  compileAll,
  documentWith,
  load,
  operation,
  pathParameter,
  type Compiled,
  type Node,
} from './documents.ts';

/** Nothing is said of where its calls go. */
function silent(changes: Node = {}): Node {
  return operation({ 'x-downstream': undefined, ...changes });
}

/** Where the calls of each operation go, and by which path callers reach it. */
function mappingOf(document: Compiled): Record<string, string> {
  return Object.fromEntries(
    compile(document).operations.map(({ method, path, service, downstreamMethod, downstreamPath }) => [
      `${method} ${path}`,
      `${service}: ${downstreamMethod} ${downstreamPath}`,
    ]),
  );
}

describe('where the calls of an operation go is said', () => {
  it.each<[string, Node, Node, Node, string]>([
    ['by the document', { service: 'graph', pathPrefix: '/v1.0' }, {}, {}, 'graph: GET /v1.0/it'],
    ['by the path item', { service: 'graph' }, { service: 'orders', pathPrefix: '/v2' }, {}, 'orders: GET /v2/it'],
    ['in part by each', { service: 'graph', pathPrefix: '/v1.0' }, { pathPrefix: '/beta' }, {}, 'graph: GET /beta/it'],
    ['by the operation', { service: 'graph', pathPrefix: '/v1' }, {}, { service: 'orders' }, 'orders: GET /v1/it'],
    [
      'by its own path, which has no prefix',
      { service: 'graph', pathPrefix: '/v1' },
      {},
      { path: '/x' },
      'graph: GET /x',
    ],
    ['by its own method', { service: 'graph' }, {}, { method: 'post' }, 'graph: POST /it'],
    ['by no prefix', { service: 'graph', pathPrefix: '/v1' }, { pathPrefix: '/' }, {}, 'graph: GET /it'],
  ])('%s', (_case, root, item, own, mapping) => {
    const get = silent({ 'x-downstream': own });
    for (const wrap of [(said: Node) => ({ 'x-downstream': said }), (said: Node) => ({ 'x-gateway': said })]) {
      const document = documentWith({ '/it': { ...wrap(item), get } }, wrap(root));
      expect(mappingOf({ root: document })).toEqual({ 'GET /it': mapping });
    }
  });

  const root = documentWith({ '/it': { get: silent() } });

  it('by gateway.yaml for its document, unless the document says it', () => {
    const source = { downstream: 'graph' };
    expect(mappingOf({ root, source })).toEqual({ 'GET /it': 'graph: GET /it' });
    const own = { ...root, 'x-downstream': { service: 'orders' } };
    expect(mappingOf({ root: own, source })).toEqual({ 'GET /it': 'orders: GET /it' });
  });

  it('by nobody where there is one downstream', () => {
    expect(mappingOf({ root, services: ['only'] })).toEqual({ 'GET /it': 'only: GET /it' });
  });

  it('once, however many operations lack it', () => {
    const paths = Object.fromEntries(['/a', '/b', '/c'].map((path) => [path, { get: silent() }]));
    expect(compileAll([{ root: documentWith(paths) }]).lines).toEqual([
      expect.stringMatching(
        /^contract: 3 operations have no x-downstream with a service; .*: GET \/a, GET \/b, GET \/c$/,
      ),
    ]);
  });

  it.each<[string, Node, string]>([
    ['an unknown service', { service: 'order' }, 'contract: names the unknown service order; known: orders, graph'],
    [
      'a prefix with a slash at its end',
      { service: 'graph', pathPrefix: '/v1/' },
      'contract: has the x-downstream pathPrefix "/v1/"; it must begin with one / and hold no query, dot segments or backslashes, and no / at its end',
    ],
    [
      'a path, which is for one operation',
      { service: 'graph', path: '/x' },
      'contract: has x-downstream path, which does nothing at the document; it belongs to an operation',
    ],
  ])('but not with %s at the root', (_case, said, message) => {
    expect(compileAll([{ root: { ...root, 'x-downstream': said } }]).lines).toEqual([message]);
  });

  it('but not by a downstream of gateway.yaml that is none', () => {
    expect(compileAll([{ root, source: { downstream: 'order' } }]).lines).toEqual([
      'contract.downstream: found "order"; known: orders, graph',
    ]);
  });
});

describe('callers reach an operation below', () => {
  const paths = { '/it': { get: operation() } };
  const servers = [
    { url: 'https://{host}/{base}/v2/', variables: { host: { default: 'a.example' }, base: { default: 'api' } } },
  ];

  it.each<[string, unknown, string | undefined, string]>([
    ['the prefix of gateway.yaml', servers, '/graph', '/graph/it'],
    ['no prefix', servers, '', '/it'],
    ['the path of the first server', servers, undefined, '/api/v2/it'],
    ['the path of a relative address', [{ url: '/api/v3' }, { url: '/other' }], undefined, '/api/v3/it'],
    ['nothing where the address has no path', [{ url: 'https://a.example' }], undefined, '/it'],
    ['nothing where there are no servers', undefined, undefined, '/it'],
  ])('%s', (_case, given, prefix, path) => {
    const { operations } = compile({ root: documentWith(paths, { servers: given }), source: { prefix } });
    expect(operations.map((found) => [found.path, found.downstreamPath])).toEqual([[path, '/it']]);
  });

  it('an address that can be read, or else a prefix', () => {
    const root = documentWith(paths, { servers: [{ url: 'https://a.example/{version}' }] });
    expect(compileAll([{ root }]).lines).toEqual([expect.stringMatching(/^contract \/servers\/0: has the address /)]);
    expect(compileAll([{ root, source: { prefix: '/a' } }]).lines).toEqual([]);
  });

  it('the same also where a path item or an operation has servers of its own, which is told', () => {
    const own = { servers: [{ url: 'https://uploads.example/v9' }] };
    const root = documentWith(
      {
        '/a': { ...own, get: operation() },
        '/b': { get: operation(own), put: operation({ servers: [{ url: '/api' }] }) },
      },
      { servers: [{ url: 'https://a.example/api' }] },
    );
    const { operations, notices } = compile({ root });
    expect([operations.map(({ path }) => path), notices.map(({ at, message }) => `${at}: ${message}`)]).toEqual([
      ['/api/a', '/api/b', '/api/b'],
      ['contract: 2 operations have other servers with the path /v9, which do not count: GET /a, GET /b'],
    ]);
  });
});

describe('gateway.yaml says who may call in place of the document', () => {
  const root = documentWith({ '/a': { get: operation() }, '/b': { get: operation({ security: [{ basic: [] }] }) } });

  it('with schemes for people and for programs that need no declaration', () => {
    const { operations } = compile({ root, source: { security: [{ user: ['api://g/R'] }, { app: ['Admin'] }, {}] } });
    const access = [
      { caller: 'user', scopes: ['api://g/R'], claimed: ['R'] },
      { caller: 'app', roles: ['Admin'] },
      { caller: 'anyone' },
    ];
    expect(operations.map((found) => found.access)).toEqual([access, access]);
  });

  it('with schemes of the document', () => {
    const { operations } = compile({ root, source: { security: [{ daemon: ['Admin'] }] } });
    expect(operations[1]?.access).toEqual([{ caller: 'app', roles: ['Admin'] }]);
  });

  it('and is told of its faults once', () => {
    expect(compileAll([{ root, source: { security: [{ nobody: [] }] } }]).lines).toEqual([
      'contract.security: names the security scheme nobody, which the contract does not have',
    ]);
  });
});

describe('gateway.yaml names the operations that are served', () => {
  const bad = silent({ security: [{ nobody: [] }] });
  const paths = {
    '/pods': { get: operation({ operationId: 'listPods' }), post: bad, trace: {} },
    '/pods/{name}': { get: operation({ parameters: [pathParameter('name')] }) },
    '/pods/{name}/log': { get: operation({ parameters: [pathParameter('name')] }), put: bad },
  };
  const root = documentWith({ ...paths, '/broken': { $ref: '#/nowhere' } });

  it.each<[string, readonly string[]]>([
    ['listPods', ['/pods']],
    ['GET /pods', ['/pods']],
    ['get /pods/*', ['/pods/{name}']],
    ['GET /pods/{name}', ['/pods/{name}']],
    ['GET /*/*/log', ['/pods/{name}/log']],
    ['GET /pods/**', ['/pods/{name}', '/pods/{name}/log']],
    ['GET /pods/*/*', ['/pods/{name}/log']],
  ])('%s, and faults of the others do not count', (pattern, expected) => {
    const { operations, documents } = compile({ root, source: { operations: [pattern] } });
    expect(operations.map(({ path }) => path)).toEqual(expected);
    expect([...(documents[0]?.published.keys() ?? [])]).toEqual(expected.map((path) => `get ${path}`));
  });

  it.each([
    ['listPod', 'found "listPod", which meets no operation of the document; did you mean listPods?'],
    ['GET /pod', 'found "GET /pod", which meets no operation of the document; did you mean GET /pods?'],
    ['PATCH /pods/*', 'found "PATCH /pods/*", which meets no operation of the document'],
    ['GET /a/**/b', 'found "GET /a/**/b", which meets no operation of the document'],
  ])('%s, which meets nothing, is a fault', async (pattern, message) => {
    const { lines } = await load(documentWith(paths), { operations: ['listPods', pattern] });
    expect(lines).toEqual([expect.stringContaining(`contract.operations[1]: ${message}`)]);
  });

  it.each([
    ['GET /**', 'contract /broken: the reference #/nowhere leads nowhere'],
    ['TRACE /pods', 'contract TRACE /pods: is never served'],
  ])('and what is wrong with one of them counts: %s', (pattern, fault) => {
    expect(compileAll([{ root, source: { operations: [pattern] } }]).lines).toContain(fault);
  });
});

describe('several documents', () => {
  const a = documentWith(
    { '/it': { get: operation({ operationId: 'read' }) } },
    { info: { title: 'A', version: '1' } },
  );
  const b = documentWith(
    { '/it': { get: operation({ operationId: 'read' }) } },
    { info: { title: 'B', version: '1' } },
  );

  it('have names, paths and documents of their own', () => {
    const { operations, documents, title, lines } = compileAll([
      { root: a },
      { root: b, source: { prefix: '/graph' } },
      { root: b, source: { prefix: '/k8s', name: 'pods' } },
    ]);
    expect([lines, title, operations.map(({ name, path, document }) => [name, path, document])]).toEqual([
      [],
      'A, B',
      [
        ['read', '/it', 0],
        ['/graph read', '/graph/it', 1],
        ['pods read', '/k8s/it', 2],
      ],
    ]);
    expect(documents.map(({ ownPath }) => ownPath)).toEqual([
      '/openapi.json',
      '/graph/openapi.json',
      '/k8s/openapi.json',
    ]);
  });

  it('never match the same requests', () => {
    const path = documentWith({ '/graph/it': { get: operation() } });
    expect(compileAll([{ root: path }, { root: b, source: { prefix: '/graph' } }]).lines).toEqual([
      'contract[1] GET /it: matches the same requests as /graph/it',
    ]);
  });

  it('leave each other’s documents alone', () => {
    const path = documentWith({ '/graph/openapi.json': { get: operation() } });
    expect(compileAll([{ root: path }, { root: b, source: { prefix: '/graph' } }]).lines).toEqual([
      'contract[0] GET /graph/openapi.json: is a path that the gateway answers itself',
    ]);
  });
});

function sayUnserved(part: string): string {
  return `which the path of a request never has: it is not served; requests for it go to the operation of the path without the ${part}, if there is one`;
}

describe('a document', () => {
  it('that has nothing to serve is a fault', () => {
    expect(compileAll([{ root: documentWith({}) }]).lines).toEqual([
      'contract: has nothing to serve: no path of openapi.yaml has an operation',
    ]);
    expect(compileAll([{ root: documentWith({}, { webhooks: {} }) }]).lines).toEqual([
      expect.stringMatching(/its webhooks are calls that the API makes$/),
    ]);
  });

  it('with a query or a fragment in a path serves the others, and says so', () => {
    const paths = ['/it', '/it?beta=true', '/it?beta=false', '/it#full'];
    const root = documentWith(Object.fromEntries(paths.map((path) => [path, { get: operation() }])));
    const { lines, notices, operations, documents } = compileAll([{ root }]);
    expect([lines, operations.map(({ path }) => path), [...(documents[0]?.published.keys() ?? [])]]).toEqual([
      [],
      ['/it'],
      ['get /it'],
    ]);
    expect(notices.map(({ at, message }) => `${at}: ${message}`)).toEqual([
      `contract: 2 operations have a path with a query, ${sayUnserved('query')}: GET /it?beta=true, GET /it?beta=false`,
      `contract GET /it#full: has a path with a fragment, ${sayUnserved('fragment')}`,
    ]);
  });

  it.each<[string, Partial<ContractSource>]>([
    ['all that it has', {}],
    ['all that is wanted', { operations: ['GET /a?b'] }],
  ])('with a query or a fragment in %s has nothing to serve', (_case, source) => {
    const others = source.operations === undefined ? {} : { '/c': { get: operation() } };
    const root = documentWith({ '/a?b': { get: operation() }, ...others });
    expect(compileAll([{ root, source }]).lines).toEqual([
      'contract: has nothing to serve: each of its paths has a query or a fragment, which the path of a request never has; write an operation for the path without it',
    ]);
  });

  it('of version 3.2 has QUERY and any other method that Node can read', () => {
    const item = { query: operation(), additionalOperations: { COPY: operation(), LINK: operation() } };
    expect(mappingOf({ root: documentWith({ '/it': item }), version: '3.2' })).toEqual({
      'QUERY /it': 'orders: QUERY /it',
      'COPY /it': 'orders: COPY /it',
      'LINK /it': 'orders: LINK /it',
    });
    expect(compileAll([{ root: documentWith({ '/it': item, '/b': { get: operation() } }) }]).operations).toHaveLength(
      1,
    );
  });

  it.each([
    ['CONNECT', 'is never served'],
    ['TRACE', 'is never served'],
    ['copy', 'has a method that Node cannot read from a request'],
    ['FROBNICATE', 'has a method that Node cannot read from a request'],
  ])('has no method %s', (method, message) => {
    const root = documentWith({ '/it': { get: operation(), additionalOperations: { [method]: operation() } } });
    expect(compileAll([{ root, version: '3.2' }]).lines).toEqual([`contract ${method} /it: ${message}`]);
  });
});
