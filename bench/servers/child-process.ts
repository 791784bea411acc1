import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';

/** The core that has the measured server to itself. */
export const SERVER_CORE = 0;

/** The core of everything else: the load, the downstream and Entra. */
export const LOAD_CORE = 1;

/** What to start, and on which core. */
export interface ProcessOptions {
  /** What error messages call it. */
  readonly name: string;
  readonly core: number;
  readonly command: string;
  readonly args: readonly string[];
  /** Added to this process' own environment, in production mode and without a proxy; its `PATH` finds the command. */
  readonly env?: Readonly<Record<string, string>>;
  /** The file that takes the standard output; default `/dev/null`. `pipe` keeps it for {@link PinnedProcess.output}. */
  readonly stdout?: string;
}

/** A child process that stays on one core. */
export interface PinnedProcess {
  readonly name: string;
  readonly pid: number;
  /** By the clock of `performance.now()`. */
  readonly startedAt: number;
  /**
   * What it wrote to its standard output, when that is piped, once it has ended.
   *
   * @param limit seconds
   * @throws {Error} when it fails or takes longer
   */
  output(limit: number): Promise<string>;
  /** Throws when the process has ended. */
  demandAlive(): void;
  /** Ends it, at once. */
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();

/**
 * Starts a process on one core. `taskset` becomes the program itself, so the id is the program's own.
 *
 * @throws {Error} when it cannot be started
 */
export async function startPinned(options: ProcessOptions): Promise<PinnedProcess> {
  const { name, core, command, args, env, stdout = '/dev/null' } = options;
  const startedAt = performance.now();
  const child = spawn('taskset', ['-c', String(core), command, ...args], {
    // Whoever looks for a proxy in the environment must not go through it here.
    env: { ...process.env, NODE_ENV: 'production', NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1', ...env },
    stdio: ['ignore', stdout === 'pipe' ? 'pipe' : openSync(stdout, 'a'), 'pipe'],
  });
  const complaints = collect(child.stderr);
  const output = collect(child.stdout);
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  running.add(child);
  child.once('exit', () => running.delete(child));
  child.once('error', () => running.delete(child));
  await once(child, 'spawn');
  return {
    name,
    pid: child.pid ?? 0,
    startedAt,
    async output(limit) {
      const timer = setTimeout(() => child.kill('SIGKILL'), limit * 1_000);
      await closed;
      clearTimeout(timer);
      if (child.exitCode !== 0) {
        throw new Error(
          child.signalCode === 'SIGKILL'
            ? `${name} was not done after ${limit} seconds`
            : `${name} ended with ${child.exitCode ?? child.signalCode}: ${tail(complaints())}`,
        );
      }
      return output();
    },
    demandAlive() {
      if (!running.has(child)) {
        throw new Error(`${name} ended with ${child.exitCode ?? child.signalCode}: ${tail(complaints())}`);
      }
    },
    async stop() {
      if (running.has(child)) {
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      }
    },
  };
}

/** Ends every process that is still running; for the end of this one, whatever its reason. */
export function killAll(): void {
  for (const child of running) {
    child.kill('SIGKILL');
  }
}

/** Ends every process that is still running and waits until it is gone; for the end of a case. */
export async function stopAll(): Promise<void> {
  const ends = [...running].map((child) => once(child, 'exit'));
  killAll();
  await Promise.all(ends);
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  let text = '';
  stream?.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  return () => text;
}

function tail(text: string): string {
  return text.trim().slice(-800);
}
