import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PEERS = fileURLToPath(new URL('peers/', import.meta.url));

const TOOLS: readonly { readonly command: string; readonly install: string }[] = [
  { command: 'taskset', install: 'apt-get install util-linux' },
  { command: 'wrk', install: 'apt-get install wrk' },
  { command: 'haproxy', install: 'apt-get install haproxy' },
  { command: 'nginx', install: 'apt-get install nginx' },
  { command: 'redis-server', install: 'apt-get install redis-server' },
];

/** Those for which `bench/peers/` has the Node of the image. */
const NODE_PROCESSORS: ReadonlySet<string> = new Set(['x64', 'arm64']);

/** Why the bench cannot run here, one line for each reason; none when it can. */
export function findWhatIsMissing(): string[] {
  const missing = TOOLS.filter(({ command }) => !isInstalled(command)).map(
    ({ command, install }) => `${command} is missing; install it with: ${install}`,
  );
  const reasons =
    process.platform === 'linux' ? missing : ['The bench reads /proc and pins processes: it needs Linux.'];
  return [
    ...reasons,
    ...(NODE_PROCESSORS.has(process.arch) ? [] : ['The servers run on a Node of npm that is for x64 and arm64 only.']),
    ...(availableParallelism() >= 2 ? [] : ['Two cores are needed: one for the server, one for the load.']),
  ];
}

function isInstalled(command: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(`${folder}/${command}`));
}

/**
 * Compiles the gateway to `dist/`, and installs the peers when that was not done yet.
 *
 * @throws {Error} when either fails; the tools have said why
 */
export function prepare(tell: (line: string) => void): void {
  tell('builds the gateway');
  run('npx', ['tsc', '-p', 'tsconfig.build.json'], ROOT);
  if (!arePeersInstalled()) {
    tell('installs the peers');
    run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], PEERS);
  }
}

/** npm writes what it installed beside it, in the form of the lock. */
function arePeersInstalled(): boolean {
  const installed = `${PEERS}node_modules/.package-lock.json`;
  return existsSync(installed) && namePackages(installed) === namePackages(`${PEERS}package-lock.json`);
}

interface LockedPackage {
  readonly version?: string;
  /** The processors that it is for; absent for all. */
  readonly cpu?: string | readonly string[];
}

/** Names what the file has for this processor. */
function namePackages(lockFile: string): string {
  const { packages } = JSON.parse(readFileSync(lockFile, 'utf8')) as { packages: Record<string, LockedPackage> };
  return Object.entries(packages)
    .filter(([path, { cpu = process.arch }]) => path !== '' && [cpu].flat().includes(process.arch))
    .map(([path, { version }]) => `${path}@${version}`)
    .join('\n');
}

function run(command: string, args: readonly string[], cwd: string): void {
  const { status } = spawnSync(command, args, { cwd, stdio: ['ignore', process.stderr, 'inherit'] });
  if (status !== 0) {
    throw new Error(`${command} ${args.join(' ')} failed in ${cwd}`);
  }
}
