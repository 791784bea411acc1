import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump, load } from 'js-yaml';
import { loadConfig, type GatewayConfig } from '../../src/config/load-config.ts';
import type { MemoryLimit } from '../../src/runtime/memory-limit.ts';
import { ConfigError, type ConfigFault } from '../../src/failures.ts';

export const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';
export const CLIENT = '6e74172b-be56-4843-9ff4-e66a39bb12e3';

/** The shortest gateway.yaml there is: everything else has a default. */
export const SHORTEST = `contract: ./openapi.yaml
identity:
  tenant: ${TENANT}
  clientId: ${CLIENT}
  credential:
    secret: \${GATEWAY_CLIENT_SECRET}
downstreams:
  graph:
    baseUrl: https://graph.microsoft.com
    scopes: [https://graph.microsoft.com/User.Read]
`;

export const ENV = { GATEWAY_CLIENT_SECRET: 'hunter2' };

/** A contract with one operation. */
export const CONTRACT = `openapi: 3.1.0
info: { title: One operation, version: 1.0.0 }
paths:
  /me:
    get:
      security: [{ user: [Profile.Read] }]
      x-downstream: { service: graph }
      responses: { '200': { description: The person. } }
components:
  securitySchemes:
    user:
      type: oauth2
      flows:
        authorizationCode:
          authorizationUrl: https://login.microsoftonline.com/common/oauth2/v2.0/authorize
          tokenUrl: https://login.microsoftonline.com/common/oauth2/v2.0/token
          scopes: { Profile.Read: Read your profile }
`;

/** A folder with gateway.yaml and what it names. */
export interface ConfigFolder {
  readonly path: string;
  /** Writes a file into the folder and returns its path. */
  write(name: string, text: string | Buffer): Promise<string>;
  /** Writes gateway.yaml and loads it, for a container with that memory limit if there is one. */
  load(yaml: string, env?: Record<string, string | undefined>, memoryLimit?: MemoryLimit): Promise<GatewayConfig>;
  /** Writes gateway.yaml, loads it and returns what is wrong with it. */
  faultsOf(yaml: string, env?: Record<string, string | undefined>): Promise<readonly ConfigFault[]>;
  remove(): Promise<void>;
}

/** Makes a folder of its own for a test file, with a good contract in it. */
export async function makeConfigFolder(): Promise<ConfigFolder> {
  const path = await mkdtemp(join(tmpdir(), 'gateway-config-'));
  const write = async (name: string, text: string | Buffer): Promise<string> => {
    await writeFile(join(path, name), text);
    return join(path, name);
  };
  const loadYaml: ConfigFolder['load'] = async (yaml, env = ENV, memoryLimit) =>
    loadConfig(await write('gateway.yaml', yaml), env, memoryLimit);
  await write('openapi.yaml', CONTRACT);
  return {
    path,
    write,
    load: loadYaml,
    faultsOf: async (yaml, env = ENV) => {
      const outcome = await loadYaml(yaml, env).catch((error: unknown) => error);
      if (outcome instanceof ConfigError) {
        return outcome.faults;
      }
      throw outcome instanceof Error ? outcome : new Error('The configuration was accepted.');
    },
    remove: () => rm(path, { recursive: true }),
  };
}

/** The shortest gateway.yaml with some keys, named by their paths, set to other values or, for undefined, left out. */
export function withKeys(changes: Record<string, unknown>): string {
  const tree = load(SHORTEST) as Tree;
  for (const [path, value] of Object.entries(changes)) {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    const parent = keys.reduce((node, key) => (node[key] ??= {}) as Tree, tree);
    parent[last] = value;
  }
  return dump(tree, { skipInvalid: true });
}

type Tree = Record<string, unknown>;

/** The lines that a terminal shows. */
export function linesOf(faults: readonly ConfigFault[]): string[] {
  return faults.map(({ at, message }) => `${at}: ${message}`);
}
