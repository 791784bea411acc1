import { execFileSync } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { judge, type Finding } from './finding.ts';
import type { Source } from './source.ts';

/** A deployment of the contract of this repository, complete enough for a check without a network. */
const CONFIG = `
contract: ./openapi.yaml
server: { publicUrl: https://api.contoso.com }
identity:
  tenant: 72f988bf-86f1-41af-91ab-2d7cd011db47
  clientId: 6e74172b-be56-4843-9ff4-e66a39bb12e3
  credential: { secret: '\${GATEWAY_CLIENT_SECRET}' }
downstreams:
  graph: { baseUrl: https://graph.microsoft.com, scopes: [https://graph.microsoft.com/User.Read] }
  orders: { baseUrl: https://orders.contoso.com, scopes: [api://c17d0a5e-9e0c-4b1e-8c4f-2b8e5c1d7a01/.default] }
`;

/** What is tried with the installed program, and what it has to print. */
interface Trial {
  readonly args: readonly string[];
  readonly prints: (text: string) => boolean;
}

function listTrials(version: string, commit: string): Trial[] {
  return [
    { args: ['--version'], prints: (text) => text === `obo-gateway ${version} (${commit.slice(0, 12)})\n` },
    { args: ['check', '--offline', '--config', 'gateway.yaml'], prints: (text) => /\bok\b/.test(text) },
  ];
}

/**
 * Installs the package in an empty folder, as its users do, and runs the program from there.
 *
 * @param folder an empty one
 */
export function tryPackage(tarball: string, folder: string, source: Source, version: string): Finding {
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  writeFileSync(join(folder, 'gateway.yaml'), CONFIG);
  cpSync(join(source.folder, 'openapi.yaml'), join(folder, 'openapi.yaml'));
  const run = (command: string, args: readonly string[]): string =>
    execFileSync(command, args, {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_ENV: 'production', NODE_OPTIONS: '', GATEWAY_CLIENT_SECRET: 'only-for-the-check' },
    });
  try {
    run('npm', ['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', tarball]);
  } catch (error) {
    return judge('installation', [`npm install fails: ${tellFailure(error)}`], '');
  }
  const trials = listTrials(version, source.commit);
  const faults = trials.flatMap(({ args, prints }) => {
    try {
      const text = run(join(folder, 'node_modules/.bin/obo-gateway'), args);
      return prints(text) ? [] : [`obo-gateway ${args.join(' ')} prints ${text.trim()}.`];
    } catch (error) {
      return [`obo-gateway ${args.join(' ')} fails: ${tellFailure(error)}`];
    }
  });
  return judge('installation', faults, `installs, and runs ${trials.map(({ args }) => args[0]).join(' and ')}`);
}

function tellFailure(error: unknown): string {
  const { stderr = '', stdout = '', message } = error as Error & { stderr?: string; stdout?: string };
  return (`${stdout}${stderr}`.trim() || message).slice(-2_000);
}
