import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DemoApi } from '../../dev/demo-apis/demo-api.ts';
import { startGraph } from '../../dev/demo-apis/graph.ts';
import { startOrders } from '../../dev/demo-apis/orders.ts';
import { startEmulator, type Emulator } from '../../dev/emulator/emulator.ts';
import { GATEWAY_CLIENT_ID, GATEWAY_CLIENT_SECRET, HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import { findFreePort } from '../../dev/ports.ts';
import { buildProgram, untilListening, untilReady, type Program, type Run } from './command-program.ts';

/** What a test writes into the server section of gateway.yaml. */
export interface ServerSettings {
  readonly port?: number;
  readonly managementPort?: number | string;
  readonly drainDelay?: string;
  readonly drainTimeout?: string;
  readonly workers?: number | 'auto';
  /** Further keys. */
  readonly more?: Readonly<Record<string, unknown>>;
  /** Of the log section. */
  readonly whenBlocked?: 'drop' | 'wait';
  /** The section of engines; default none. */
  readonly authorizationService?: { readonly port: number };
  readonly audit?: string;
}

/** The program, and everything that a gateway needs around it. */
export interface CommandWorld {
  readonly program: Program;
  readonly emulator: Emulator;
  readonly orders: DemoApi;
  /** The environment that gateway.yaml asks for. */
  readonly env: Readonly<Record<string, string>>;
  /** Writes a gateway.yaml for this world, and returns its path. */
  readonly writeConfig: (name: string, settings?: ServerSettings) => Promise<string>;
  /** Starts a gateway as a process of its own, and waits until it takes requests. */
  serve(settings?: ServerSettings): Promise<{ run: Run; url: string; managementUrl: string }>;
  /** The headers of a user's call. */
  readonly bearer: () => { authorization: string };
  close(): Promise<void>;
}

/** Writes keys of the server section: every JSON text is a value of YAML. */
function toLines(keys: Readonly<Record<string, unknown>>): string {
  return Object.entries(keys)
    .map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`)
    .join('\n');
}

/** Compiles the program and starts the world around it. */
export async function startCommandWorld(): Promise<CommandWorld> {
  const program = buildProgram();
  const emulator = await startEmulator();
  const graph = await startGraph({ emulator });
  const orders = await startOrders({ emulator });
  const folder = await mkdtemp(join(tmpdir(), 'gateway-command-'));
  await writeFile(join(folder, 'openapi.yaml'), await readFile(new URL('../../openapi.yaml', import.meta.url)));
  const env = { GATEWAY_CLIENT_SECRET };

  async function writeConfig(name: string, settings: ServerSettings = {}): Promise<string> {
    const { port = 0, managementPort = 0, drainDelay = '0s', drainTimeout = '30s', workers = 1 } = settings;
    const { whenBlocked = 'drop', audit, authorizationService, more = {} } = settings;
    const log = { whenBlocked, ...(audit !== undefined && { audit }) };
    const file = join(folder, name);
    await writeFile(
      file,
      `contract: ./openapi.yaml
server:
  host: 127.0.0.1
  port: ${port}
  drainDelay: ${drainDelay}
  drainTimeout: ${drainTimeout}
  workers: ${workers}
  management: { port: ${managementPort} }
${toLines(more)}
identity:
  authority: ${emulator.origin}
  tenant: ${HOME_TENANT_ID}
  clientId: ${GATEWAY_CLIENT_ID}
  credential: { secret: '\${GATEWAY_CLIENT_SECRET}' }
downstreams:
  graph: { baseUrl: '${graph.origin}', scopes: [https://graph.microsoft.com/User.Read] }
  orders: { baseUrl: '${orders.origin}', scopes: [api://orders/.default] }
log: ${JSON.stringify(log)}
${authorizationService === undefined ? '' : `authorizationService: ${JSON.stringify(authorizationService)}`}
`,
    );
    return file;
  }

  return {
    program,
    emulator,
    orders,
    env,
    writeConfig,
    async serve(settings) {
      // Workers share a port that their primary looks for first and gives back for a moment.
      const port = settings?.workers === undefined ? 0 : await findFreePort();
      const run = program.start(['serve', '--config', await writeConfig('gateway.yaml', { port, ...settings })], env);
      const urls = await untilListening(run);
      await untilReady(urls.managementUrl);
      return { run, ...urls };
    },
    bearer: () => ({ authorization: `Bearer ${emulator.issueAccessToken({ user: 'adele' })}` }),
    async close() {
      await program.remove();
      await Promise.all([emulator.close(), graph.close(), orders.close()]);
      await rm(folder, { recursive: true });
    },
  };
}
