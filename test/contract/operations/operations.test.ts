import { describe, expect, it } from '@jest/globals';
import type { GatewayError } from '../../../src/failures.ts';
import {
  documentWith,
  faultsOf,
  load,
  loadGood,
  loadOperation,
  operation,
  pathParameter,
  type Node,
} from '../documents.ts';
import { sourceOf } from '../parameter-source.ts';

const NO_SERVICE =
  'has no x-downstream with a service; name one of the downstreams of gateway.yaml here or at the root of the document, or set `downstream` in gateway.yaml; known: orders, graph';
const METHOD = 'allowed: the name of a method such as GET, but not TRACE';

describe('x-downstream', () => {
  it.each<[string, Node, unknown]>([
    ['same path and method', { service: 'orders' }, ['orders', 'GET', '/it']],
    ['another path', { service: 'graph', path: '/v1.0/me' }, ['graph', 'GET', '/v1.0/me']],
    ['another method', { service: 'orders', method: 'post' }, ['orders', 'POST', '/it']],
    ['another method in capitals', { service: 'orders', method: 'PUT' }, ['orders', 'PUT', '/it']],
    ['the root', { service: 'orders', path: '/' }, ['orders', 'GET', '/']],
  ])('maps to the %s', async (_case, mapping, expected) => {
    const { service, downstreamMethod, fillPath } = await loadOperation({ 'x-downstream': mapping });
    expect([service, downstreamMethod, fillPath({})]).toEqual(expected);
  });

  it('of a path that is not ASCII sends it encoded', async () => {
    const { operations } = await loadGood(documentWith({ '/bücher/例': { get: operation() } }));
    expect(operations[0]?.fillPath({})).toBe('/b%C3%BCcher/%E4%BE%8B');
  });

  it.each<[string, unknown, string]>([
    ['is missing', undefined, NO_SERVICE],
    ['has no service', { path: '/a' }, NO_SERVICE],
    ['names another service', { service: 'order' }, 'names the unknown service order; known: orders, graph'],
    [
      'uses a parameter that the path lacks',
      { service: 'orders', path: '/a/{id}' },
      'uses the path parameter id in its x-downstream path, which its own path lacks',
    ],
    [
      'has an unknown key',
      { service: 'orders', pth: '/a' },
      'has the unknown key pth in x-downstream; known: service, path, method',
    ],
    ['has a bad method', { service: 'orders', method: 'TRACE' }, `has the x-downstream method "TRACE"; ${METHOD}`],
    ['has no method but a number', { service: 'orders', method: 1 }, `has the x-downstream method 1; ${METHOD}`],
  ])('%s: a fault', async (_case, mapping, message) => {
    expect(await faultsOf({ 'x-downstream': mapping })).toEqual([`contract GET /it: ${message}`]);
  });

  it.each([
    'a',
    '',
    '//evil.example',
    'https://evil.example/',
    '/a?b',
    '/a#b',
    '/a/../b',
    '/..',
    '/./a',
    '/a b',
    String.raw`/a\b`,
    5,
  ])('cannot lead to %j', async (path) => {
    expect(await faultsOf({ 'x-downstream': { service: 'orders', path } })).toEqual([
      `contract GET /it: has the x-downstream path ${JSON.stringify(path)}; it must begin with one / and hold no query, dot segments or backslashes`,
    ]);
  });

  it.each(['/%2e%2e/b', '/a/%2E.', '/a\u0000b'])('cannot lead to %j in disguise', async (path) => {
    expect(await faultsOf({ 'x-downstream': { service: 'orders', path } })).toEqual([
      expect.stringMatching(/^contract GET \/it: has the x-downstream path /),
    ]);
  });
});

describe('an operation', () => {
  it('is called by its operationId, or else by its method and path', async () => {
    const { operations } = await loadGood(
      documentWith({ '/it': { get: operation({ operationId: 'readIt' }), delete: operation() } }),
    );
    expect(operations.map(({ name }) => name)).toEqual(['readIt', 'DELETE /it']);
  });

  it('shares its operationId with no other', async () => {
    const twice = operation({ operationId: 'readIt' });
    expect((await load(documentWith({ '/a': { get: twice }, '/b': { get: twice } }))).lines).toEqual([
      'contract GET /b: has the operationId readIt, which another operation has too',
    ]);
  });

  it.each(['/openapi.json', '/.well-known/oauth-protected-resource'])('cannot take over %s', async (path) => {
    expect((await load(documentWith({ [path]: { get: operation() } }))).lines).toEqual([
      `contract GET ${path}: is a path that the gateway answers itself`,
    ]);
  });

  it('is never TRACE', async () => {
    expect((await load(documentWith({ '/it': { get: operation(), trace: operation() } }))).lines).toEqual([
      'contract TRACE /it: is never served',
    ]);
  });

  it('may be any other method', async () => {
    const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'];
    const item = Object.fromEntries(methods.map((method) => [method, operation()]));
    const { operations } = await loadGood(documentWith({ '/it': item }));
    expect(operations.map(({ downstreamMethod }) => downstreamMethod.toLowerCase())).toEqual(methods);
  });

  it('declares the parameters of its path', async () => {
    const { lines } = await load(
      documentWith({ '/a/{id}': { get: operation({ parameters: [pathParameter('di')] }) } }),
    );
    expect(lines).toEqual([
      'contract GET /a/{id}: does not declare its path parameter id',
      'contract GET /a/{id}: declares the path parameter di, which its path lacks',
    ]);
  });

  it.each<[string, Node, string]>([
    ['/a/{id', {}, 'has a brace in its path that belongs to no parameter; a parameter is written {name}'],
    ['/a/{}', {}, 'has a brace in its path that belongs to no parameter; a parameter is written {name}'],
    ['/a/{id}/b/{id}', { parameters: [pathParameter('id')] }, 'has the parameter id twice in its path'],
    [
      '/a',
      { 'x-downstream': { service: 'orders', path: '/b/{c' } },
      'has a brace in its x-downstream path that belongs to no parameter; a parameter is written {name}',
    ],
  ])('has braces around the parameters of its path, and nowhere else: %s', async (path, changes, message) => {
    const { lines } = await load(documentWith({ [path]: { get: operation(changes) } }));
    expect(lines).toEqual([`contract GET ${path}: ${message}`]);
  });

  it('replaces the parameters of its path item', async () => {
    const loose = { name: 'n', in: 'query', required: true, schema: { type: 'integer' } };
    const item = { parameters: [loose], get: operation({ parameters: [{ ...loose, required: false }] }) };
    const { operations } = await loadGood(documentWith({ '/it': item }));
    expect(operations[0]?.parameters).toHaveLength(1);
    expect(operations[0]?.parameters[0]?.(sourceOf({}))).toEqual([]);
  });
});

/** A path item with a `GET` that declares the parameters of its path. */
function itemOf(path: string, changes: Node = {}): Node {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  return { get: operation({ parameters: names.map((name) => pathParameter(name, changes)) }) };
}

/** The operation that a HEAD leads to and what it becomes, or the failure. */
async function readHead(item: Node): Promise<unknown> {
  const { routes } = await loadGood(documentWith({ '/it': item }));
  try {
    const { name, downstreamMethod } = routes.match('HEAD', '/it').entry;
    return [name, downstreamMethod];
  } catch (error) {
    return (error as GatewayError).code;
  }
}

describe('HEAD', () => {
  it.each<[string, Node, unknown]>([
    ['is let in where GET is', { get: operation({ operationId: 'readIt' }) }, ['readIt', 'HEAD']],
    ['is what the contract says', { get: operation(), head: operation({ operationId: 'own' }) }, ['own', 'HEAD']],
    ['is refused where there is no GET', { post: operation() }, 'method_not_allowed'],
    [
      'is refused where the GET becomes another method',
      { get: operation({ 'x-downstream': { service: 'orders', method: 'post' } }) },
      'method_not_allowed',
    ],
  ])('%s', async (_case, item, expected) => {
    expect(await readHead(item)).toEqual(expected);
  });
});

describe('two operations that match the same requests', () => {
  it.each([
    ['/a/{id}', '/a/{name}'],
    ['/a/{x}.{y}', '/a/{y}.{z}'],
    ['/a/b', '/a/%62'],
    ['/{x}/a', '/{y}/a'],
  ])('are a fault: %s and %s', async (first, second) => {
    expect((await load(documentWith({ [first]: itemOf(first), [second]: itemOf(second) }))).lines).toEqual([
      `contract GET ${second}: matches the same requests as ${first}`,
    ]);
  });

  it('are a fault where both take the rest of the path', async () => {
    const multi = { 'x-multi-segment': true };
    expect(
      (await load(documentWith({ '/a/{b}': itemOf('/a/{b}', multi), '/a/{c}': itemOf('/a/{c}', multi) }))).lines,
    ).toEqual(['contract GET /a/{c}: matches the same requests as /a/{b}']);
  });

  it('are none where one is the more concrete', async () => {
    const get = operation({ parameters: [pathParameter('id')] });
    const rest = operation({ parameters: [pathParameter('rest', { 'x-multi-segment': true })] });
    const paths = {
      '/a/{id}': { get },
      '/a/b': { get: operation() },
      '/a/{id}:b': { get },
      '/a/{rest}': { get: rest },
    };
    expect((await load(documentWith(paths))).lines).toEqual([]);
  });
});

describe('two templates of one shape with other names', () => {
  const paths = {
    '/a/{id}': { get: operation({ parameters: [pathParameter('id')] }) },
    '/a/{name}': {
      post: operation({
        parameters: [pathParameter('name')],
        'x-downstream': { service: 'orders', path: '/b/{name}' },
      }),
    },
  };

  it('are none where they share no method, and each has the names of its own', async () => {
    const { routes } = await loadGood(documentWith(paths));
    const targets = ['GET', 'HEAD', 'POST'].map((method) => {
      const { entry, values, encoded } = routes.match(method, '/a/5');
      return [values, entry.fillPath(encoded)];
    });
    expect(targets).toEqual([
      [{ id: '5' }, '/a/5'],
      [{ id: '5' }, '/a/5'],
      [{ name: '5' }, '/b/5'],
    ]);
  });

  it('share what Allow says', async () => {
    const { routes } = await loadGood(documentWith(paths));
    expect(() => routes.match('PUT', '/a/5')).toThrow(
      expect.objectContaining({ facts: { allow: ['GET', 'POST', 'HEAD'] } }),
    );
  });
});

describe('x-multi-segment', () => {
  const multi = { 'x-multi-segment': true };

  it.each([
    ['/{a}/b', 'a'],
    ['/a/x{b}', 'b'],
    ['/a/{b}.{c}', 'c'],
  ])('in %s is no rule of ours on %s, which is not the whole last segment', async (path, name) => {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, found = '']) => found);
    const parameters = names.map((found) => pathParameter(found, found === name ? multi : {}));
    const { operations, notices } = await loadGood(documentWith({ [path]: { get: operation({ parameters }) } }));
    expect([operations[0]?.multiSegment, notices.map(({ at, message }) => `${at}: ${message}`)]).toEqual([
      undefined,
      [
        `contract GET ${path}: has x-multi-segment on the parameter ${name}, which is not the whole last segment of the path: it is taken for the extension of another tool`,
      ],
    ]);
  });
});

describe('x-upgrade', () => {
  it('makes a GET a WebSocket', async () => {
    expect(await loadOperation({ 'x-upgrade': 'websocket' })).toMatchObject({ upgrade: 'websocket', method: 'GET' });
    expect(await loadOperation({})).not.toHaveProperty('upgrade');
  });

  it.each<[string, Node, string]>([
    ['another protocol', { 'x-upgrade': 'h2c' }, 'has the x-upgrade "h2c"; allowed: websocket'],
    ['true', { 'x-upgrade': true }, 'has the x-upgrade true; allowed: websocket'],
    [
      'another method downstream',
      { 'x-upgrade': 'websocket', 'x-downstream': { service: 'orders', method: 'post' } },
      'has an x-upgrade, which only a GET can have that is a GET downstream too',
    ],
    [
      'a body',
      { 'x-upgrade': 'websocket', requestBody: { content: { 'text/plain': {} } } },
      'has an x-upgrade and a requestBody, which a WebSocket never has',
    ],
    ['a slip', { 'x-upgrad': 'websocket' }, 'has the key x-upgrad; did you mean x-upgrade?'],
  ])('with %s is a fault', async (_what, changes, message) => {
    expect(await faultsOf(changes)).toEqual([`contract GET /it: ${message}`]);
  });

  it('on another method is a fault', async () => {
    const { lines } = await load(documentWith({ '/it': { post: operation({ 'x-upgrade': 'websocket' }) } }));
    expect(lines).toEqual([
      'contract POST /it: has an x-upgrade, which only a GET can have that is a GET downstream too',
    ]);
  });
});

describe('every fault of the contract is told', () => {
  it('of every operation', async () => {
    const { lines } = await load(
      documentWith({
        '/a': {
          get: operation({ 'x-downstream': { service: 'x', path: 'y' } }),
          post: operation({ security: [{ x: [] }] }),
        },
        '/b': { get: operation({ 'x-auth-context': 'c0' }) },
      }),
    );
    expect(lines.map((line) => line.split(':', 1)[0])).toEqual([
      'contract GET /a',
      'contract GET /a',
      'contract POST /a',
      'contract GET /b',
    ]);
  });
});
