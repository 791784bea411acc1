import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** The program, compiled from the sources as they are now. */
export interface Program {
  /** Where it was compiled to. */
  readonly folder: string;
  /**
   * Starts it as a process of its own.
   *
   * @param output a descriptor in the place of its standard output, of which {@link Run.out} then knows nothing
   */
  start(args: readonly string[], env?: Record<string, string>, output?: number): Run;
  /** Starts it as the first process of a namespace, as containers do; Linux, and not without the right to make one. */
  startAsFirst(args: readonly string[], env?: Record<string, string>): Run;
  /** Removes what was compiled, and ends what still runs. */
  remove(): Promise<void>;
}

/** One process of the program. */
export interface Run {
  readonly process: ChildProcess;
  /** What it has written so far. */
  readonly out: () => string;
  readonly err: () => string;
  /** Resolves with the exit code, or with the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** Runs a program as the first process of a namespace, with which it ends. */
export const AS_FIRST = ['unshare', '--pid', '--fork', '--kill-child'] as const;

/** Compiles the program into a folder of its own, inside the project so that its dependencies are found. */
export function buildProgram(): Program {
  const cache = join(PROJECT, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'command-test-'));
  const compiler = join(PROJECT, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [compiler, '-p', join(PROJECT, 'tsconfig.build.json'), '--outDir', folder], {
    stdio: 'inherit',
  });
  execFileSync(process.execPath, [join(PROJECT, 'dev', 'write-build.js'), folder]);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  const runs: Run[] = [];
  return {
    folder,
    start(args, env = {}, output) {
      return remember(start([process.execPath, join(folder, 'main.js'), ...args], env, output));
    },
    startAsFirst(args, env = {}) {
      return remember(start([...AS_FIRST, process.execPath, join(folder, 'main.js'), ...args], env, undefined));
    },
    async remove() {
      for (const run of runs) {
        run.process.kill('SIGKILL');
      }
      await Promise.all(runs.map(({ ended }) => ended));
      rmSync(folder, { recursive: true });
    },
  };

  function remember(run: Run): Run {
    runs.push(run);
    return run;
  }
}

function start(command: readonly string[], env: Record<string, string>, output: number | undefined): Run {
  const [file = '', ...args] = command;
  const child = spawn(file, args, {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['pipe', output ?? 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk));
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk));
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('close', (code, signal) => {
      resolve(code ?? signal ?? -1);
    });
  });
  return { process: child, out: () => out, err: () => err, ended };
}

/** Looks again and again until there is something to see, for at most a minute. */
export async function until<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const end = performance.now() + 60_000;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) {
      return seen;
    }
    if (performance.now() > end) {
      throw new Error('Nothing was seen within a minute.');
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}

/** Where a gateway listens, from the line that it logs once it does. */
export async function untilListening(run: Run): Promise<{ url: string; managementUrl: string }> {
  return until(() => {
    const line = run
      .out()
      .split('\n')
      .find((text) => text.includes('"gateway started"'));
    if (line === undefined && run.process.exitCode !== null) {
      throw new Error(`It ended: ${run.out()}${run.err()}`);
    }
    return line === undefined ? undefined : (JSON.parse(line) as { url: string; managementUrl: string });
  });
}

/** Waits until a gateway takes requests. */
export async function untilReady(managementUrl: string): Promise<void> {
  await until(async () => ((await fetch(`${managementUrl}/readyz`)).ok ? true : undefined));
}
