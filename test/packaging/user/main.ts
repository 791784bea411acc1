/**
 * A program of somebody who uses the package: it is compiled by strict rules against the installed tarball, and uses every
 * export. What it prints is what it saw, as JSON.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler, type RequestHandler } from 'express';
import express4 from 'express4';
import passport from 'passport';
import {
  ConfigError,
  createApi,
  createGateway,
  createObo,
  loadOpenTelemetry,
  OboError,
  OboUsageError,
  type AnswerErrors,
  type Api,
  type ApplicationLogger,
  type ConfigFault,
  type DownstreamClient,
  type DownstreamFetch,
  type FailureCode,
  type Gateway,
  type GatewayAddresses,
  type GatewayOptions,
  type MessageLike,
  type Middleware,
  type Obo,
  type OboAccessToken,
  type OboCaller,
  type OboHealth,
  type OboOptions,
  type OboStrategy,
  type Principal,
  type ProblemAnswer,
  type Protection,
  type TokenOptions,
} from 'obo-gateway';
import { loadConfig, type GatewayConfig } from 'obo-gateway/config';
import schema from 'obo-gateway/gateway.schema.json' with { type: 'json' };
import manifest from 'obo-gateway/package.json' with { type: 'json' };

const { ENTRA_URL = '', GRAPH_URL = '', ORDERS_URL = '', ADELE = '', MEGAN = '', DAEMON = '' } = process.env;

const warnings: (string | undefined)[] = [];
const logger: ApplicationLogger = { warn: (_fields, message) => warnings.push(message) };
const options: OboOptions = {
  config: {
    identity: {
      authority: ENTRA_URL,
      tenant: '72f988bf-86f1-41af-91ab-2d7cd011db47',
      clientId: '6e74172b-be56-4843-9ff4-e66a39bb12e3',
      credential: { secret: '${CLIENT_SECRET}' },
    },
    downstreams: {
      graph: { baseUrl: GRAPH_URL, scopes: ['https://graph.microsoft.com/User.Read'] },
      orders: { baseUrl: ORDERS_URL, scopes: ['api://orders/.default'] },
    },
  },
  logger,
  env: { CLIENT_SECRET: 'demo-secret-of-the-gateway' },
};
const obo: Obo = await createObo(options);

const users: Protection = { scopes: ['Profile.Read'] };
const apps: Protection = { roles: ['Orders.Read.All'], name: 'orders' };
const protect: Middleware = obo.protect(users, apps);
const answerErrors: AnswerErrors = obo.answerErrors();
const strategy: OboStrategy = obo.strategy(users);

const showCaller: RequestHandler = (req, res) => {
  const { principal }: OboCaller = req.obo;
  const { kind, scopes }: Principal = principal;
  res.json({ kind, canRead: scopes.has('Profile.Read') });
};

const showPage: RequestHandler = async (req, res, next) => {
  try {
    const graph: DownstreamClient = obo.downstream(req, 'graph');
    const fetchOrders: DownstreamFetch = obo.downstream(req, 'orders').fetch;
    const [me, orders] = await Promise.all([
      graph.get<{ readonly displayName: string }>('/v1.0/me'),
      fetchOrders('/orders?status=open'),
    ]);
    const how: TokenOptions = {};
    const token: OboAccessToken = await graph.token(how);
    const authorization: string = await graph.authorization();
    res.json({
      name: me.data.displayName,
      orders: orders.status,
      isOneToken: authorization === `Bearer ${token.token}` && token.expiresOnTimestamp > Date.now(),
    });
  } catch (error) {
    next(error);
  }
};

passport.use(strategy);
const withPassport: RequestHandler = passport.authenticate('obo', { session: false });

const newest = express();
newest.get('/who', protect, showCaller);
newest.get('/page', obo.protect(users), showPage);
newest.get('/passport', withPassport, showCaller);
newest.get('/forgotten', showPage);
newest.use(answerErrors);
const tellUsage: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  if (error instanceof OboUsageError) {
    res.status(500).json({ code: error.name });
  } else {
    next(error);
  }
};
newest.use(tellUsage);

const older = express4();
older.get('/who', protect, (req, res) => {
  res.json({ kind: req.obo.principal.kind });
});
older.get('/page', obo.protect(users), (req, res, next) => {
  const graph = obo.downstream(req, 'graph');
  graph
    .get<{ readonly displayName: string }>('/v1.0/me')
    .then(({ data }) => res.json({ name: data.displayName }), next);
});
older.use(answerErrors);

const bare = createServer((req, res) => {
  const answer = async (error: unknown): Promise<void> => {
    const message: MessageLike = req;
    const problem: ProblemAnswer | undefined = await obo.toProblem(error, message);
    const code: FailureCode | undefined = error instanceof OboError ? error.code : undefined;
    res.writeHead(problem?.status ?? 500, { ...problem?.headers, 'x-code': code ?? '' }).end(problem?.body);
  };
  protect(req, res, (error) => {
    void answer(error);
  });
});

/** What a server says to a caller: status and code, or what it answers. */
async function call(server: Server, path: string, token = ''): Promise<unknown> {
  const { port } = server.address() as AddressInfo;
  const headers = token === '' ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
  const body = (await response.json()) as { readonly code?: string };
  const hasChallenge = response.headers.has('www-authenticate');
  return response.ok ? body : [response.status, body.code, hasChallenge];
}

async function listFaults(): Promise<readonly string[]> {
  try {
    await createObo({ config: { identity: {} } });
    return [];
  } catch (error) {
    const faults: readonly ConfigFault[] = error instanceof ConfigError ? error.faults : [];
    return faults.map(({ at }) => at);
  }
}

/** What embeds the gateway itself; it is not started. */
function embed(config: GatewayConfig): readonly unknown[] {
  const more: GatewayOptions = {};
  const gateway: Gateway = createGateway(config, more);
  const start: () => Promise<GatewayAddresses> = () => gateway.start();
  const create: (of: GatewayConfig) => Api = createApi;
  // @ts-expect-error a gateway is no number, and the compiler knows it
  const wrong: number = gateway;
  return [start, create, loadOpenTelemetry, loadConfig, wrong];
}

const servers = [createServer(newest), createServer(older), bare] as const;
await Promise.all(servers.map((server) => once(server.listen(0, '127.0.0.1'), 'listening')));
let health: OboHealth = obo.health();
while (!health.ready) {
  await new Promise((resolve) => setTimeout(resolve, 10));
  health = obo.health();
}
const [five, four, node] = servers;
const seen = {
  five: {
    nobody: await call(five, '/who'),
    user: await call(five, '/who', ADELE),
    app: await call(five, '/who', DAEMON),
    page: await call(five, '/page', ADELE),
    stepUp: await call(five, '/page', MEGAN),
    passport: await call(five, '/passport', ADELE),
    forgotten: await call(five, '/forgotten', ADELE),
  },
  four: {
    nobody: await call(four, '/who'),
    page: await call(four, '/page', ADELE),
    stepUp: await call(four, '/page', MEGAN),
  },
  node: await call(node, '/'),
  counts: (await obo.metrics()).includes('gateway_http_requests_total{'),
  faults: await listFaults(),
  proxy: (() => {
    try {
      return typeof obo.proxy();
    } catch (error) {
      return error instanceof ConfigError && error.faults.map(({ at }) => at);
    }
  })(),
  embedded: typeof embed,
  package: [manifest.name, schema.title],
  warnings,
};
for (const server of servers) {
  server.close();
  server.closeAllConnections();
}
await obo.close();
console.log(JSON.stringify(seen));
