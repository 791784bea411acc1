import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../../dev/ports.ts';
import { until } from './gateway-poll.ts';
import { describeWith } from './installed-program.ts';

/** True where Redis is installed. */
export const hasRedis = ['redis-server', 'redis-cli'].every((name) => spawnSync(name, ['--version']).status === 0);

/** A `describe` for tests that need a real Redis: without one they are skipped by name, but fail where CI is set. */
export function describeWithRedis(name: string, tests: () => void): void {
  describeWith('redis-server', hasRedis, name, tests);
}

/** A Redis of its own, on loopback, in a temporary folder. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Runs redis-cli; what it printed. */
  readonly cli: (...args: readonly string[]) => string;
  /** Ends it at once, as a crash does. */
  readonly kill: () => Promise<void>;
  /** Starts it again on the same port, with what it had saved. */
  readonly restart: () => Promise<void>;
  /** Lets it answer nothing any more, while its connections stay. */
  hang(): void;
  /** Ends the hanging. */
  resume(): void;
  /** Where its files are. */
  readonly folder: string;
  close(): Promise<void>;
}

/** How to start a Redis. */
export interface RedisOptions {
  /** True for a Sentinel in the place of a server. */
  readonly isSentinel?: boolean;
  /** Lines of redis.conf besides the usual. */
  readonly config?: readonly string[];
  readonly password?: string;
}

/** Starts a Redis and waits until it answers. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const { isSentinel = false, config = [], password } = options;
  const port = await findFreePort();
  const folder = await mkdtemp(join(tmpdir(), 'redis-'));
  const file = join(folder, 'redis.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    ...(password === undefined ? [] : [`requirepass ${password}`]),
    ...config,
  ];
  await writeFile(file, `${[...lines, ...(isSentinel ? [] : ['save ""'])].join('\n')}\n`);
  const login = password === undefined ? [] : ['-a', password, '--no-auth-warning'];
  let child: ChildProcess;
  await start();
  return {
    port,
    folder,
    url: `redis://127.0.0.1:${port}`,
    cli: (...args) =>
      execFileSync('redis-cli', ['-p', String(port), ...login, ...args], { encoding: 'utf8', stdio: 'pipe' }).trim(),
    kill: end,
    restart: start,
    hang: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async close() {
      await end();
      await rm(folder, { recursive: true });
    },
  };

  async function start(): Promise<void> {
    child = spawn('redis-server', isSentinel ? [file, '--sentinel'] : [file], { stdio: 'ignore' });
    await until('Redis answers', () => {
      if (child.exitCode !== null) {
        throw new Error(`redis-server ended with ${child.exitCode}: redis.conf is wrong, or the port ${port} is taken`);
      }
      return answers(port);
    });
  }

  async function end(): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
}

/** Any answer will do: Redis may want a password, or still be loading. */
async function answers(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1', () => socket.write('PING\r\n'));
  try {
    await once(socket, 'data');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
