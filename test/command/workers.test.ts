import { once } from 'node:events';
import { request, type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { FIRST_ORDER_ID } from '../../dev/demo-apis/order-book.ts';
import { findFreePort } from '../../dev/ports.ts';
import { until, untilReady, type Run } from '../support/command-program.ts';
import { startCommandWorld } from '../support/command-world.ts';

// Whole programs start here, several at a time.
jest.setTimeout(120_000);

const world = await startCommandWorld();
const { program, emulator, writeConfig, env, bearer } = world;
afterAll(() => world.close());

const DIED = 'worker died, another takes its place';

interface LogLine {
  readonly msg: string;
  readonly worker?: number;
  readonly pid: number;
  readonly operation?: string;
  readonly status?: number;
  readonly via?: string;
  readonly restartMs?: number;
}

/** The log lines with this message. */
function linesOf(run: Run, msg: string): LogLine[] {
  const lines = run.out().split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as LogLine).filter((line) => line.msg === msg);
}

/** The process of a worker that listens now. */
function pidOf(run: Run, worker: number): number {
  return linesOf(run, 'worker listens').findLast((line) => line.worker === worker)?.pid ?? 0;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Makes one request on a connection of its own. */
async function getAnew(url: string, headers: OutgoingHttpHeaders): Promise<IncomingMessage> {
  const call = request(url, { agent: false, headers }).end();
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  return response.resume();
}

/** Makes one call on a connection of its own. */
async function callAnew(url: string): Promise<number> {
  const { statusCode = 0 } = await getAnew(`${url}/me`, bearer());
  return statusCode;
}

/** Begins an upload, and leaves it open once it is on its way to the downstream. */
async function beginUpload(url: string): Promise<ClientRequest> {
  const before = emulator.exchanges.length;
  const upload = request(`${url}/orders/${FIRST_ORDER_ID}/attachment`, {
    method: 'PUT',
    headers: { ...bearer(), 'content-type': 'application/octet-stream' },
  });
  upload.write('first half, ');
  await until(() => (emulator.exchanges.length > before ? true : undefined));
  return upload;
}

async function untilGone(...pids: readonly number[]): Promise<void> {
  await until(() => (pids.some(isAlive) ? undefined : true));
}

async function readMetrics(managementUrl: string): Promise<string[]> {
  return (await (await fetch(`${managementUrl}/metrics`)).text()).split('\n');
}

/** How many calls of `GET /me` the metrics page counts. */
async function countCalls(managementUrl: string): Promise<number> {
  const lines = await readMetrics(managementUrl);
  const line = lines.find((text) => text.startsWith('gateway_http_requests_total{operation="getProfile"'));
  return Number(line?.split(' ').at(-1));
}

/** A call is counted when it is over, which can be a moment after its answer is here. */
async function untilCounted(managementUrl: string, calls: number): Promise<void> {
  await until(async () => ((await countCalls(managementUrl)) === calls ? true : undefined));
}

describe('a gateway of two workers', () => {
  let gateway: Awaited<ReturnType<typeof world.serve>>;
  let enginePort: number;
  beforeAll(async () => {
    enginePort = await findFreePort();
    gateway = await world.serve({ workers: 2, authorizationService: { port: enginePort } });
  });

  /** Kills a worker, and waits until another took its place. */
  async function replace(worker: number): Promise<number | undefined> {
    const pid = pidOf(gateway.run, worker);
    process.kill(pid, 'SIGKILL');
    await until(() => (pidOf(gateway.run, worker) === pid ? undefined : true));
    return linesOf(gateway.run, DIED).find((line) => line.pid === pid)?.restartMs;
  }

  it('answers on one port from both in turn, and says which one in the log', async () => {
    const { run, url } = gateway;
    const statuses = [await callAnew(url), await callAnew(url), await callAnew(url), await callAnew(url)];
    const lines = await until(() => {
      const found = linesOf(run, 'request');
      return found.length === 4 ? found : undefined;
    });
    const shares = [1, 2].map((number) => lines.filter(({ worker }) => worker === number).length);
    expect([statuses, shares]).toEqual([
      [200, 200, 200, 200],
      [2, 2],
    ]);
  });

  it('has one metrics page, on which each series stands once', async () => {
    await untilCounted(gateway.managementUrl, 4);
    const series = (await readMetrics(gateway.managementUrl))
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.slice(0, line.lastIndexOf(' ')));
    const names = new Set(series);
    expect(names.size).toBe(series.length);
    expect(
      ['gateway_sessions', 'process_resident_memory_bytes', 'process_start_time_seconds'].filter(
        (name) => !names.has(name),
      ),
    ).toEqual([]);
  });

  it('answers engines on one port from both in turn, also about a token that the other one gave', async () => {
    const { authorization } = bearer();
    const ask = async (report: Readonly<Record<string, string>> = {}): Promise<[number, string]> => {
      const { statusCode = 0, headers } = await getAnew(`http://127.0.0.1:${enginePort}/check/envoy/orders`, {
        authorization,
        ...report,
      });
      return [statusCode, headers.authorization ?? ''];
    };
    const [status, token] = await ask();
    const report = {
      'x-downstream-status': '401',
      'x-downstream-attempt': '1',
      'x-downstream-challenge': `Bearer claims="${btoa('{"access_token":{"nbf":{"essential":true}}}')}"`,
      'x-downstream-authorization': token,
    };
    const [again, newToken] = await ask(report);
    expect([status, again, newToken.startsWith('Bearer '), newToken === token]).toEqual([200, 200, true, false]);
    const lines = await until(() => {
      const found = linesOf(gateway.run, 'request').filter(({ via }) => via === 'check');
      return found.length === 2 ? found : undefined;
    });
    expect(new Set(lines.map(({ worker }) => worker))).toEqual(new Set([1, 2]));
  });

  it('stays ready while one of them is stuck, and its metrics page comes with what that one said last', async () => {
    const pid = pidOf(gateway.run, 1);
    process.kill(pid, 'SIGSTOP');
    try {
      const ready = await fetch(`${gateway.managementUrl}/readyz`);
      expect([ready.status, await countCalls(gateway.managementUrl)]).toEqual([200, 4]);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });

  it('replaces one that is killed; the others go on meanwhile, and no counter falls', async () => {
    const { run, url, managementUrl } = gateway;
    const pid = pidOf(run, 2);
    process.kill(pid, 'SIGKILL');
    const line = await until(() => linesOf(run, DIED)[0]);
    const statuses = [await callAnew(url), await callAnew(url)];
    await untilCounted(managementUrl, 6);
    await until(() => (pidOf(run, 2) === pid ? undefined : true));
    expect([statuses, line]).toEqual([
      [200, 200],
      expect.objectContaining({ level: 'error', worker: 2, pid, exitCode: null, signal: 'SIGKILL' }),
    ]);
    await untilCounted(managementUrl, 6);
  });

  it('waits longer each time while the successors die early', async () => {
    const first = await replace(2);
    const second = await replace(2);
    expect([first, second]).toEqual([expect.any(Number), 2 * Number(first)]);
  });

  it('is back on the same port after all of them died at once', async () => {
    const { run, url, managementUrl } = gateway;
    const pids = [pidOf(run, 1), pidOf(run, 2)];
    pids.forEach((pid) => process.kill(pid, 'SIGKILL'));
    await until(() => (pids.includes(pidOf(run, 1)) || pids.includes(pidOf(run, 2)) ? undefined : true));
    await untilReady(managementUrl);
    expect(await callAnew(url)).toBe(200);
  });

  it('ends with 0 when it is told to, though a connection is kept alive', async () => {
    await fetch(`${gateway.url}/status`);
    gateway.run.process.kill('SIGTERM');
    expect([await gateway.run.ended, gateway.run.err()]).toEqual([0, '']);
  });
});

describe('a signal', () => {
  it('that reaches every process lets the request in flight finish, and nobody is replaced', async () => {
    const { run, url, managementUrl } = await world.serve({ workers: 2 });
    const upload = await beginUpload(url);
    for (const pid of [pidOf(run, 1), pidOf(run, 2), Number(run.process.pid)]) {
      process.kill(pid, 'SIGINT');
    }
    const draining = await until(async () => {
      const response = await fetch(`${managementUrl}/readyz`);
      return response.status === 503 ? await response.json() : undefined;
    });
    upload.end('second half');
    const [response] = (await once(upload, 'response')) as [IncomingMessage];
    response.resume();
    expect([draining, response.statusCode, await run.ended, run.err()]).toEqual([
      { status: 'not ready', reason: 'draining' },
      200,
      0,
      '',
    ]);
    expect(linesOf(run, DIED)).toEqual([]);
  });

  it('that comes while the workers start ends them all, with 0', async () => {
    const managementPort = await findFreePort();
    const file = await writeConfig('starting.yaml', { managementPort, workers: 2 });
    const run = program.start(['serve', '--config', file], env);
    // The management port is there before the first worker is.
    const response = await until(() => fetch(`http://127.0.0.1:${managementPort}/livez`).catch(() => undefined));
    run.process.kill('SIGTERM');
    expect([response.status, await run.ended, run.err()]).toEqual([200, 0, '']);
  });

  it('ends also a worker that is stuck, with 0', async () => {
    const { run } = await world.serve({ workers: 2, drainTimeout: '100ms' });
    const pid = pidOf(run, 1);
    process.kill(pid, 'SIGSTOP');
    run.process.kill('SIGTERM');
    expect([await run.ended, isAlive(pid)]).toEqual([0, false]);
  });
});

describe('a worker that does not answer', () => {
  it('gets one connection and no more, while the other serves', async () => {
    const { run, url } = await world.serve({ workers: 2, drainTimeout: '100ms' });
    const pid = pidOf(run, 1);
    process.kill(pid, 'SIGSTOP');
    let answered = 0;
    const calls = Array.from({ length: 10 }, () => callAnew(url).then(() => (answered += 1)));
    await until(() => (answered === 9 ? true : undefined));
    run.process.kill('SIGTERM');
    const outcomes = await Promise.allSettled(calls);
    const cutOff = outcomes.filter(({ status }) => status === 'rejected');
    expect([await run.ended, cutOff.length]).toEqual([0, 1]);
  });

  it('for ten seconds is replaced; /livez says 503 while none answers', async () => {
    const { run, url, managementUrl } = await world.serve({ workers: 2 });
    const pids = [pidOf(run, 1), pidOf(run, 2)];
    pids.forEach((pid) => process.kill(pid, 'SIGSTOP'));
    const [live, ready] = await Promise.all([fetch(`${managementUrl}/livez`), fetch(`${managementUrl}/readyz`)]);
    expect([live.status, await live.json(), ready.status]).toEqual([
      503,
      { status: 'not alive', reason: 'no worker answers' },
      503,
    ]);
    await until(() => (pids.includes(pidOf(run, 1)) || pids.includes(pidOf(run, 2)) ? undefined : true));
    await untilReady(managementUrl);
    const restarts = (await readMetrics(managementUrl)).find((line) =>
      line.startsWith('gateway_worker_restarts_total'),
    );
    expect([(await fetch(`${managementUrl}/livez`)).status, await callAnew(url), restarts]).toEqual([
      200,
      200,
      'gateway_worker_restarts_total 2',
    ]);
    expect(linesOf(run, DIED)).toEqual(
      [1, 2].map(() =>
        expect.objectContaining({ level: 'error', signal: 'SIGKILL', reason: 'did not answer for 10 s' }),
      ),
    );
    run.process.kill('SIGTERM');
    expect(await run.ended).toBe(0);
  });
});

describe('no worker outlives its primary', () => {
  it('that is killed', async () => {
    const { run } = await world.serve({ workers: 2 });
    run.process.kill('SIGKILL');
    await untilGone(pidOf(run, 1), pidOf(run, 2));
  });

  it('that is told a second time to stop, whatever is in flight', async () => {
    const { run, url, managementUrl } = await world.serve({ workers: 2 });
    const upload = await beginUpload(url);
    upload.on('error', () => {});
    run.process.kill('SIGTERM');
    await until(async () => ((await fetch(`${managementUrl}/readyz`)).ok ? undefined : true));
    run.process.kill('SIGINT');
    await untilGone(pidOf(run, 1), pidOf(run, 2));
    expect(await run.ended).toBe('SIGINT');
  });
});

describe('the start', () => {
  it('fails with 1 and the name of the port when it is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const run = program.start(['serve', '--config', await writeConfig('taken.yaml', { port, workers: 2 })], env);
    const code = await run.ended;
    other.close();
    expect([code, run.err()]).toEqual([1, `server.port ${port} on 127.0.0.1 is taken by another program\n`]);
  });

  it('fails with 2 in a worker of another program’s cluster, which has its primary already', async () => {
    const file = await writeConfig('nested.yaml', { workers: 2 });
    // By this node:cluster knows a worker.
    const run = program.start(['serve', '--config', file], { ...env, NODE_UNIQUE_ID: '1' });
    expect([await run.ended, run.err()]).toEqual([
      2,
      expect.stringMatching(/^server\.workers: found 2; allowed: 1 .*\n$/),
    ]);
  });

  it('makes one process per core for auto', async () => {
    const { run } = await world.serve({ workers: 'auto' });
    const cores = availableParallelism();
    // A single process needs no workers.
    expect(linesOf(run, 'worker listens')).toHaveLength(cores === 1 ? 0 : cores);
    run.process.kill('SIGTERM');
    expect(await run.ended).toBe(0);
  });
});
