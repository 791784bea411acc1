import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGraph } from '../../dev/demo-apis/graph.ts';
import { startEmulator, type Emulator } from '../../dev/emulator/emulator.ts';
import { GATEWAY_CLIENT_ID, GATEWAY_CLIENT_SECRET, HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import type { App } from '../../dev/emulator/world-model.ts';
import { checkDeployment, type CheckOptions } from '../../src/check/check-deployment.ts';
import type { Row } from '../../src/check/row.ts';
import { run } from '../../src/cli.ts';
import { loadConfig } from '../../src/config/load-config.ts';

/** What a test writes into gateway.yaml instead of what is well: keys of a section, or a whole section of downstreams. */
export interface Changes {
  readonly server?: object;
  readonly identity?: object;
  readonly downstreams?: object;
  readonly tokenCache?: object;
  readonly authorizationService?: object;
}

/** What the command did. */
export interface Outcome {
  readonly code: number;
  readonly out: readonly string[];
  readonly errors: readonly string[];
}

/** Entra, one downstream, and a folder for the files of a deployment that is well. */
export interface CheckWorld {
  readonly emulator: Emulator;
  /** The registration of the gateway. */
  readonly registration: App;
  /** The path of a file in the folder. */
  pathOf(name: string): string;
  /** Writes gateway.yaml, and gives its path. */
  writeConfig(changes?: Changes): Promise<string>;
  /** What the checks find. */
  rowsOf(changes?: Changes, options?: CheckOptions): Promise<Row[]>;
  /** Runs `obo-gateway check`, with more options if some are given. */
  check(changes?: Changes, ...args: readonly string[]): Promise<Outcome>;
  close(): Promise<void>;
}

const CONTRACT = `
openapi: 3.1.0
info: { title: Checked, version: '1' }
paths:
  /me:
    get:
      security: []
      x-downstream: { service: graph }
      responses: { default: { description: Any. } }
`;

/** Starts a world in which every check is content, but for the host of Entra and the secret. */
export async function startCheckWorld(): Promise<CheckWorld> {
  const emulator = await startEmulator();
  const graph = await startGraph({ emulator });
  const folder = await mkdtemp(join(tmpdir(), 'check-'));
  const pathOf = (name: string): string => join(folder, name);
  await writeFile(pathOf('openapi.yaml'), CONTRACT);
  const registration = emulator.world.apps.find(({ alias }) => alias === 'gateway');
  if (registration === undefined) {
    throw new Error('the demo world has no gateway');
  }

  async function writeConfig({ server, identity, downstreams, tokenCache, ...others }: Changes = {}): Promise<string> {
    const settings = {
      contract: './openapi.yaml',
      server: { host: '127.0.0.1', port: 0, management: { port: 0 }, publicUrl: 'https://api.contoso.com', ...server },
      identity: {
        authority: emulator.origin,
        tenant: HOME_TENANT_ID,
        clientId: GATEWAY_CLIENT_ID,
        consentRedirectUri: 'https://api.contoso.com/consented',
        credential: { secret: GATEWAY_CLIENT_SECRET },
        ...identity,
      },
      ...(tokenCache && { tokenCache }),
      ...others,
      downstreams: downstreams ?? {
        graph: { baseUrl: graph.origin, scopes: ['https://graph.microsoft.com/User.Read'] },
      },
    };
    // Every JSON text is a YAML document.
    await writeFile(pathOf('gateway.yaml'), JSON.stringify(settings));
    return pathOf('gateway.yaml');
  }

  return {
    emulator,
    registration,
    pathOf,
    writeConfig,
    async rowsOf(changes, options) {
      return [...(await checkDeployment(await loadConfig(await writeConfig(changes), {}), options)).values()].flat();
    },
    async check(changes, ...args) {
      return runCommand(['check', '--config', await writeConfig(changes), ...args]);
    },
    async close() {
      await Promise.all([emulator.close(), graph.close(), rm(folder, { recursive: true })]);
    },
  };
}

/** Runs a command line and keeps what it wrote. */
export async function runCommand(argv: readonly string[]): Promise<Outcome> {
  const out: string[] = [];
  const errors: string[] = [];
  const code = await run(argv, {
    env: {},
    writeOut: (line) => out.push(line),
    writeError: (line) => errors.push(line),
    untilStopped: () => Promise.resolve(),
    onHangUp: () => {},
  });
  return { code, out, errors };
}

/** The row of a check. */
export function rowOf(rows: readonly Row[], check: string): Row | undefined {
  return rows.find((row) => row.check === check);
}
