import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../../dev/ports.ts';
import { until } from '../support/gateway-poll.ts';
import { describeWith } from '../support/installed-program.ts';

/** The engines with published configurations that run here. */
export const ENGINES = ['nginx', 'nginx-plain', 'caddy', 'haproxy'] as const;

/** One of them. */
export type EngineName = (typeof ENGINES)[number];

/** What an engine stands between. */
export interface EngineOptions {
  /** The port of the authorization service. */
  readonly service: number;
  /** The port of the API. */
  readonly api: number;
  /** The port of the gateway itself; default none, where nobody needs it. */
  readonly gateway?: number;
  /** Seconds that the service has for an answer; default as published. */
  readonly patienceSeconds?: number;
}

/** An engine with its published configuration. */
export interface Engine {
  readonly port: number;
  /** What it wrote to its log. */
  readonly log: () => string;
  close(): Promise<void>;
}

const DEPLOY = new URL('../../deploy/engines/', import.meta.url);
const NJS = '/usr/lib/nginx/modules/ngx_http_js_module.so';

/** True where nginx with njs, Caddy and HAProxy are installed. */
const hasEngines =
  existsSync(NJS) &&
  [
    ['nginx', '-v'],
    ['caddy', 'version'],
    ['haproxy', '-v'],
  ].every(([program = '', option = '']) => spawnSync(program, [option]).status === 0);

/** A `describe` for tests that need the engines: skipped by name without them, but failing where CI is set. */
export function describeWithEngines(name: string, tests: () => void): void {
  describeWith('nginx, libnginx-mod-http-js, caddy and haproxy', hasEngines, name, tests);
}

/** The text of a published configuration. */
function readPublished(path: string): string {
  return readFileSync(new URL(path, DEPLOY), 'utf8');
}

/** Starts an engine with its published configuration, of which only addresses and times differ. */
export async function startEngine(name: EngineName, options: EngineOptions): Promise<Engine> {
  const port = await findFreePort();
  const folder = await mkdtemp(join(tmpdir(), `engine-${name}-`));
  await chmod(folder, 0o755);
  const { command, args, env } = await COMMANDS[name](folder, port, options);
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
  });
  let log = '';
  child.stdout.on('data', (chunk: Buffer) => (log += chunk));
  child.stderr.on('data', (chunk: Buffer) => (log += chunk));
  await until(`${name} takes connections`, () => {
    if (child.exitCode !== null) {
      throw new Error(`${name} ended: ${log}`);
    }
    return connects(port);
  });
  return {
    port,
    log: () => log,
    async close() {
      await end(child);
      await rm(folder, { recursive: true });
    },
  };
}

interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

type Prepare = (folder: string, port: number, options: EngineOptions) => Promise<Command>;

const COMMANDS: Readonly<Record<EngineName, Prepare>> = {
  nginx: (folder, port, options) => prepareNginx('nginx.conf', folder, port, options),
  'nginx-plain': (folder, port, options) => prepareNginx('nginx-plain.conf', folder, port, options),

  async caddy(folder, port, { service, api, gateway = 1, patienceSeconds = 10 }) {
    const main = join(folder, 'Caddyfile');
    const text = readPublished('caddy/Caddyfile');
    await writeFile(main, exchange(text, [[/\b10s\b/g, `${patienceSeconds}s`]]));
    return {
      command: 'caddy',
      args: ['run', '--config', main, '--adapter', 'caddyfile'],
      env: {
        OBO_SITE: `http://:${port}`,
        OBO_BIND: '127.0.0.1',
        OBO_SERVICE: `127.0.0.1:${service}`,
        OBO_GATEWAY: `127.0.0.1:${gateway}`,
        OBO_API: `127.0.0.1:${api}`,
      },
    };
  },

  async haproxy(folder, port, { service, api, gateway = 1, patienceSeconds = 10 }) {
    const script = join(folder, 'obo.lua');
    const text = readPublished('haproxy/obo.lua');
    await writeFile(script, exchange(text, [[/\b2500\b/, String(patienceSeconds * 250)]]));
    const main = new URL('haproxy/haproxy.cfg', DEPLOY).pathname;
    return {
      command: 'haproxy',
      args: ['-f', main, '-db'],
      env: {
        OBO_BIND: `127.0.0.1:${port}`,
        OBO_SERVICE: `127.0.0.1:${service}`,
        OBO_GATEWAY: `127.0.0.1:${gateway}`,
        OBO_API: `127.0.0.1:${api}`,
        OBO_LUA: script,
      },
    };
  },
};

async function prepareNginx(
  file: string,
  folder: string,
  port: number,
  { service, api, gateway = 1, patienceSeconds = 10 }: EngineOptions,
): Promise<Command> {
  await cp(new URL('nginx/', DEPLOY), folder, { recursive: true });
  await mkdir(join(folder, 'temporary'));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (what) => `${what}_temp_path ${folder}/temporary/${what};`,
  );
  const main = join(folder, file);
  await writeFile(
    main,
    exchange(readPublished(`nginx/${file}`), [
      [/listen 8080;/, `listen 127.0.0.1:${port};`],
      [/127\.0\.0\.1:8081/, `127.0.0.1:${service}`],
      [/127\.0\.0\.1:8082/, `127.0.0.1:${gateway}`],
      [/127\.0\.0\.1:8083/, `127.0.0.1:${api}`],
      [/^http \{$/m, `http {\naccess_log off;\n${temporary.join('\n')}`],
    ]),
  );
  const times = readPublished('nginx/to-service.conf');
  await writeFile(join(folder, 'to-service.conf'), exchange(times, [[/\b10s;/g, `${patienceSeconds}s;`]]));
  const user = process.getuid?.() === 0 ? 'user root; ' : '';
  const settings = `${user}daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr warn;`;
  return { command: 'nginx', args: ['-p', folder, '-c', main, '-g', settings], env: {} };
}

/** Replaces what has to be in a published configuration. */
function exchange(text: string, pairs: readonly (readonly [RegExp, string])[]): string {
  return pairs.reduce((done, [from, to]) => {
    if (done.search(from) === -1) {
      throw new Error(`${String(from)} is not in the published configuration`);
    }
    return done.replace(from, () => to);
  }, text);
}

async function connects(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    // All of them end their worker processes and the connections that are left.
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
}
