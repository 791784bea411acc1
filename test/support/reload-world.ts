import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmulator, type Emulator } from '../../dev/emulator/emulator.ts';
import { GATEWAY_CLIENT_ID, GATEWAY_CLIENT_SECRET, HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import { gatewayContract } from './gateway-contract.ts';
import { answerWith, startDownstream, type ScriptedDownstream } from './gateway-downstream.ts';

/** What differs from the usual gateway.yaml and contract of a reload world; keys are merged into its parts. */
export interface Deployment {
  readonly server?: object;
  readonly identity?: object;
  readonly log?: object;
  readonly tokenCache?: object;
  /** How clients of MCP servers get tokens; default from Entra. */
  readonly mcp?: object;
  /** Default none. */
  readonly authorizationService?: object;
  /** What the downstream `api` has besides; it is at `old` unless this says otherwise. */
  readonly api?: object;
  /** Downstreams besides `api` and `orders`. */
  readonly downstreams?: object;
  /** Paths of the contract besides the usual ones, or in their place; `undefined` takes one away. */
  readonly paths?: Readonly<Record<string, object | undefined>>;
}

/** Files of a gateway that are written again and again, and what they lead to. */
export interface ReloadWorld {
  readonly emulator: Emulator;
  /** Two versions of one API: each answers with its name. */
  readonly old: ScriptedDownstream;
  readonly next: ScriptedDownstream;
  readonly folder: string;
  /** The path of gateway.yaml. */
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where the new version is. */
  readonly nextUrl: string;
  /** Writes both files, each at once. */
  readonly write: (deployment?: Deployment) => Promise<void>;
  /** Writes something else into gateway.yaml. */
  readonly writeText: (text: string) => Promise<void>;
  /** The headers of a person's call. */
  readonly bearer: (user?: string) => { authorization: string };
  close(): Promise<void>;
}

/** Starts what a gateway needs around it, and writes its files. */
export async function startReloadWorld(): Promise<ReloadWorld> {
  const emulator = await startEmulator();
  const [old, next] = await Promise.all([startDownstream(), startDownstream()]);
  old.answer = answerWith(200, [], 'old');
  next.answer = answerWith(200, [], 'next');
  const folder = await mkdtemp(join(tmpdir(), 'gateway-reload-'));
  const file = join(folder, 'gateway.yaml');
  const urls = [old, next].map(({ port }) => `http://127.0.0.1:${port}`);
  const [oldUrl = '', nextUrl = ''] = urls;

  const world: ReloadWorld = {
    emulator,
    old,
    next,
    folder,
    file,
    env: { GATEWAY_CLIENT_SECRET },
    nextUrl,
    async write(deployment = {}) {
      await replace(join(folder, 'openapi.yaml'), JSON.stringify(describeContract(deployment)));
      await replace(file, JSON.stringify(describeGateway(emulator.origin, oldUrl, deployment)));
    },
    writeText: (text) => replace(file, text),
    bearer: (user = 'adele') => ({ authorization: `Bearer ${emulator.issueAccessToken({ user })}` }),
    async close() {
      await Promise.all([emulator.close(), old.close(), next.close()]);
      await rm(folder, { recursive: true });
    },
  };
  await world.write();
  return world;
}

function describeContract({ paths = {} }: Deployment): object {
  const { '/me': me, '/orders': orders } = gatewayContract.paths;
  const open = {
    get: { security: [], 'x-downstream': { service: 'api' }, responses: { default: { description: 'Any.' } } },
  };
  return { ...gatewayContract, paths: { '/me': me, '/orders': orders, '/open': open, ...paths } };
}

function describeGateway(authority: string, url: string, deployment: Deployment): object {
  const { server, identity, log = {}, tokenCache = {}, mcp, authorizationService, api, downstreams } = deployment;
  return {
    contract: './openapi.yaml',
    server: { host: '127.0.0.1', port: 0, drainDelay: '0s', drainTimeout: '5s', management: { port: 0 }, ...server },
    identity: {
      authority,
      tenant: HOME_TENANT_ID,
      clientId: GATEWAY_CLIENT_ID,
      credential: { secret: '${GATEWAY_CLIENT_SECRET}' },
      ...identity,
    },
    tokenCache,
    mcp,
    authorizationService,
    log,
    downstreams: {
      api: { baseUrl: url, scopes: ['https://graph.microsoft.com/User.Read'], ...api },
      orders: { baseUrl: url, scopes: ['api://orders/.default'] },
      ...downstreams,
    },
  };
}

/** As editors do: the whole file appears in the place of the old one. */
async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}~`, text);
  await rename(`${path}~`, path);
}
