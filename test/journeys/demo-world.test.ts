import { afterAll, describe, expect, it } from '@jest/globals';
import { FIRST_ORDER_ID } from '../../dev/demo-apis/order-book.ts';
import { startWorld } from '../../dev/world.ts';
import { rawRequest } from '../support/raw-request.ts';

const world = await startWorld();
afterAll(() => world.close());

const token = world.emulator.issueAccessToken({ user: 'adele' });
const steppedUp = world.emulator.issueAccessToken({ user: 'adele', acrs: ['c1'] });
const order = JSON.stringify({ customer: 'Fabrikam', lines: [{ article: 'nut', quantity: 1 }] });

function call(
  method: string,
  path: string,
  more: { body?: string; type?: string; token?: string } = {},
): Promise<Response> {
  const headers = new Headers({ authorization: `Bearer ${more.token ?? token}` });
  if (more.body !== undefined) {
    headers.set('content-type', more.type ?? 'application/json');
  }
  return fetch(`${world.gatewayUrl}${path}`, {
    method,
    headers,
    ...(more.body === undefined ? {} : { body: more.body }),
  });
}

describe('does each operation of openapi.yaml work', () => {
  const operations = [
    { id: 'getStatus', send: () => call('GET', '/status'), status: 200, body: { open: true } },
    { id: 'getProfile', send: () => call('GET', '/me'), status: 200, body: { displayName: 'Adele Vance' } },
    { id: 'listMessages', send: () => call('GET', '/me/messages?$top=2'), status: 200, body: { value: { length: 2 } } },
    {
      id: 'listOrders',
      send: () => call('GET', '/orders?status=shipped&limit=1'),
      status: 200,
      body: { value: [{ id: FIRST_ORDER_ID }] },
    },
    {
      id: 'createOrder',
      send: () => call('POST', '/orders', { body: order }),
      status: 201,
      body: { customer: 'Fabrikam' },
    },
    { id: 'getOrder', send: () => call('GET', `/orders/${FIRST_ORDER_ID}`), status: 200, body: { id: FIRST_ORDER_ID } },
    {
      id: 'replaceOrder',
      send: () => call('PUT', `/orders/${FIRST_ORDER_ID}`, { body: order }),
      status: 200,
      body: { lines: [{ article: 'nut', quantity: 1 }] },
    },
    {
      id: 'attachFile',
      send: () =>
        call('PUT', `/orders/${FIRST_ORDER_ID}/attachment`, { body: 'a file', type: 'application/octet-stream' }),
      status: 200,
      body: { bytes: 6 },
    },
    {
      id: 'readCatalogue',
      send: () => call('GET', '/catalogue/a/b%20c'),
      status: 200,
      body: { path: '/catalogue/a/b%20c' },
    },
    {
      id: 'approvePayout',
      send: () =>
        call('POST', '/payouts', { body: JSON.stringify({ orderId: FIRST_ORDER_ID, amount: 5 }), token: steppedUp }),
      status: 202,
      body: { payoutId: expect.any(String) },
    },
  ];

  it.each(operations)('$id', async ({ send, status, body }) => {
    const response = await send();
    expect([response.status, await response.json()]).toMatchObject([status, body]);
  });

  it('cancelOrder', async () => {
    expect((await call('DELETE', `/orders/${FIRST_ORDER_ID}`)).status).toBe(204);
  });

  it('exportOrders', async () => {
    const response = await call('GET', '/orders/export?megabytes=3');
    expect([response.status, (await response.arrayBuffer()).byteLength]).toEqual([200, 3 * 1_024 * 1_024]);
  });

  it('watchOrders tells of a change as it happens', async () => {
    const feed = await call('GET', '/orders/feed');
    const reader = feed.body?.pipeThrough(new TextDecoderStream()).getReader();
    await reader?.read();
    await call('POST', '/orders', { body: order });
    const { value } = (await reader?.read()) ?? {};
    expect([feed.headers.get('content-type'), value]).toEqual([
      expect.stringContaining('text/event-stream'),
      expect.stringContaining('event: order'),
    ]);
    await reader?.cancel();
  });

  it('every operation of the published contract was called above', async () => {
    const published = (await (await call('GET', '/openapi.json')).json()) as {
      paths: Record<string, Record<string, { operationId?: string }>>;
    };
    const ids = Object.values(published.paths).flatMap((item) =>
      Object.values(item).flatMap(({ operationId }) => operationId ?? []),
    );
    const called = [...operations.map(({ id }) => id), 'cancelOrder', 'exportOrders', 'watchOrders'];
    expect(ids.toSorted()).toEqual(called.toSorted());
  });
});

describe('do the refusals of the demo world come out as the contract says', () => {
  it('a payout without the authentication context is asked for it', async () => {
    const response = await call('POST', '/payouts', { body: JSON.stringify({ orderId: FIRST_ORDER_ID, amount: 5 }) });
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining('cc_type="authcontext"'),
    ]);
  });

  it('Graph revokes: the gateway asks Entra with Graph’s claims, and the caller is told what to prove', async () => {
    const guest = world.emulator.issueAccessToken({ user: 'guest' });
    expect((await call('GET', '/me', { token: guest })).status).toBe(200);
    world.emulator.revokeUser('guest');
    const refused = await call('GET', '/me', { token: guest });
    const claims = /claims="([^"]+)"/.exec(refused.headers.get('www-authenticate') ?? '')?.[1] ?? '';
    expect([refused.status, JSON.parse(Buffer.from(claims, 'base64').toString())]).toEqual([
      401,
      { access_token: { nbf: { essential: true, value: expect.stringMatching(/^\d+$/) } } },
    ]);
    const accepted = await call('GET', '/me', { token: world.emulator.issueAccessToken({ user: 'guest' }) });
    expect(accepted.status).toBe(200);
  });

  it('a Host that the client made up changes nothing', async () => {
    const port = Number(new URL(world.gatewayUrl).port);
    const response = await rawRequest(port, ['GET /me HTTP/1.1', 'Host: evil.example', 'Connection: close']);
    expect([response.status, response.header('www-authenticate')?.includes('evil')]).toEqual([401, false]);
  });
});
