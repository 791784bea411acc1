import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ORDERS_APP_ID } from '../../dev/emulator/world.ts';
import { answerWith, valuesOf } from '../support/gateway-downstream.ts';
import { scope } from '../support/gateway-contract.ts';
import { startGatewayWorld } from '../support/gateway-world.ts';
import { claimsOf } from '../dev/token-requests.ts';

const responses = { default: { description: 'Any.' } };
const text = { type: 'string' };

/** A document as others write it: nothing in it is for a gateway. */
function foreign(title: string, paths: object, more: object = {}): object {
  return { openapi: '3.1.0', info: { title, version: '1' }, paths, ...more };
}

const graph = foreign(
  'Graph',
  {
    '/me': { get: { operationId: 'me.GetUser', responses } },
    '/me/messages': {
      get: {
        operationId: 'me.ListMessages',
        parameters: [{ name: '$top', in: 'query', schema: { type: 'integer' } }],
        responses,
      },
      post: { operationId: 'me.CreateMessages', responses },
    },
    '/users/{id}': {
      get: {
        security: [{ basic: [] }],
        parameters: [{ name: 'id', in: 'path', required: true, schema: text }],
        responses,
      },
    },
  },
  {
    servers: [{ url: 'https://graph.microsoft.com/v1.0' }],
    components: { securitySchemes: { basic: { type: 'http', scheme: 'basic' } } },
  },
);
const orders = foreign('Orders', {
  '/orders': {
    get: { operationId: 'listOrders', responses },
    post: {
      operationId: 'createOrder',
      requestBody: { content: { 'application/json': { schema: { type: 'object', required: ['customer'] } } } },
      responses,
    },
  },
});
const pods = '/api/v1/namespaces/{namespace}/pods';
const kubernetes = foreign('Kubernetes', {
  [`${pods}/{name}`]: {
    parameters: ['namespace', 'name'].map((name) => ({ name, in: 'path', required: true, schema: text })),
    get: { operationId: 'readCoreV1NamespacedPod', responses },
    delete: { operationId: 'deleteCoreV1NamespacedPod', responses },
  },
  '/api/v1/{anything}': { get: { responses } },
});

const world = await startGatewayWorld({
  server: { publicUrl: 'https://api.contoso.com' },
  // Nothing here is about times.
  timeout: { response: '30s', idle: '30s' },
  contract: [
    {
      document: orders,
      downstream: 'orders',
      security: [{ user: [scope('Orders.Read')] }, { app: ['Orders.Read.All'] }],
    },
    {
      document: graph,
      prefix: '/graph',
      downstream: 'api',
      security: [{ user: [scope('Profile.Read')] }],
      operations: ['me.GetUser', 'GET /me/*'],
    },
    {
      document: kubernetes,
      prefix: '/k8s',
      name: 'kubernetes',
      downstream: 'hasty',
      security: [{ user: [scope('Profile.Read')] }, {}],
      operations: ['GET /api/v1/namespaces/**'],
    },
  ],
});
afterAll(() => world.close());
beforeEach(() => world.downstream.reset());

const user = world.token('adele');

/** The claims of the token that the downstream got; `undefined` when it got none. */
function sentClaims(): Record<string, unknown> | undefined {
  const [authorization] = valuesOf(world.downstream.last.rawHeaders, 'authorization');
  return authorization === undefined ? undefined : claimsOf(authorization.replace('Bearer ', ''));
}

describe('documents of others are served at once, unedited', () => {
  it.each([
    ['/orders', '/base/orders', ORDERS_APP_ID, 'listOrders'],
    ['/graph/me', '/me', 'https://graph.microsoft.com', '/graph me.GetUser'],
    ['/graph/me/messages?$top=5', '/me/messages?$top=5', 'https://graph.microsoft.com', '/graph me.ListMessages'],
    [
      '/k8s/api/v1/namespaces/a/pods/b',
      '/api/v1/namespaces/a/pods/b',
      'https://graph.microsoft.com',
      'kubernetes readCoreV1NamespacedPod',
    ],
  ])('%s goes to its own downstream, with a token for it', async (path, url, aud, operation) => {
    const response = await world.call(path, { token: user });
    expect([response.status, world.downstream.last.url, sentClaims()?.['aud']]).toEqual([200, url, aud]);
    const line = await world.log.of(response.headers.get('x-request-id'));
    expect(line['operation']).toBe(operation);
  });

  it.each([
    ['POST', '/graph/me/messages', 405],
    ['GET', '/graph/users/5', 404],
    ['DELETE', '/k8s/api/v1/namespaces/a/pods/b', 405],
    ['GET', '/k8s/api/v1/pods', 404],
    ['GET', '/me', 404],
    ['GET', '/graph/orders', 404],
    ['GET', '/v1.0/me', 404],
  ])('and nothing else of them: %s %s is %d', async (method, path, status) => {
    expect((await world.call(path, { method, token: user })).status).toBe(status);
    expect(world.downstream.requests).toEqual([]);
  });

  it.each([
    ['/graph/me/messages?$top=many', undefined],
    ['/orders', '{"customer":1,"customer":2}'],
  ])('checked by what they say: %s', async (path, body) => {
    const init = body === undefined ? {} : { method: 'POST', body, headers: { 'content-type': 'application/json' } };
    expect((await world.call(path, { token: user, ...init })).status).toBe(400);
  });

  it('each asks for the scopes that gateway.yaml says', async () => {
    const token = world.token('adele', { scopes: ['Orders.Read'] });
    const statuses = await Promise.all(
      ['/orders', '/graph/me'].map(async (path) => (await world.call(path, { token })).status),
    );
    expect(statuses).toEqual([200, 403]);
  });

  it('and each is counted by its own name', async () => {
    await world.call('/graph/me', { token: user });
    const metrics = await (await fetch(`${world.managementUrl}/metrics`)).text();
    expect(metrics).toContain(
      'gateway_http_requests_total{operation="/graph me.GetUser",method="GET",status="200",via="proxy"}',
    );
  });
});

describe('each document is published', () => {
  it.each([
    ['/openapi.json', 'Orders'],
    ['/graph/openapi.json', 'Graph'],
    ['/k8s/openapi.json', 'Kubernetes'],
  ])('at %s, for every origin', async (path, title) => {
    const response = await world.call(path);
    const { info } = (await response.json()) as { info: object };
    expect([response.status, response.headers.get('access-control-allow-origin'), info]).toMatchObject([
      200,
      '*',
      { title },
    ]);
  });

  it('with one metadata document for all of their scopes', async () => {
    const metadata = (await (await world.call('/.well-known/oauth-protected-resource')).json()) as object;
    expect(metadata).toMatchObject({
      resource_name: 'Orders, Graph, Kubernetes',
      scopes_supported: [scope('Orders.Read'), scope('Profile.Read')],
    });
  });
});

it.each([
  ['/graph/me', '/me/messages', '/graph/me/messages'],
  ['/k8s/api/v1/namespaces/a/pods/b', '/api/v1/namespaces/a/pods/c', '/k8s/api/v1/namespaces/a/pods/c'],
  ['/orders', '/base/orders', '/orders'],
])('an address of the downstream of %s leads back below the same prefix', async (path, location, expected) => {
  world.downstream.answer = answerWith(201, ['location', `http://127.0.0.1:${world.downstream.port}${location}`]);
  const response = await world.call(path, { token: user });
  expect(response.headers.get('location')).toBe(`https://api.contoso.com${expected}`);
});

describe('a caller that may do without a token', () => {
  const path = '/k8s/api/v1/namespaces/a/pods/b';

  it('is nobody without one', async () => {
    expect((await world.call(path)).status).toBe(200);
    expect(sentClaims()).toBeUndefined();
  });

  it('is itself with one that meets what is asked of somebody', async () => {
    expect((await world.call(path, { token: user })).status).toBe(200);
    expect(sentClaims()).toMatchObject({ oid: claimsOf(user)['oid'] });
  });

  it.each([
    ['a user without the scope', world.token('adele', { scopes: ['Orders.Read'] })],
    ['an app', world.emulator.issueAccessToken({ app: 'daemon' })],
  ])('is nobody with one that meets nothing: %s', async (_who, token) => {
    const response = await world.call(path, { token });
    expect([response.status, sentClaims()]).toEqual([200, undefined]);
    expect(await world.log.of(response.headers.get('x-request-id'))).toMatchObject({ tid: claimsOf(token)['tid'] });
  });

  it.each([
    ['a bad token', 'Bearer a.b.c', 'invalid_token'],
    ['two of them', 'Bearer a b', 'invalid_request'],
    ['another scheme', 'Basic YTpi', 'missing_token'],
  ])('is refused with %s', async (_what, authorization, code) => {
    const response = await world.call(path, { headers: { authorization } });
    expect(await response.json()).toMatchObject({ code });
    expect(world.downstream.requests).toEqual([]);
  });

  it.each(['?access_token=', '?$top=5&access%5Ftoken='])(
    'is refused with one in the query, which would go on: %s',
    async (query) => {
      const response = await world.call(`${path}${query}${user}`);
      expect([response.status, await response.json()]).toMatchObject([401, { code: 'missing_token' }]);
      expect(world.downstream.requests).toEqual([]);
    },
  );
});
