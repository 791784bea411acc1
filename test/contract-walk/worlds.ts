import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { startEmulator, type Emulator } from '../../dev/emulator/emulator.ts';
import { GATEWAY_CLIENT_ID, GATEWAY_CLIENT_SECRET, HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import { startWorld } from '../../dev/world.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { createGateway } from '../../src/gateway.ts';
import type { Tokens } from '../../src/verify/tokens.ts';

/** A gateway with all that is around it, to walk a contract against. */
export interface WalkWorld {
  /** The contract's file. */
  readonly contract: string;
  readonly url: URL;
  /** New ones each time, so that the gateway has to exchange them. */
  readonly mintTokens: () => Tokens;
  /** How many requests reached an API behind the gateway. */
  readonly countDownstream: () => number;
  /** Lets Entra and every API fail, or be well again. */
  readonly breakDown: (isBroken: boolean) => void;
  readonly close: () => Promise<void>;
}

/** The demo world with the contract of this repository. */
export async function startDemo(): Promise<WalkWorld> {
  const world = await startWorld();
  const { emulator, orders, graph, gatewayUrl } = world;
  return {
    contract: fileURLToPath(new URL('../../openapi.yaml', import.meta.url)),
    url: new URL(gatewayUrl),
    mintTokens: () => mintTokens(emulator, {}),
    countDownstream: () => orders.requests.length + graph.requests.length,
    breakDown(isBroken) {
      emulator.switches.entra = isBroken ? 'html503' : 'up';
      orders.trouble.reset = isBroken;
    },
    close: () => world.close(),
  };
}

/** A gateway with a contract that nobody here designed. */
export async function startForeign(): Promise<WalkWorld> {
  const contract = fileURLToPath(new URL('foreign-contract.yaml', import.meta.url));
  const folder = await mkdtemp(join(tmpdir(), 'walk-'));
  const emulator = await startEmulator();
  const warehouse = await startWarehouse();
  const file = join(folder, 'gateway.yaml');
  await writeFile(file, configuration(contract, emulator.origin, warehouse.origin));
  const gateway = createGateway(await loadConfig(file, {}), { logger: pino({ level: 'silent' }) });
  const { url } = await gateway.start();
  return {
    contract,
    url: new URL(url),
    mintTokens: () =>
      mintTokens(emulator, {
        scopes: ['Items.Read', 'Items.Write', 'Items.Admin'],
        roles: ['Items.Read.All', 'Jobs.Run'],
      }),
    countDownstream: warehouse.count,
    breakDown(isBroken) {
      emulator.switches.entra = isBroken ? 'html503' : 'up';
      warehouse.breakDown(isBroken);
    },
    async close() {
      await gateway.stop();
      await Promise.all([emulator.close(), warehouse.close(), rm(folder, { recursive: true })]);
    },
  };
}

function configuration(contract: string, authority: string, warehouse: string): string {
  return JSON.stringify({
    contract,
    server: { host: '127.0.0.1', port: 0, drainDelay: '0s', management: { port: 0 } },
    identity: {
      authority,
      tenant: HOME_TENANT_ID,
      clientId: GATEWAY_CLIENT_ID,
      credential: { secret: GATEWAY_CLIENT_SECRET },
    },
    downstreams: { warehouse: { baseUrl: warehouse, scopes: ['api://orders/.default'] } },
  });
}

interface Permissions {
  readonly scopes?: readonly string[];
  readonly roles?: readonly string[];
}

function mintTokens(emulator: Emulator, { scopes, roles }: Permissions): Tokens {
  const person = { user: 'adele', ...(scopes && { scopes }) };
  return {
    user: emulator.issueAccessToken(person),
    scopeless: emulator.issueAccessToken({ user: 'adele', scopes: ['Something.Else'] }),
    steppedUp: emulator.issueAccessToken({ ...person, acrs: ['c1', 'c2'] }),
    app: emulator.issueAccessToken({ app: 'daemon', ...(roles && { roles }) }),
  };
}

const ITEM = { id: 'ABC-0001', shape: { kind: 'box', edge: 2.5 }, note: null, parts: [] };
const JSON_TYPE = { 'content-type': 'application/json' };

/** What the warehouse answers to each kind of request. */
const ANSWERS: readonly { readonly to: RegExp; readonly send: (res: ServerResponse) => void }[] = [
  { to: /^GET \/internal\/health$/, send: (res) => res.writeHead(200, JSON_TYPE).end('{"ok":true}') },
  {
    to: /^GET \/items(\?|$)/,
    send: (res) => res.writeHead(200, { ...JSON_TYPE, 'x-total': '1' }).end(JSON.stringify([ITEM])),
  },
  {
    to: /^PUT \/v2\/stock$/,
    send: (res) => res.writeHead(201, { ...JSON_TYPE, location: '/items/ABC-0001' }).end(JSON.stringify(ITEM)),
  },
  { to: /^HEAD \/items\/[A-Z]{3}-\d{4}$/, send: (res) => res.writeHead(200).end() },
  { to: /^(PATCH|DELETE) \/items\/[A-Z]{3}-\d{4}$/, send: (res) => res.writeHead(204).end() },
  {
    to: /^GET \/items\/[A-Z]{3}-\d{4}\/photos\/\d+$/,
    send: (res) => res.writeHead(200, { 'content-type': 'image/png' }).end('PNG'),
  },
  {
    to: /^GET \/(csv|txt)\/reports\/2\d{3}\?/,
    send: (res) => res.writeHead(200, { 'content-type': 'text/csv; charset=utf-8' }).end('a,b\n'),
  },
  { to: /^GET \/batches\//, send: (res) => res.writeHead(200, JSON_TYPE).end(JSON.stringify([ITEM, null])) },
  { to: /^GET \/(notices|shifts)$/, send: (res) => res.writeHead(200).end() },
  { to: /^POST \/notices$/, send: (res) => res.writeHead(204).end() },
  { to: /^POST \/jobs\?/, send: (res) => res.writeHead(202).end() },
  { to: /^GET \/files\/./, send: (res) => res.writeHead(200, { 'content-type': 'text/plain' }).end('leaf') },
];

interface Warehouse {
  readonly origin: string;
  readonly count: () => number;
  readonly breakDown: (isBroken: boolean) => void;
  readonly close: () => Promise<void>;
}

async function startWarehouse(): Promise<Warehouse> {
  let count = 0;
  let isBroken = false;
  const server = createServer((req: IncomingMessage, res) => {
    count += 1;
    if (isBroken) {
      res.destroy();
      return;
    }
    const findAnswer = (method = '') => ANSWERS.find(({ to }) => to.test(`${method} ${req.url}`));
    const answer = findAnswer(req.method) ?? (req.method === 'HEAD' ? findAnswer('GET') : undefined);
    req.resume().on('end', () => (answer === undefined ? res.writeHead(418).end() : answer.send(res)));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: () => count,
    breakDown: (broken) => {
      isBroken = broken;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
