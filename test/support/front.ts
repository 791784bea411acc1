import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../../dev/ports.ts';
import { until } from './gateway-poll.ts';
import { describeWith } from './installed-program.ts';
import { makeAuthority } from './tls-certificates.ts';

/** The servers that stand in front of the gateway, by their programs. */
export const FRONTS = ['nginx', 'haproxy'] as const;

/** One of them. */
export type FrontName = (typeof FRONTS)[number];

/** The name that the published configurations and their certificate have. */
export const FRONT_HOST = 'api.contoso.com';

const PUBLISHED = { nginx: 'nginx.conf', haproxy: 'haproxy.cfg' } as const;

/** Where a replica listens. */
export interface ReplicaPorts {
  readonly port: number;
  readonly managementPort: number;
}

/** A server with the published configuration, in front of three replicas. */
export interface Front {
  readonly name: FrontName;
  readonly port: number;
  /** PEM of the authority whose certificate it has. */
  readonly ca: string;
  /** What it wrote to its log. */
  readonly log: () => string;
  close(): Promise<void>;
}

/** True where nginx, HAProxy and openssl are installed. */
export const hasFronts =
  FRONTS.every((name) => spawnSync(name, ['-v']).status === 0) && spawnSync('openssl', ['version']).status === 0;

/** A `describe` for tests that need nginx and HAProxy: skipped by name without them, but failing where CI is set. */
export function describeWithFronts(name: string, tests: () => void): void {
  describeWith('nginx, haproxy and openssl', hasFronts, name, tests);
}

/** The files of a front, ready to be started. */
export interface FrontFiles {
  readonly port: number;
  readonly ca: string;
  readonly folder: string;
  /** The file that the program is given. */
  readonly main: string;
}

/**
 * Writes the published configuration with the ports, the addresses and the certificate of a test, and nothing else
 * changed.
 */
export async function writeFrontFiles(name: FrontName, replicas: readonly ReplicaPorts[]): Promise<FrontFiles> {
  const port = await findFreePort();
  const folder = await mkdtemp(join(tmpdir(), `front-${name}-`));
  const { ca, cert, key } = makeCertificate(folder);
  const text = readPublished(name);
  if (name === 'haproxy') {
    const bundle = join(folder, 'bundle.pem');
    await writeFile(bundle, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'));
    const main = join(folder, 'haproxy.cfg');
    const settings = exchange(text, [
      ['bind :443', `bind 127.0.0.1:${port}`],
      ['/etc/haproxy/tls/api.pem', bundle],
      // In a test the replicas share an address, so each has a management port of its own.
      ['check port 9090 ', 'check '],
      ...replicas.map(({ port: to, managementPort }, index): [string, string] => [
        `10.0.0.1${index + 1}:8080`,
        `127.0.0.1:${to} port ${managementPort}`,
      ]),
    ]);
    await writeFile(main, settings);
    return { port, ca: readFileSync(ca, 'utf8'), folder, main };
  }
  const site = exchange(text, [
    ['listen 443', `listen 127.0.0.1:${port}`],
    ['/etc/nginx/tls/api.pem', cert],
    ['/etc/nginx/tls/api.key', key],
    ...replicas.map(({ port: to }, index): [string, string] => [`10.0.0.1${index + 1}:8080`, `127.0.0.1:${to}`]),
  ]);
  await writeFile(join(folder, 'gateway.conf'), site);
  await mkdir(join(folder, 'temporary'));
  const main = join(folder, 'nginx.conf');
  await writeFile(main, surroundSite(folder));
  return { port, ca: readFileSync(ca, 'utf8'), folder, main };
}

/** Starts a front and waits until it takes connections. */
export async function startFront(name: FrontName, replicas: readonly ReplicaPorts[]): Promise<Front> {
  const { port, ca, folder, main } = await writeFrontFiles(name, replicas);
  const child = spawn(name, name === 'nginx' ? ['-c', main, '-p', folder] : ['-f', main, '-db'], {
    stdio: ['ignore', 'pipe', 'pipe'],
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
    name,
    port,
    ca,
    log: () => log,
    async close() {
      await end(child);
      await rm(folder, { recursive: true });
    },
  };
}

/** The exit code and the words of the program's own check of a configuration. */
export function checkFrontFiles(
  name: FrontName,
  { main, folder }: FrontFiles,
): { status: number | null; said: string } {
  const args = name === 'nginx' ? ['-t', '-c', main, '-p', folder] : ['-c', '-f', main];
  const { status, stdout, stderr } = spawnSync(name, args, { encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

function readPublished(name: FrontName): string {
  return readFileSync(new URL(`../../deploy/front/${PUBLISHED[name]}`, import.meta.url), 'utf8');
}

/** Puts one text in the place of another, which has to stand there exactly once. */
function exchange(text: string, pairs: readonly (readonly [string, string])[]): string {
  return pairs.reduce((done, [from, to]) => {
    if (done.split(from).length !== 2) {
      throw new Error(`"${from}" does not stand exactly once in the published configuration`);
    }
    return done.replace(from, () => to);
  }, text);
}

/** What Debian's nginx.conf has around the files of conf.d, with the paths of a test. */
function surroundSite(folder: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (what) => `${what}_temp_path ${folder}/temporary/${what};`,
  );
  return `daemon off;
pid ${folder}/nginx.pid;
error_log stderr warn;
worker_processes 2;
events { worker_connections 1024; }
http {
access_log off;
${temporary.join('\n')}
include ${folder}/gateway.conf;
}
`;
}

function makeCertificate(folder: string): { ca: string; cert: string; key: string } {
  const authority = makeAuthority(folder, 'front');
  if (authority === undefined) {
    throw new Error('openssl is not installed');
  }
  return { ca: authority.ca, ...authority.issue(FRONT_HOST) };
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
    // Both end their worker processes and the connections that are left.
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
}
