import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { findFreePort } from '../../dev/ports.ts';
import type { DemoWorld } from '../../dev/world.ts';
import { describeWith } from '../support/installed-program.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PACKAGES = fileURLToPath(new URL('node_modules', import.meta.url));
const GUIDE = readFileSync(join(ROOT, 'docs/contract-testing.md'), 'utf8');

/** What takes longer has hung. */
const PATIENCE_MS = 120_000;

const TOOLS_FIRST = [join(PACKAGES, '.bin'), join(ROOT, 'node_modules/.bin'), process.env['PATH']].join(delimiter);

/** No tool tells anyone that it is used, or asks for a newer one of its kind. */
const QUIET = { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', SCARF_ANALYTICS: 'false' };

/** A folder with the tools, made as docs/contract-testing.md says, before a demo world. */
export interface Trial {
  readonly folder: string;
  /** Runs commands as their reader does, after those that fetch the contract and define `token`. */
  run(commands: string): Promise<Outcome>;
  /** Starts the commands of the proxy, and waits for a text in their output; the answer ends them. */
  start(commands: string, text: string): Promise<() => Promise<void>>;
  /** Removes the folder. */
  remove(): Promise<void>;
}

/** What commands left behind. */
export interface Outcome {
  readonly code: number | null;
  /** Both outputs, without colours. */
  readonly output: string;
}

/** A `describe` for tests of the tools: without them they are skipped by name, but fail where CI is set. */
export function describeWithTools(name: string, tests: () => void): void {
  describeWith('npm ci --prefix test/tools --ignore-scripts', existsSync(PACKAGES), name, tests);
}

/** The blocks of commands of a section of docs/contract-testing.md, as they stand. */
export function readCommands(title: string): string[] {
  const section = GUIDE.split(/^## /m).find((text) => text.startsWith(`${title}\n`)) ?? '';
  return [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, commands = '']) => commands);
}

/** Makes a trial; the world's addresses and a free port take the place of those in the guide. */
export async function openTrial(world: DemoWorld): Promise<Trial> {
  const folder = await mkdtemp(join(tmpdir(), 'contract-testing-'));
  for (const name of ['openapi.yaml', 'examples']) {
    await cp(join(ROOT, name), join(folder, name), { recursive: true });
  }
  await symlink(PACKAGES, join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), '{}');
  const [, prepare = ''] = readCommands('Prepare');
  let proxyPort = 4010;
  const startIn = (where: string, commands: string): Shell =>
    startShell(
      where,
      `${prepare}${commands}`
        .replaceAll('http://localhost:8080', world.gatewayUrl)
        .replaceAll('http://localhost:8081', world.emulator.origin)
        .replaceAll('4010', String(proxyPort)),
    );
  return {
    folder,
    async run(commands) {
      const { closed, output } = startIn(folder, commands);
      const code = await closed;
      return { code, output: output() };
    },
    async start(commands, text) {
      proxyPort = await findFreePort();
      // It begins anew whenever its contract is written, and each run fetches the contract again.
      const shell = startIn(await mkdtemp(join(folder, 'proxy-')), commands);
      await shell.untilPrinted(text);
      return async () => {
        shell.kill();
        await shell.closed;
      };
    },
    remove: () => rm(folder, { recursive: true }),
  };
}

interface Shell {
  /** Resolves with the exit code when all have ended that write to its outputs. */
  readonly closed: Promise<number | null>;
  readonly output: () => string;
  readonly kill: () => void;
  readonly untilPrinted: (text: string) => Promise<void>;
}

/** Runs commands in a group of processes of their own, so that nothing of them is left. */
function startShell(folder: string, commands: string): Shell {
  const child = spawn('sh', ['-euc', commands], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...QUIET, HOME: folder, PATH: TOOLS_FIRST },
  });
  const kill = (): void => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      process.kill(-child.pid, 'SIGKILL');
    }
  };
  let written = '';
  const output = (): string => stripVTControlCharacters(written);
  const streams = [child.stdout, child.stderr];
  for (const stream of streams) {
    stream.on('data', (chunk: Buffer) => (written += chunk.toString()));
  }
  const limit = setTimeout(kill, PATIENCE_MS);
  const closed = once(child, 'close').then(([code]: (number | null)[]) => {
    clearTimeout(limit);
    return code ?? null;
  });
  return {
    closed,
    output,
    kill,
    untilPrinted: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (output().includes(text)) {
            resolve();
          }
        };
        for (const stream of streams) {
          stream.on('data', look);
        }
        void closed.then(() => {
          reject(new Error(`It ended: ${output()}`));
        });
      }),
  };
}
