import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import express, { json } from 'express';
import { EXPRESS, startApplicationWorld } from '../support/application-world.ts';
import { answerWith, valuesOf } from '../support/gateway-downstream.ts';
import { readProblem } from '../support/gateway-world.ts';

const SCOPE = 'api://6e74172b-be56-4843-9ff4-e66a39bb12e3/Orders.Read';
const responses = { default: { description: 'Any.' } };
const security = [{ user: [SCOPE] }];

const contract = {
  openapi: '3.1.0',
  info: { title: 'Orders', version: '1' },
  'x-downstream': { service: 'orders' },
  paths: {
    '/orders': {
      get: { operationId: 'listOrders', security, responses },
      post: { operationId: 'createOrder', security, responses },
    },
    '/orders/feed': { get: { operationId: 'watchOrders', security, responses, 'x-upgrade': 'websocket' } },
    '/orders/{id}': {
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
      get: { operationId: 'getOrder', security, responses },
    },
  },
  components: {
    securitySchemes: {
      user: {
        type: 'oauth2',
        flows: { deviceCode: { tokenUrl: 'https://x/token', deviceAuthorizationUrl: 'https://x/d', scopes: {} } },
      },
    },
  },
};

const folder = await mkdtemp(join(tmpdir(), 'obo-proxy-'));
const file = join(folder, 'openapi.json');
await writeFile(file, JSON.stringify(contract));
const world = await startApplicationWorld({
  contract: [{ document: file, security: [{ user: [SCOPE] }] }],
});
const { obo, orders } = world;
afterAll(async () => {
  await world.close();
  await rm(folder, { recursive: true });
});
afterEach(() => orders.reset());

interface Asked {
  readonly method?: string;
  readonly body?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

describe.each(Object.entries(EXPRESS))('the operations of the contract below a path of %s', (_version, create) => {
  let url: string;

  beforeAll(async () => {
    const app = create();
    app.use('/read', json(), obo.proxy());
    app.use('/api', obo.proxy());
    app.get('/api/own', (_req, res) => {
      res.send('own');
    });
    app.use(obo.answerErrors());
    app.use(
      (error: Error, _req: unknown, res: { status(code: number): { send(text: string): void } }, next: unknown) => {
        void next;
        res.status(500).send(error.message);
      },
    );
    url = await world.listen(app);
  });

  function call(path: string, init: Asked = {}): Promise<Response> {
    const { token = world.token('adele'), headers, ...rest } = init;
    return fetch(`${url}${path}`, { ...rest, headers: { authorization: `Bearer ${token}`, ...headers } });
  }

  it('are forwarded with a token of the downstream', async () => {
    const response = await call('/api/orders?status=open', {
      headers: { 'x-forwarded-for': '192.0.2.1', cookie: 'a=b' },
    });
    expect([response.status, await response.json()]).toEqual([200, { path: '/base/orders?status=open' }]);
    expect(valuesOf(orders.last.rawHeaders, 'cookie')).toEqual([]);
    expect(valuesOf(orders.last.rawHeaders, 'x-forwarded-for')).toEqual(['127.0.0.1']);
  });

  it('stream bodies', async () => {
    const response = await call('/api/orders', {
      method: 'POST',
      body: '{"customer":"x"}',
      headers: { 'content-type': 'application/json' },
    });
    expect([response.status, orders.last.body.toString()]).toEqual([200, '{"customer":"x"}']);
  });

  it('refuse in the words of the gateway, with the path that the client asked for', async () => {
    const response = await call('/api/orders', { token: 'none' });
    expect([response.status, await readProblem(response)]).toMatchObject([
      401,
      { code: 'invalid_token', instance: '/api/orders' },
    ]);
  });

  it('leave other paths to the application', async () => {
    expect(await (await call('/api/own')).text()).toBe('own');
  });

  it('know the methods of their paths', async () => {
    const response = await call('/api/orders', { method: 'DELETE' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, POST, HEAD']);
  });

  it('say so when another middleware has read the body', async () => {
    const response = await call('/read/orders', {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    });
    expect([response.status, await response.text()]).toEqual([
      500,
      expect.stringContaining('Mount obo.proxy() before express.json()'),
    ]);
  });

  it('name their own addresses below the path of the application', async () => {
    orders.answer = answerWith(201, ['location', `http://127.0.0.1:${orders.port}/base/orders/7`]);
    const response = await call('/api/orders', { method: 'POST', body: '' });
    expect(response.headers.get('location')).toBe('/api/orders/7');
  });

  it('publish their document, whose server is beside it', async () => {
    const response = await call('/api/openapi.json');
    expect(await response.json()).toMatchObject({ info: { title: 'Orders' }, servers: [{ url: '.' }] });
  });
});

describe('what cannot be served', () => {
  it('is told when an operation is a WebSocket, because no handler gets its connection', () => {
    obo.proxy();
    const told = world.lines.find(({ message }) => message?.includes('WebSockets') === true);
    expect(told).toMatchObject({
      level: 'warn',
      fields: { operations: ['watchOrders'], remedy: expect.stringContaining('with the gateway') },
    });
  });

  it('is refused like everything else once the instance is closed', async () => {
    const { emulator } = world;
    const ended = await startApplicationWorld({
      emulator,
      contract: [{ document: file, security: [{ user: [SCOPE] }] }],
    });
    const app = express();
    app.use(ended.obo.proxy());
    app.use(ended.obo.answerErrors());
    const url = await ended.listen(app);
    await ended.obo.close();
    const response = await fetch(`${url}/orders`, { headers: { authorization: `Bearer ${world.token('guest')}` } });
    expect((await readProblem(response)).code).toBe('overloaded');
    await ended.close();
  });
});

describe('beside a contract', () => {
  it('protect() tells of a scope that the contract does not have, which may be one of the application', () => {
    obo.protect({ scopes: ['Orders.Raed'] });
    const told = world.lines.find(({ message }) => message?.includes('the contract does not have') === true);
    expect(told).toMatchObject({
      level: 'warn',
      fields: { scope: 'Orders.Raed', remedy: expect.stringContaining('Orders.Read') },
    });
  });
});
