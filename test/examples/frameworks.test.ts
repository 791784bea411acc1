import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import express from 'express';
import { startGraph } from '../../dev/demo-apis/graph.ts';
import { startOrders } from '../../dev/demo-apis/orders.ts';
import { startEmulator } from '../../dev/emulator/emulator.ts';
import { GRAPH_APP_ID, ORDERS_APP_ID } from '../../dev/emulator/world.ts';
import { readDashboard } from '../../examples/frameworks/dashboard.ts';
import { createFastifyServer } from '../../examples/frameworks/fastify.ts';
import { createHonoApplication } from '../../examples/frameworks/hono.ts';
import { createNodeServer } from '../../examples/frameworks/node-http.ts';
import type { Obo } from '../../src/index.ts';
import { startApplicationWorld, type ApplicationWorld, type LoggedLine } from '../support/application-world.ts';
import { until } from '../support/gateway-poll.ts';
import { readClaims, readProblem } from '../support/gateway-world.ts';

const emulator = await startEmulator();
const [demoGraph, demoOrders] = await Promise.all([startGraph({ emulator }), startOrders({ emulator })]);
const policies = [...emulator.world.policies];
let world: ApplicationWorld;
let expressUrl: string;

beforeAll(async () => {
  world = await startApplicationWorld({
    emulator,
    graph: { baseUrl: demoGraph.origin },
    orders: { baseUrl: demoOrders.origin, scopes: ['api://orders/.default'] },
  });
  const { obo } = world;
  const app = express();
  app.disable('x-powered-by');
  app.get('/dashboard', obo.protect({ scopes: ['Profile.Read'] }), async (req, res) => {
    res.json(await readDashboard(obo, req));
  });
  app.use(obo.answerErrors());
  expressUrl = await world.listen(app);
});
afterAll(async () => {
  await world.close();
  await Promise.all([demoGraph.close(), demoOrders.close()]);
  await emulator.close();
});
afterEach(() => {
  emulator.world.policies = [...policies];
});

let serial = 0;
function token(user: string, more: Parameters<ApplicationWorld['token']>[1] = {}): string {
  serial += 1;
  return world.token(user, { ...more, claims: { uti: `token ${serial}` } });
}

function demandMfa(id: string, on: string): void {
  emulator.world.policies.push({ id, name: id, on, users: ['guest'], requires: 'mfa', enabled: true });
}

interface Served {
  readonly url: string;
  close(): Promise<unknown>;
}

const FRAMEWORKS: readonly (readonly [name: string, start: (obo: Obo) => Promise<Served>])[] = [
  [
    'Fastify',
    async (obo) => {
      const app = createFastifyServer(obo);
      const url = await app.listen({ port: 0, host: '127.0.0.1' });
      return { url, close: () => app.close() };
    },
  ],
  ['Hono', (obo) => listen(createAdaptorServer({ fetch: createHonoApplication(obo).fetch }) as Server)],
  ['node:http', (obo) => listen(createNodeServer(obo))],
];

async function listen(server: Server): Promise<Served> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}

describe.each(FRAMEWORKS)('an application on %s', (_name, start) => {
  let served: Served;
  beforeAll(async () => {
    served = await start(world.obo);
  });
  afterAll(() => served.close());

  function call(bearer: string, headers: Readonly<Record<string, string>> = {}, at = served.url): Promise<Response> {
    return fetch(`${at}/dashboard?from=test`, { headers: { ...headers, authorization: `Bearer ${bearer}` } });
  }

  it('serves its page with the answers of two APIs', async () => {
    const response = await call(token('adele'));
    expect([response.status, await response.json()]).toEqual([
      200,
      { name: 'Adele Vance', customers: expect.arrayContaining([expect.any(String)]) },
    ]);
  });

  it.each([
    ['a bad token', () => 'none'],
    ['a token without the scope', () => token('adele', { scopes: ['Orders.Read'] })],
    ['a user whom Entra wants to prove more', () => token('megan')],
    ['a user who is blocked', () => token('blocked')],
  ])('refuses %s with the bytes of Express', async (_what, make) => {
    const bearer = make();
    const [one, other] = await Promise.all(
      [served.url, expressUrl].map((at) => call(bearer, { 'x-request-id': 'same' }, at)),
    );
    expect([one?.status, await one?.text()]).toEqual([other?.status, await other?.text()]);
    expect(withoutConnection(one)).toEqual(withoutConnection(other));
  });

  it('asks once for what two APIs want', async () => {
    demandMfa('a1111111-0000-4000-8000-000000000001', GRAPH_APP_ID);
    demandMfa('a1111111-0000-4000-8000-000000000002', ORDERS_APP_ID);
    const refused = await call(token('guest'));
    expect([refused.status, (await readProblem(refused)).code]).toEqual([401, 'insufficient_claims']);
    expect(readClaims(refused)).toMatch(/0001.*0002|0002.*0001/);
    expect((await call(token('guest', { amr: ['pwd', 'mfa'] }))).status).toBe(200);
  });

  it('has a line in the log, under the name of its page', async () => {
    const before = world.lines.length;
    await (await call(token('adele'))).text();
    const find = (): LoggedLine | undefined => world.lines.slice(before).find(({ message }) => message === 'request');
    await until('the request is logged', () => find() !== undefined);
    expect(find()?.fields).toMatchObject({ operation: 'GET /dashboard', status: 200, via: 'application' });
  });
});

function withoutConnection(response?: Response): Record<string, string> {
  const {
    date: _date,
    connection: _connection,
    'keep-alive': _keepAlive,
    ...others
  } = Object.fromEntries(response?.headers ?? []);
  return others;
}
