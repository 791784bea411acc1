import { existsSync, readFileSync, renameSync } from 'node:fs';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { findFreePort } from '../../dev/ports.ts';
import { buildProgram, until, untilListening, untilReady, type Run } from '../support/command-program.ts';
import { answerWith } from '../support/gateway-downstream.ts';
import { readSeries } from '../support/metrics-page.ts';
import { startReloadWorld, type Deployment } from '../support/reload-world.ts';

// Whole programs start here, several at a time.
jest.setTimeout(120_000);

const program = buildProgram();
const world = await startReloadWorld();
const { old, folder, file, env, nextUrl, write, writeText, bearer } = world;
const runs: Run[] = [];

afterEach(() => {
  old.answer = answerWith(200, [], 'old');
});
afterAll(async () => {
  await program.remove();
  await world.close();
});

async function stopAll(): Promise<void> {
  runs.forEach((run) => run.process.kill('SIGTERM'));
  await Promise.all(runs.splice(0).map(({ ended }) => ended));
}

type Line = Record<string, unknown>;

interface Served {
  readonly run: Run;
  readonly url: string;
  readonly managementUrl: string;
}

/** Starts the gateway of the files as they are. */
async function serve(...options: readonly string[]): Promise<Served> {
  const run = program.start(['serve', '--config', file, ...options], { ...env });
  runs.push(run);
  const urls = await untilListening(run);
  await untilReady(urls.managementUrl);
  return { run, ...urls };
}

function linesOf({ run }: Pick<Served, 'run'>): Line[] {
  return run
    .out()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

function reloadsOf(served: Pick<Served, 'run'>): Line[] {
  return linesOf(served).filter(({ event }) => event === 'config.reloaded');
}

/** Waits until the log says that what a key says now is applied; of files that are written in turn, each may be a reload. */
async function untilApplied(served: Pick<Served, 'run'>, key: string): Promise<Line> {
  return until(() =>
    reloadsOf(served).find(
      ({ outcome, changed }) => outcome === 'applied' && Array.isArray(changed) && changed.includes(key),
    ),
  );
}

/** Sends SIGHUP, and waits for what the log says of the reload. */
async function reload(served: Served): Promise<Line> {
  const before = reloadsOf(served).length;
  served.run.process.kill('SIGHUP');
  return until(() => reloadsOf(served)[before]);
}

async function readMetrics({ managementUrl }: Served): Promise<string> {
  return (await fetch(`${managementUrl}/metrics`)).text();
}

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
}

/** Makes one call, over the connection of an agent. */
async function call(url: string, path: string, headers: object = {}, agent?: Agent): Promise<Answer> {
  const sent = request(`${url}${path}`, { agent: agent ?? false, headers: { ...headers } }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = await response.toArray();
  return { status: response.statusCode, text: Buffer.concat(chunks).toString() };
}

/** Calls over one kept connection after the other answer, until told to stop; the answers are added to a list. */
async function callOn(url: string, headers: object, answers: Answer[], isOver: () => boolean): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  while (!isOver()) {
    answers.push(await call(url, '/me', headers, agent));
  }
  agent.destroy();
}

describe.each([1, 2])('SIGHUP, with %d workers', (workers) => {
  const audit = join(folder, `audit-${workers}.log`);
  let port = 0;
  let served: Served;

  /** Writes the files of this gateway. */
  function rewrite({ server, ...deployment }: Deployment = {}): Promise<void> {
    return write({ server: { workers, port, ...server }, log: { audit }, ...deployment });
  }

  beforeAll(async () => {
    port = await findFreePort();
    await rewrite();
    served = await serve();
  });
  afterEach(async () => {
    await rewrite();
    await reload(served);
  });
  afterAll(() => stopAll());

  it('loses no request and mixes none: each connection goes over from the old API to the new one', async () => {
    const headers = bearer();
    const answers: Answer[][] = Array.from({ length: 8 }, () => []);
    let enough: readonly number[] = [];
    // Each connection has its own count: a worker may be a while behind the other.
    const connections = answers.map((ofOne, index) =>
      callOn(served.url, headers, ofOne, () => ofOne.length >= (enough[index] ?? Number.POSITIVE_INFINITY)),
    );
    await until(() => (answers.every(({ length }) => length >= 35) ? true : undefined));
    await rewrite({ api: { baseUrl: nextUrl } });
    const line = await reload(served);
    enough = answers.map(({ length }) => length + 25);
    await Promise.all(connections);
    expect(line).toMatchObject({ outcome: 'applied', changed: ['downstreams.api.baseUrl'], needRestart: [] });
    expect(new Set(answers.flat().map(({ status }) => status))).toEqual(new Set([200]));
    const orders = answers.map((ofOne) => ofOne.map(({ text }) => text).join(' '));
    expect(orders.filter((order) => !/^(?:old ?)+(?:next ?)+$/.test(order))).toEqual([]);
  });

  it('lets a request under way finish with the API that it began with', async () => {
    let finish: (() => void) | undefined;
    old.answer = (_req, res) => {
      res.writeHead(200).write('the old ');
      finish = () => res.end('API');
    };
    const before = old.requests.length;
    const slow = call(served.url, '/me', bearer());
    await until(() => (old.requests.length > before ? true : undefined));
    await rewrite({ api: { baseUrl: nextUrl } });
    await reload(served);
    const after = await call(served.url, '/me', bearer());
    finish?.();
    expect([await slow, after]).toEqual([
      { status: 200, text: 'the old API' },
      { status: 200, text: 'next' },
    ]);
  });

  it('refuses files that are wrong: one line for each fault, and everything stays as it was', async () => {
    await rewrite({ server: { bodyLimit: 'much' }, api: { baseUrl: nextUrl, colour: 'red' } });
    const refused = await reload(served);
    const pageThen = await readMetrics(served);
    const during = await call(served.url, '/me', bearer());
    await rewrite({ api: { baseUrl: nextUrl } });
    const applied = await reload(served);
    const after = await call(served.url, '/me', bearer());
    const faults = linesOf(served).filter(({ msg }) => msg === 'the configuration was not reloaded');
    expect(faults).toEqual([
      expect.objectContaining({
        level: 'error',
        key: 'server.bodyLimit',
        reason: 'found "much"; allowed: a size such as 64kb, 10mb or 2gb',
        remedy: expect.stringContaining('SIGHUP'),
      }),
      expect.objectContaining({ level: 'error', key: 'downstreams.api.colour' }),
    ]);
    expect([refused, applied]).toEqual([
      expect.objectContaining({ outcome: 'refused', faults: ['server.bodyLimit', 'downstreams.api.colour'] }),
      expect.objectContaining({ outcome: 'applied' }),
    ]);
    expect([during.text, after.text]).toEqual(['old', 'next']);
    const successful = 'gateway_config_last_reload_successful';
    expect([readSeries(pageThen, successful), readSeries(await readMetrics(served), successful)]).toEqual([0, 1]);
  });

  it('names what needs a restart, keeps it, and applies the rest', async () => {
    await rewrite({
      server: { workers: 3, port: port + 1 },
      identity: { clientId: '00000000-0000-0000-0000-000000000001' },
      api: { baseUrl: nextUrl },
    });
    const line = await reload(served);
    const needRestart = ['server.port', 'server.workers', 'identity.clientId'];
    expect(line).toMatchObject({ outcome: 'applied', changed: ['downstreams.api.baseUrl'], needRestart });
    expect(linesOf(served).filter(({ level }) => level === 'warn')).toEqual([
      expect.objectContaining({ needRestart, remedy: expect.stringContaining('Restart') }),
    ]);
    expect(await call(served.url, '/me', bearer())).toEqual({ status: 200, text: 'next' });
  });

  it('opens the audit log anew though nothing changed, and though the files are wrong', async () => {
    const refused = { authorization: 'Bearer not.a.token' };
    await call(served.url, '/me', refused);
    await until(() => (readFileSync(audit, 'utf8').includes('token.refused') ? true : undefined));
    const before = readFileSync(audit, 'utf8').match(/token\.refused/g)?.length ?? 0;
    renameSync(audit, `${audit}.1`);
    await reload(served);
    await Promise.all(Array.from({ length: 2 }, () => call(served.url, '/me', refused)));
    await until(() => (readFileSync(audit, 'utf8').match(/token\.refused/g)?.length === 2 ? true : undefined));
    renameSync(audit, `${audit}.2`);
    await writeText('server: [');
    await reload(served);
    await until(() =>
      existsSync(audit) && readFileSync(audit, 'utf8').includes('"outcome":"refused"') ? true : undefined,
    );
    expect(readFileSync(`${audit}.1`, 'utf8').match(/token\.refused/g)).toHaveLength(before);
  });
});

describe('workers', () => {
  afterEach(() => stopAll());

  it('that die after a wrong file was written start with the last one that was good', async () => {
    const port = await findFreePort();
    await write({ server: { workers: 2, port } });
    const served = await serve();
    await write({ server: { workers: 2, port }, api: { baseUrl: nextUrl } });
    await reload(served);
    await writeText('identity: nobody');
    expect(await reload(served)).toMatchObject({ outcome: 'refused' });
    const listening = linesOf(served).filter(({ msg }) => msg === 'worker listens');
    listening.forEach(({ pid }) => process.kill(Number(pid), 'SIGKILL'));
    await until(() => (linesOf(served).filter(({ msg }) => msg === 'worker listens').length === 4 ? true : undefined));
    await untilReady(served.managementUrl);
    const answers = [await call(served.url, '/me', bearer()), await call(served.url, '/me', bearer())];
    expect(answers.map(({ text }) => text)).toEqual(['next', 'next']);
  });
});

describe('SIGHUP at other times', () => {
  afterEach(() => stopAll());

  it('while the workers start is one reload once all of them serve', async () => {
    const managementPort = await findFreePort();
    await write({ server: { workers: 2, port: await findFreePort(), management: { port: managementPort } } });
    const run = program.start(['serve', '--config', file], env);
    runs.push(run);
    // The management port is there before the first worker is.
    await until(() => fetch(`http://127.0.0.1:${managementPort}/livez`).catch(() => undefined));
    run.process.kill('SIGHUP');
    run.process.kill('SIGHUP');
    await until(() => reloadsOf({ run })[0]);
    const told = linesOf({ run }).map(({ msg, event }) => event ?? msg);
    expect(told.indexOf('gateway started')).toBeLessThan(told.indexOf('config.reloaded'));
    expect(reloadsOf({ run })).toHaveLength(1);
  });

  it('while it drains changes nothing and ends nothing', async () => {
    await write();
    const served = await serve();
    let finish: (() => void) | undefined;
    old.answer = (_req, res) => {
      finish = () => res.end('whole');
    };
    const before = old.requests.length;
    const slow = call(served.url, '/me', bearer());
    await until(() => (old.requests.length > before ? true : undefined));
    served.run.process.kill('SIGTERM');
    await until(async () => ((await fetch(`${served.managementUrl}/readyz`)).ok ? undefined : true));
    served.run.process.kill('SIGHUP');
    await fetch(`${served.managementUrl}/livez`);
    finish?.();
    expect([await slow, await served.run.ended]).toEqual([{ status: 200, text: 'whole' }, 0]);
    expect(reloadsOf(served)).toEqual([]);
  });

  it('several times in a row is one more reload after the first', async () => {
    await write();
    const served = await serve();
    Array.from({ length: 20 }, () => served.run.process.kill('SIGHUP'));
    await until(() => (reloadsOf(served).length > 0 ? true : undefined));
    await call(served.url, '/me', bearer());
    expect(reloadsOf(served).length).toBeLessThanOrEqual(3);
  });
});

describe('serve --watch', () => {
  afterEach(() => stopAll());

  it('follows a file that an editor replaced, and a document that the contract refers to', async () => {
    await write({ paths: { '/parts': { $ref: './parts.yaml' } } });
    const operation = {
      security: [],
      'x-downstream': { service: 'api' },
      responses: { default: { description: 'Any.' } },
    };
    await writeFile(join(folder, 'parts.yaml'), JSON.stringify({ get: operation }));
    const served = await serve('--watch');
    const before = await call(served.url, '/parts');
    await writeFile(join(folder, 'parts.yaml'), JSON.stringify({ get: { ...operation, security: [{ user: [] }] } }));
    await untilApplied(served, 'contract');
    const after = await call(served.url, '/parts');
    await write({ api: { baseUrl: nextUrl } });
    await untilApplied(served, 'downstreams.api.baseUrl');
    const gone = await call(served.url, '/parts');
    expect([before.status, after.status, gone.status, (await call(served.url, '/open')).text]).toEqual([
      200,
      401,
      404,
      'next',
    ]);
  });

  it('follows a ConfigMap volume, whose files change when a link is turned', async () => {
    const volume = join(folder, 'volume');
    await mkdir(volume);
    await fill('..1', undefined);
    await symlink('..1', join(volume, '..data'));
    await symlink('..data/gateway.yaml', join(volume, 'gateway.yaml'));
    await symlink('..data/openapi.yaml', join(volume, 'openapi.yaml'));
    const run = program.start(['serve', '--config', join(volume, 'gateway.yaml'), '--watch'], { ...env });
    runs.push(run);
    const { url, managementUrl } = await untilListening(run);
    await untilReady(managementUrl);
    const before = await call(url, '/open');
    await fill('..2', nextUrl);
    await symlink('..2', join(volume, '..data_tmp'));
    await rename(join(volume, '..data_tmp'), join(volume, '..data'));
    await rm(join(volume, '..1'), { recursive: true });
    const line = await until(() => reloadsOf({ run })[0]);
    expect(line).toMatchObject({ outcome: 'applied', changed: ['downstreams.api.baseUrl'] });
    expect([before.text, (await call(url, '/open')).text]).toEqual(['old', 'next']);

    async function fill(name: string, baseUrl: string | undefined): Promise<void> {
      await write({ ...(baseUrl !== undefined && { api: { baseUrl } }) });
      await mkdir(join(volume, name));
      for (const part of ['gateway.yaml', 'openapi.yaml']) {
        await writeFile(join(volume, name, part), readFileSync(join(folder, part)));
      }
    }
  });
});
