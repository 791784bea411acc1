import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import { FIRST_ORDER_ID } from '../../dev/demo-apis/order-book.ts';
import { GATEWAY_CLIENT_SECRET } from '../../dev/emulator/world.ts';
import { AS_FIRST, until, untilListening, type Run } from '../support/command-program.ts';
import { startCommandWorld } from '../support/command-world.ts';

// Whole programs start here, several at a time.
jest.setTimeout(120_000);

const world = await startCommandWorld();
const { program, emulator, orders, writeConfig, env, bearer } = world;
afterEach(() => {
  emulator.resetSwitches();
  orders.resetTrouble();
});
afterAll(() => world.close());

/** Begins an upload and leaves it open. */
function beginUpload(url: string): ClientRequest {
  const upload = request(`${url}/orders/${FIRST_ORDER_ID}/attachment`, {
    method: 'PUT',
    headers: { ...bearer(), 'content-type': 'application/octet-stream' },
  });
  upload.write('first half, ');
  return upload;
}

/** The status of an upload, and what the downstream said. */
async function finish(upload: ClientRequest): Promise<{ status: number | undefined; body: unknown }> {
  upload.end('second half');
  const [response] = (await once(upload, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = await response.toArray();
  return { status: response.statusCode, body: JSON.parse(Buffer.concat(chunks).toString()) };
}

/** Why a new connection was refused; undefined when it was not. */
async function refusalOf(url: string): Promise<string | undefined> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  return new Promise((resolve) => {
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? error.message);
    });
  });
}

describe('serve', () => {
  it('carries a call to the downstream and back', async () => {
    const { url, run } = await world.serve();
    const response = await fetch(`${url}/me`, { headers: bearer() });
    expect([response.status, await response.json()]).toEqual([
      200,
      expect.objectContaining({ displayName: 'Adele Vance' }),
    ]);
    run.process.kill('SIGTERM');
    expect(await run.ended).toBe(0);
  });

  it('says first of all what runs: version, commit and Node', async () => {
    const { run } = await world.serve();
    const started = run
      .out()
      .split('\n')
      .find((line) => line.includes('"gateway started"'));
    expect(JSON.parse(started ?? '')).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      commit: expect.any(String),
      node: process.version,
    });
    run.process.kill('SIGTERM');
    await run.ended;
  });

  it('logs in lines of JSON that hold no token and no secret', async () => {
    const { url, run } = await world.serve();
    const headers = bearer();
    await fetch(`${url}/me?secret=a`, { headers });
    run.process.kill('SIGTERM');
    await run.ended;
    const lines = run.out().trim().split('\n');
    expect(lines.map((line) => typeof JSON.parse(line))).toEqual(lines.map(() => 'object'));
    expect(
      [headers.authorization.slice(7), GATEWAY_CLIENT_SECRET, 'secret=a'].filter((text) => run.out().includes(text)),
    ).toEqual([]);
  });

  it('listens and says why it is not ready while Entra has no keys to give', async () => {
    emulator.switches.keys = 'down';
    const run = program.start(['serve', '--config', await writeConfig('gateway.yaml')], env);
    const { managementUrl } = await untilListening(run);
    const [live, ready] = await Promise.all([fetch(`${managementUrl}/livez`), fetch(`${managementUrl}/readyz`)]);
    expect([live.status, ready.status, await ready.json()]).toEqual([
      200,
      503,
      { status: 'not ready', reason: 'no signing keys of Entra yet' },
    ]);
    run.process.kill('SIGTERM');
    expect(await run.ended).toBe(0);
  });
});

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  it('with nothing in flight ends it with 0, though a connection is kept alive', async () => {
    const { url, run } = await world.serve();
    await fetch(`${url}/status`);
    run.process.kill(signal);
    expect([await run.ended, run.err()]).toEqual([0, '']);
  });

  it('lets the request in flight finish, says so on /readyz, and refuses new connections', async () => {
    const { url, managementUrl, run } = await world.serve();
    const before = emulator.exchanges.length;
    const upload = beginUpload(url);
    await until(() => (emulator.exchanges.length > before ? true : undefined));
    run.process.kill(signal);
    const draining = await until(async () => {
      const response = await fetch(`${managementUrl}/readyz`);
      return response.status === 503 ? await response.json() : undefined;
    });
    const refusal = await until(() => refusalOf(url));
    const live = await fetch(`${managementUrl}/livez`);
    expect([draining, refusal, live.status, run.process.exitCode]).toEqual([
      { status: 'not ready', reason: 'draining' },
      'ECONNREFUSED',
      200,
      null,
    ]);
    expect(await finish(upload)).toMatchObject({ status: 200, body: { bytes: 23 } });
    expect([await run.ended, run.err()]).toEqual([0, '']);
  });
});

/** The lines of a gateway with this message. */
function linesOf(run: Run, message: string): unknown[] {
  const lines = run.out().trim().split('\n');
  return lines.map((line) => JSON.parse(line) as { readonly msg: string }).filter(({ msg }) => msg === message);
}

describe('the log', () => {
  it('says when a gateway stops, how long that may take, and when it is over', async () => {
    const { run } = await world.serve({ drainDelay: '10ms', drainTimeout: '2s' });
    run.process.kill('SIGTERM');
    await run.ended;
    expect([linesOf(run, 'gateway stops'), linesOf(run, 'gateway stopped')]).toEqual([
      [expect.objectContaining({ level: 'info', drainDelayMs: 10, drainTimeoutMs: 2_000 })],
      [expect.objectContaining({ level: 'info', ms: expect.any(Number) })],
    ]);
  });
});

const inNamespace = spawnSync(AS_FIRST[0], [...AS_FIRST.slice(1), 'true']).status === 0 ? it : it.skip;

/** The program that `unshare` started, as this namespace sees it. */
async function untilFirst({ process: { pid } }: Run): Promise<number> {
  return until(() => Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')) || undefined);
}

/** Milliseconds in which a process that was told to stop can end; one that is told again while it ends may die of that. */
const PAUSE_MS = 100;

/** Tells a process to stop again and again until it has ended: before a program of Node runs, signals may be lost. */
async function insist(pid: number, { ended }: Run): Promise<number | NodeJS.Signals> {
  let isOver = false;
  let toldAt = Number.NEGATIVE_INFINITY;
  const end = ended.finally(() => (isOver = true));
  await until(() => {
    if (performance.now() - toldAt >= PAUSE_MS) {
      toldAt = performance.now();
      try {
        process.kill(pid, 'SIGTERM');
      } catch {
        // It is gone, and the end is about to be told.
      }
    }
    return isOver || undefined;
  });
  return end;
}

describe('a stop that comes while the gateway starts', () => {
  it('ends it before it serves', async () => {
    const run = program.start(['serve', '--config', await writeConfig('gateway.yaml')], env);
    await insist(run.process.pid ?? 0, run);
    expect(run.out()).toBe('');
  });

  inNamespace('ends also the first process of a container, with 0', async () => {
    const run = program.startAsFirst(['serve', '--config', await writeConfig('gateway.yaml')], env);
    expect([await insist(await untilFirst(run), run), run.out()]).toEqual([0, '']);
  });

  inNamespace('ends another command as if the signal had done it', async () => {
    const run = program.startAsFirst(['check', '--config', await writeConfig('gateway.yaml')], env);
    expect(await insist(await untilFirst(run), run)).toBe(143);
  });
});

describe('a second SIGTERM', () => {
  inNamespace('ends also the first process of a container at once', async () => {
    const run = program.startAsFirst(
      ['serve', '--config', await writeConfig('gateway.yaml', { drainDelay: '10m' })],
      env,
    );
    await untilListening(run);
    const pid = await untilFirst(run);
    process.kill(pid, 'SIGTERM');
    await until(() => run.out().includes('gateway stops') || undefined);
    process.kill(pid, 'SIGTERM');
    expect(await run.ended).toBe(143);
  });
});

describe('a request that takes longer than server.drainTimeout', () => {
  it('is cut off, which the log tells with what to do, and the exit code is 0 all the same', async () => {
    const { url, run } = await world.serve({ drainTimeout: '100ms' });
    Object.assign(orders.trouble, { hang: true, times: 1 });
    const call = fetch(`${url}/status`).then(
      () => 'answered',
      () => 'cut off',
    );
    await until(() => (orders.trouble.times === 0 ? true : undefined));
    run.process.kill('SIGTERM');
    expect([await call, await run.ended, linesOf(run, 'connections were cut off')]).toEqual([
      'cut off',
      0,
      [expect.objectContaining({ level: 'warn', connections: 1, remedy: expect.stringContaining('drainTimeout') })],
    ]);
  });
});

describe('healthcheck', () => {
  it('is 0 for a gateway that is ready', async () => {
    const { managementUrl, run } = await world.serve();
    const file = await writeConfig('probe.yaml', { managementPort: new URL(managementUrl).port });
    const probe = program.start(['healthcheck', '--config', file], env);
    expect([await probe.ended, probe.out(), probe.err()]).toEqual([0, '', '']);
    run.process.kill('SIGTERM');
    await run.ended;
  });

  it('is 1 for a gateway that is not ready yet, and says why', async () => {
    emulator.switches.keys = 'down';
    const run = program.start(['serve', '--config', await writeConfig('gateway.yaml')], env);
    const { managementUrl } = await untilListening(run);
    const file = await writeConfig('probe.yaml', { managementPort: new URL(managementUrl).port });
    const probe = program.start(['healthcheck', '--config', file], env);
    expect([await probe.ended, probe.err()]).toEqual([1, expect.stringContaining('no signing keys of Entra yet')]);
    run.process.kill('SIGTERM');
    await run.ended;
  });

  it('loads no package: it works where none is installed', async () => {
    const { managementUrl, run } = await world.serve();
    const file = await writeConfig('probe.yaml', { managementPort: new URL(managementUrl).port });
    const folder = await mkdtemp(join(tmpdir(), 'gateway-alone-'));
    await cp(program.folder, folder, { recursive: true });
    const probe = spawn(process.execPath, [join(folder, 'main.js'), 'healthcheck', '--config', file], {
      stdio: 'inherit',
    });
    expect(await once(probe, 'exit')).toEqual([0, null]);
    await rm(folder, { recursive: true });
    run.process.kill('SIGTERM');
    await run.ended;
  });

  it('is 1 where there is no gateway, and names the port', async () => {
    const file = await writeConfig('probe.yaml', { managementPort: '1' });
    const probe = program.start(['healthcheck', '--config', file], env);
    expect([await probe.ended, probe.err()]).toEqual([
      1,
      expect.stringMatching(/^the gateway does not answer on server\.management\.port 1: /),
    ]);
  });
});
