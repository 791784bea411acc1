import { once } from 'node:events';
import { Agent, createServer, request, type IncomingMessage } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { MAIL_AGENT_ID, ORDERS_AGENT_ID } from '../../dev/emulator/demo-agents.ts';
import { GATEWAY_CLIENT_ID } from '../../dev/emulator/world.ts';
import { ConfigFiles } from '../../src/config/config-files.ts';
import { createGateway, type Gateway } from '../../src/gateway.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { scope } from '../support/gateway-contract.ts';
import { answerChallenge, answerWith, valuesOf } from '../support/gateway-downstream.ts';
import { until } from '../support/gateway-poll.ts';
import { readSeries } from '../support/metrics-page.ts';
import { startReloadWorld, type Deployment } from '../support/reload-world.ts';

const world = await startReloadWorld();
const { emulator, old, next, file, env, nextUrl, write, bearer } = world;

const lines: Record<string, unknown>[] = [];
const log = createLogger({ write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) }, 'info');
let files: ConfigFiles;
let gateway: Gateway;
let url = '';
let managementUrl = '';
let ahead = 0;

beforeEach(async () => {
  lines.length = 0;
  ahead = 0;
  await write();
  files = new ConfigFiles(file, env);
  gateway = createGateway(await files.load(), { logger: log, monotonicMs: () => performance.now() + ahead });
  ({ url, managementUrl } = await gateway.start());
  await until('the gateway is ready', async () => (await fetch(`${managementUrl}/readyz`)).ok);
});
afterEach(async () => {
  await gateway.stop();
  emulator.resetSwitches();
  old.answer = answerWith(200, [], 'old');
  next.answer = answerWith(200, [], 'next');
});
afterAll(() => world.close());

/** Writes other files, and reloads. */
async function reload(deployment?: Deployment): Promise<unknown> {
  await write(deployment);
  await gateway.reload(() => files.reload());
  return lines.findLast(({ event }) => event === 'config.reloaded');
}

async function call(path: string, headers: Record<string, string>): Promise<Response> {
  const response = await fetch(`${url}${path}`, { headers });
  await response.clone().text();
  return response;
}

async function statusOf(path: string, headers: Record<string, string>): Promise<number> {
  return (await call(path, headers)).status;
}

/** How many exchanges a call costs, and its status. */
async function costOf(path: string, headers: Record<string, string>): Promise<[number, number]> {
  const before = emulator.exchanges.length;
  const status = await statusOf(path, headers);
  return [status, emulator.exchanges.length - before];
}

async function readMetrics(): Promise<string> {
  return (await fetch(`${managementUrl}/metrics`)).text();
}

describe('a session after a reload', () => {
  it.each<[string, Deployment]>([
    ['nothing', {}],
    ['the log', { log: { level: 'warn', requests: 'errors' } }],
    ['the address of the API', { api: { baseUrl: nextUrl } }],
    ['other downstreams', { downstreams: { mail: { baseUrl: nextUrl, scopes: ['api://mail/.default'] } } }],
    ['the rules for tokens, which it still meets', { identity: { clockTolerance: '30s', boundTokens: 'refuse' } }],
  ])('that changed %s goes on with its downstream token', async (_what, deployment) => {
    const headers = bearer();
    const first = await costOf('/me', headers);
    await reload(deployment);
    expect([first, await costOf('/me', headers)]).toEqual([
      [200, 1],
      [200, 0],
    ]);
  });

  it('that changed the scopes of a downstream gets no token of the old ones, and keeps those of others', async () => {
    const headers = bearer();
    await costOf('/me', headers);
    await costOf('/orders', headers);
    await reload({ api: { scopes: ['https://graph.microsoft.com/Mail.Read'] } });
    const costs = [await costOf('/me', headers), await costOf('/me', headers), await costOf('/orders', headers)];
    expect(costs).toEqual([
      [200, 1],
      [200, 0],
      [200, 0],
    ]);
    expect(emulator.exchanges.at(-1)?.scope).toContain('Mail.Read');
  });

  it('that changed the agent of a downstream gets no token of the one before, and none of it when it comes back', async () => {
    const headers = bearer();
    const actors: unknown[] = [];
    const costs: [number, number][] = [];
    for (const agent of [undefined, MAIL_AGENT_ID, ORDERS_AGENT_ID, undefined]) {
      await reload({ api: { agent } });
      costs.push(await costOf('/me', headers), await costOf('/me', headers));
      const [authorization = ''] = valuesOf(old.last.rawHeaders, 'authorization');
      actors.push(decodeJwt(authorization.replace('Bearer ', ''))['appid']);
    }
    expect(actors).toEqual([GATEWAY_CLIENT_ID, MAIL_AGENT_ID, ORDERS_AGENT_ID, GATEWAY_CLIENT_ID]);
    const again: [number, number] = [200, 0];
    // Of an agent's exchanges the first one costs a request for its client assertion as well.
    expect(costs).toEqual([[200, 1], again, [200, 2], again, [200, 2], again, [200, 1], again]);
  });

  it.each<[string, Deployment, number]>([
    ['a list of clients without its own', { identity: { allowedClients: ['someone-else'] } }, 403],
    ['another audience', { identity: { audiences: ['api://another'] } }, 401],
    ['a contract without the operation', { paths: { '/me': undefined } }, 404],
    [
      'an operation for apps only',
      {
        paths: {
          '/me': {
            get: {
              security: [{ daemon: ['Orders.Read.All'] }],
              'x-downstream': { service: 'api' },
              responses: { default: { description: 'Any.' } },
            },
          },
        },
      },
      403,
    ],
  ])(
    'with %s is refused on the next request, and served again when it is as before',
    async (_what, deployment, status) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const headers = bearer();
      const before = await overConnection(agent, headers);
      await reload(deployment);
      const during = await overConnection(agent, headers);
      await reload();
      const after = await overConnection(agent, headers);
      agent.destroy();
      expect([before, during, after]).toEqual([200, status, 200]);
    },
  );

  it('does not remember a challenge of an operation that is another one now', async () => {
    const claims = Buffer.from('{"access_token":{"nbf":{"essential":true,"value":"9"}}}').toString('base64');
    old.answer = answerChallenge(`Bearer error="insufficient_claims", claims="${claims}"`);
    const headers = bearer();
    const challenged = [await statusOf('/me', headers), await statusOf('/me', headers)];
    const asked = old.requests.length;
    await statusOf('/me', headers);
    const remembered = old.requests.length === asked;
    await reload({ log: { level: 'warn' } });
    await statusOf('/me', headers);
    const stillRemembered = old.requests.length === asked;
    await reload({ api: { baseUrl: nextUrl } });
    expect([challenged, remembered, stillRemembered, await statusOf('/me', headers)]).toEqual([
      [401, 401],
      true,
      true,
      200,
    ]);
  });
});

async function overConnection(agent: Agent, headers: Record<string, string>): Promise<number | undefined> {
  const sent = request(`${url}/me`, { agent, headers }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  await response.toArray();
  return response.statusCode;
}

describe('a downstream after a reload', () => {
  it('keeps its connections where it is reached as before, and ends them where it is not', async () => {
    let opened = 0;
    let closed = 0;
    const server = createServer((_req, res) => res.end('here')).listen(0, '127.0.0.1');
    server.on('connection', (socket) => {
      opened += 1;
      socket.once('close', () => (closed += 1));
    });
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const api = { baseUrl: `http://127.0.0.1:${port}` };
    await reload({ api });
    await statusOf('/open', {});
    await reload({ api: { ...api, headers: { set: { 'x-api-key': 'other' } } }, log: { requests: 'errors' } });
    await statusOf('/open', {});
    const kept = [opened, closed];
    await reload({ api: { ...api, timeout: { response: '9s' } } });
    await until('the connection ends', () => closed === 1);
    await statusOf('/open', {});
    server.close();
    server.closeAllConnections();
    expect([kept, opened]).toEqual([[1, 0], 2]);
  });

  it('keeps an open circuit where it is the same API, and begins with a closed one where it is another', async () => {
    const gone = { api: { baseUrl: 'http://127.0.0.1:1' } };
    await reload(gone);
    for (let calls = 0; calls < 50; calls += 1) {
      await statusOf('/open', {});
    }
    const open = await statusOf('/open', {});
    await reload({ api: { ...gone.api, timeout: { idle: '9s' } } });
    const still = await statusOf('/open', {});
    await reload();
    const page = await readMetrics();
    expect([open, still, await statusOf('/open', {})]).toEqual([503, 503, 200]);
    const openings = readSeries(page, 'gateway_circuit_openings_total{circuit="downstream:api"}');
    expect([readSeries(page, 'gateway_circuit_state{circuit="downstream:api"}'), openings]).toEqual([0, 1]);
  });
});

describe('the metrics after a reload', () => {
  it('have the series of new downstreams with 0, no circuit of a removed one, and no counter that fell', async () => {
    const mail = { baseUrl: nextUrl, scopes: ['api://mail/.default'] };
    const series = 'gateway_exchanges_total{downstream="api",outcome="token"}';
    await statusOf('/me', bearer());
    await reload({ downstreams: { mail } });
    const added = await readMetrics();
    await reload();
    const removed = await readMetrics();
    expect([
      readSeries(added, 'gateway_exchanges_total{downstream="mail",outcome="token"}'),
      readSeries(added, 'gateway_circuit_state{circuit="downstream:mail"}'),
      readSeries(removed, 'gateway_circuit_state{circuit="downstream:mail"}'),
      readSeries(added, series),
      readSeries(removed, series),
      readSeries(removed, 'gateway_exchange_duration_seconds_count{downstream="api",outcome="token"}'),
    ]).toEqual([0, 0, undefined, 1, 1, 1]);
  });
});

describe('what a reload tells', () => {
  it('names what changed by its keys, and no value', async () => {
    expect(
      await reload({
        server: { cors: { origins: ['https://app.contoso.com'] }, maxInFlight: 5 },
        api: { headers: { set: { 'x-api-key': 'very-secret' } } },
        downstreams: { mail: { baseUrl: nextUrl, scopes: ['api://mail/.default'] } },
        paths: { '/orders': undefined },
      }),
    ).toMatchObject({
      outcome: 'applied',
      changed: [
        'contract',
        'server.cors.origins',
        'server.maxInFlight',
        'downstreams.mail',
        'downstreams.api.headers.set',
      ],
      needRestart: [],
    });
    expect(JSON.stringify(lines)).not.toContain('very-secret');
  });

  it('of a configuration that differs in what needs a restart is a refusal that names the keys', async () => {
    const config = await files.load();
    await gateway.reload(async () => ({
      config: { ...config, server: { ...config.server, host: 'localhost' } },
      needRestart: [],
    }));
    expect(lines.findLast(({ event }) => event === 'config.reloaded')).toMatchObject({
      outcome: 'refused',
      faults: ['server.host'],
    });
  });
});

describe('the authorization façade of MCP servers', () => {
  const paths = {
    '/mcp': { 'x-mcp-server': { service: 'api', security: [{ user: [scope('Profile.Read')] }] } },
  };
  const facade = { paths, identity: { allowedClients: ['a'] } };
  const mcp = { authorizationServer: 'facade', rateLimit: { requests: 2, per: '1h' } };
  const metadata = '/.well-known/oauth-authorization-server/mcp';

  it('comes and goes with a reload, and its limit counts on where nothing of it changed', async () => {
    const statuses = [];
    for (const deployment of [{ paths }, { ...facade, mcp }, { ...facade, mcp, log: { level: 'warn' } }, facade]) {
      await reload(deployment);
      statuses.push([await statusOf(metadata, {}), await statusOf('/mcp/authorize', {})]);
      statuses.push(await statusOf('/mcp/authorize', {}));
    }
    expect(statuses).toEqual([[404, 404], 404, [200, 400], 400, [200, 429], 429, [404, 404], 404]);
  });
});

describe('three hundred reloads', () => {
  it('leave no memory, connection or timer behind', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    await write();
    const one = (await files.reload()).config;
    await write({ api: { baseUrl: nextUrl, timeout: { idle: '9s' } } });
    const other = (await files.reload()).config;
    const headers = bearer();
    const turn = async (times: number): Promise<void> => {
      for (let round = 0; round < times; round += 1) {
        const config = round % 2 === 0 ? other : one;
        await gateway.reload(async () => ({ config, needRestart: [] }));
        if (round % 10 === 0) {
          await statusOf('/me', headers);
        }
      }
      await new Promise((resolve) => setImmediate(resolve));
      lines.length = 0;
      collect();
    };
    await turn(50);
    const before = { heap: process.memoryUsage().heapUsed, handles: process.getActiveResourcesInfo().length };
    await turn(300);
    const after = { heap: process.memoryUsage().heapUsed, handles: process.getActiveResourcesInfo().length };
    // A deployment that stayed would take some 50 kB each time.
    expect(after.heap - before.heap).toBeLessThan(5 * 1_024 * 1_024);
    expect(after.handles - before.handles).toBeLessThan(20);
  }, 120_000);
});
