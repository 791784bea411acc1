import { createHash } from 'node:crypto';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { FIRST_ORDER_ID } from '../../dev/demo-apis/order-book.ts';
import { startGraph } from '../../dev/demo-apis/graph.ts';
import { startMailbox } from '../../dev/demo-apis/mailbox.ts';
import { startOrders } from '../../dev/demo-apis/orders.ts';
import { startEmulator } from '../../dev/emulator/emulator.ts';
import { GRAPH_MFA_POLICY_ID } from '../../dev/emulator/world.ts';
import { readClaims } from '../../examples/recover/next-step.ts';

const emulator = await startEmulator();
const graph = await startGraph({ emulator });
const orders = await startOrders({ emulator });
const mailbox = await startMailbox({ emulator, graphOrigin: graph.origin });
afterAll(() => Promise.all([emulator.close(), graph.close(), orders.close(), mailbox.close()]));
afterEach(() => {
  orders.resetTrouble();
});

function bearer(user: string, resource: string): Record<string, string> {
  return { authorization: `Bearer ${emulator.issueAccessToken({ user, resource })}` };
}

const adele = bearer('adele', 'orders');
const json = { ...adele, 'content-type': 'application/json' };
const order = JSON.stringify({ customer: 'Fabrikam', lines: [{ article: 'nut', quantity: 1 }] });

/** Calls a tool of the mailbox. */
function callTool(name: string, headers: Record<string, string>): Promise<Response> {
  return fetch(`${mailbox.origin}/mcp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } }),
  });
}

describe('an error page of the world', () => {
  it.each([
    { of: 'Orders', url: `${orders.origin}/orders`, method: 'POST' },
    { of: 'the mailbox', url: `${mailbox.origin}/mcp`, method: 'POST' },
    { of: 'Entra', url: `${emulator.origin}/_emulator/switches`, method: 'PUT' },
  ])('of $of shows nothing of the machine', async ({ url, method }) => {
    const init: RequestInit = { method, headers: json, body: '{' };
    const response = await fetch(url, init);
    expect([response.status, await response.text()]).toEqual([400, expect.not.stringContaining('.js:')]);
  });
});

describe('Graph', () => {
  it('tells who is signed in', async () => {
    const response = await fetch(`${graph.origin}/v1.0/me`, { headers: bearer('adele', 'graph') });
    expect(await response.json()).toMatchObject({ displayName: 'Adele Vance' });
  });

  it('sends as many messages as asked', async () => {
    const response = await fetch(`${graph.origin}/v1.0/me/messages?$top=2`, { headers: bearer('adele', 'graph') });
    expect(((await response.json()) as { value: unknown[] }).value).toHaveLength(2);
  });

  it.each([
    { when: 'there is no token', headers: {} },
    { when: 'the token is for another API', headers: bearer('adele', 'orders') },
  ])('answers 401 without claims when $when', async ({ headers }) => {
    const response = await fetch(`${graph.origin}/v1.0/me`, { headers });
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([
      401,
      expect.not.stringContaining('claims'),
    ]);
  });

  it('challenges a token from before the revocation in the form of Graph', async () => {
    const headers = bearer('guest', 'graph');
    emulator.revokeUser('guest');
    const response = await fetch(`${graph.origin}/v1.0/me`, { headers });
    const [, claims = ''] =
      /error="insufficient_claims", claims="([^"]+)"$/.exec(response.headers.get('www-authenticate') ?? '') ?? [];
    expect([response.status, Buffer.from(claims, 'base64').toString()]).toEqual([
      401,
      expect.stringMatching(/^\{"access_token":\{"nbf":\{"essential":true, "value":"\d+"\}\}\}$/),
    ]);
  });

  it('follows the emulator to a new key', async () => {
    await emulator.rollKeys();
    const response = await fetch(`${graph.origin}/v1.0/me`, { headers: bearer('adele', 'graph') });
    expect(response.status).toBe(200);
  });
});

describe('Orders', () => {
  it('is open to anybody at /status only', async () => {
    const statuses = await Promise.all(['/status', '/orders'].map((path) => fetch(orders.origin + path)));
    expect(statuses.map(({ status }) => status)).toEqual([200, 401]);
  });

  it('places, changes and cancels an order', async () => {
    const placed = await fetch(`${orders.origin}/orders`, { method: 'POST', headers: json, body: order });
    const place = orders.origin + (placed.headers.get('location') ?? '');
    const changed = await fetch(place, { method: 'PUT', headers: json, body: order.replace('nut', 'bolt') });
    const cancelled = await fetch(place, { method: 'DELETE', headers: adele });
    const now = (await (await fetch(place, { headers: adele })).json()) as object;
    expect([placed.status, changed.status, cancelled.status, now]).toEqual([
      201,
      200,
      204,
      expect.objectContaining({ status: 'cancelled', lines: [{ article: 'bolt', quantity: 1 }] }),
    ]);
  });

  it('lets an app with the role read but not write', async () => {
    const headers = {
      authorization: `Bearer ${emulator.issueAccessToken({ app: 'gateway', resource: 'orders' })}`,
      'content-type': 'application/json',
    };
    const read = await fetch(`${orders.origin}/orders`, { headers });
    const write = await fetch(`${orders.origin}/orders`, { method: 'POST', headers, body: order });
    expect([read.status, write.status]).toEqual([200, 403]);
  });

  it('tells of each change on the feed', async () => {
    const leaving = new AbortController();
    const feed = await fetch(`${orders.origin}/orders/feed`, { headers: adele, signal: leaving.signal });
    const reader = (feed.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    await fetch(`${orders.origin}/orders`, { method: 'POST', headers: json, body: order });
    const { value } = await reader.read();
    leaving.abort();
    expect(Buffer.from(value ?? []).toString()).toMatch(/^event: order\ndata: \{.*"customer":"Fabrikam".*\}\n\n$/);
  });

  it('answers a HEAD of the feed at once, for it has no body', async () => {
    const response = await fetch(`${orders.origin}/orders/feed`, { method: 'HEAD', headers: adele });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  });

  it('exports the size that was asked', async () => {
    const response = await fetch(`${orders.origin}/orders/export?megabytes=3`, { headers: adele });
    const { byteLength } = await response.arrayBuffer();
    expect([byteLength, response.headers.get('content-length')]).toEqual([3 * 1024 * 1024, String(byteLength)]);
  });

  it('counts and hashes an attachment, and notes its size', async () => {
    const body = Buffer.alloc(200_000, 'x');
    const url = `${orders.origin}/orders/${FIRST_ORDER_ID}/attachment`;
    const response = await fetch(url, { method: 'PUT', headers: adele, body });
    expect([await response.json(), orders.requests.at(-1)?.bodyBytes]).toEqual([
      { bytes: body.length, sha256: createHash('sha256').update(body).digest('hex') },
      body.length,
    ]);
  });

  it('shows the path that it saw', async () => {
    const response = await fetch(`${orders.origin}/catalogue/a/b%20c?d=1`, { headers: adele });
    expect(await response.json()).toEqual({ path: '/catalogue/a/b%20c?d=1' });
  });
});

describe('trouble', () => {
  it('is over after the number of times', async () => {
    Object.assign(orders.trouble, { times: 1, challenge: 'Bearer error="x"' });
    const answers = [await fetch(`${orders.origin}/status`), await fetch(`${orders.origin}/status`)];
    expect(answers.map(({ status, headers }) => [status, headers.get('www-authenticate')])).toEqual([
      [401, 'Bearer error="x"'],
      [200, null],
    ]);
  });

  it.each([{ reset: true }, { breakMidBody: true }])('breaks the connection: %j', async (trouble) => {
    Object.assign(orders.trouble, trouble);
    const read = fetch(`${orders.origin}/status`).then((response) => response.arrayBuffer());
    await expect(read).rejects.toThrow();
  });

  it('never answers', async () => {
    orders.trouble.hang = true;
    await expect(fetch(`${orders.origin}/status`, { signal: AbortSignal.timeout(50) })).rejects.toThrow();
  });

  it('answers with any status and headers', async () => {
    Object.assign(orders.trouble, { status: 503, headers: { 'retry-after': '9' } });
    const { status, headers } = await fetch(`${orders.origin}/status`);
    expect([status, headers.get('retry-after')]).toEqual([503, '9']);
  });
});

describe('the mailbox', () => {
  it('asks Graph on behalf of the user', async () => {
    const response = await callTool('who_am_i', bearer('adele', 'mailbox'));
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('Adele Vance')]);
  });

  it.each([
    { when: 'there is no token', headers: {} },
    { when: 'the token is for another API', headers: bearer('adele', 'graph') },
  ])('answers 401 when $when', async ({ headers }) => {
    const response = await callTool('who_am_i', headers);
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="mailbox"']);
  });

  it('answers 401 with the claims that Entra wants for Graph', async () => {
    const response = await callTool('list_messages', bearer('megan', 'mailbox'));
    expect([response.status, readClaims(response.headers.get('www-authenticate'))]).toEqual([
      401,
      expect.stringContaining(GRAPH_MFA_POLICY_ID),
    ]);
  });

  it('says that there is no such tool', async () => {
    const response = await callTool('forward_all', bearer('adele', 'mailbox'));
    expect(await response.text()).toMatch(/"code":-32602|not found/);
  });
});
