import { createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { GATEWAY_CLIENT_SECRET, HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import { runCommand, startCheckWorld, type Outcome } from './check-world.ts';

const world = await startCheckWorld();
afterEach(() => world.emulator.resetSwitches());
afterAll(() => world.close());

const ALL = 'config, ports, entra, clock, credential, downstreams, redis, backup';
const DOWN = { gone: { baseUrl: 'http://127.0.0.1:1', scopes: ['https://graph.microsoft.com/User.Read'] } };
const WRONG = { identity: { credential: { secret: 'not-it' } } };

/** One entry of the JSON report. */
interface Entry {
  readonly check: string;
  readonly outcome: 'ok' | 'warn' | 'fail';
  readonly what: string;
  readonly reason: string | null;
  readonly remedy: string | null;
  readonly key: string | null;
}

function entriesOf({ out }: Outcome): Entry[] {
  return JSON.parse(out.join('\n')) as Entry[];
}

function checksOf(outcome: Outcome): string[] {
  return [...new Set(entriesOf(outcome).map(({ check }) => check))];
}

const JSON_REPORT = ['--format', 'json'];

describe('check --only', () => {
  it.each([
    ['config', ['config']],
    ['ports', ['ports']],
    ['entra', ['entra']],
    ['clock', ['clock']],
    ['credential', ['credential']],
    ['downstreams', ['downstreams']],
    ['backup', ['backup']],
    ['redis', []],
    ['entra,config', ['config', 'entra']],
    ['config, entra,credential,config', ['config', 'entra', 'credential']],
  ])('%s looks at nothing else', async (only, checks) => {
    const outcome = await world.check({}, '--only', only, ...JSON_REPORT);
    expect([outcome.code, checksOf(outcome)]).toEqual([0, checks]);
  });

  it.each([
    ['config,ports,backup', 0],
    ['clock', 1],
    ['entra', 4],
    ['credential', 1],
  ])('%s asks Entra no more than it must', async (only, requests) => {
    const before = world.emulator.requests.length;
    await world.check({}, '--only', only);
    expect(world.emulator.requests.length - before).toBe(requests);
  });

  it('without the downstreams lets a pod start whose downstream is not there', async () => {
    const changes = { downstreams: { ...DOWN, graph: DOWN.gone } };
    const codes = [await world.check(changes), await world.check(changes, '--only', 'config,entra,credential')].map(
      ({ code }) => code,
    );
    expect(codes).toEqual([1, 0]);
  });

  it.each([
    ['download', `--only: found "download"; allowed: ${ALL}`],
    ['config,entr', `--only: found "entr"; allowed: ${ALL}; did you mean entra?`],
    ['config,', `--only: found ""; allowed: ${ALL}`],
    ['constructor', `--only: found "constructor"; allowed: ${ALL}`],
  ])('%s names what is allowed: exit 2', async (only, fault) => {
    expect(await world.check({}, '--only', only)).toEqual({ code: 2, out: [], errors: [fault] });
  });
});

describe('check --offline', () => {
  let server: Server;
  let calls = 0;
  beforeAll(async () => {
    server = createServer((socket) => {
      calls += 1;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => {
    server.close();
  });

  it('asks nobody, and is content with what is not there', async () => {
    const { port } = server.address() as AddressInfo;
    const before = world.emulator.requests.length;
    const outcome = await world.check(
      {
        ...WRONG,
        // Taken on this machine, but it is not the machine where the gateway will run.
        server: { port },
        downstreams: { graph: { ...DOWN.gone, baseUrl: `http://127.0.0.1:${port}` } },
        tokenCache: { redis: { url: `redis://127.0.0.1:${port}` } },
      },
      '--offline',
      ...JSON_REPORT,
    );
    expect([outcome.code, world.emulator.requests.length - before, calls]).toEqual([0, 0, 0]);
    expect(checksOf(outcome)).toEqual(['config', 'backup']);
  });

  it.each([
    ['networks that anybody is in', { trustedProxies: ['0.0.0.0/0'] }, 'server.trustedProxies'],
    ['one port for both listeners', { port: 9090, management: { port: 9090 } }, 'server.management.port'],
  ])('blames the files for whatever fails: %s, exit 2', async (_what, changes, key) => {
    const outcome = await world.check({ server: changes }, '--offline', ...JSON_REPORT);
    expect([outcome.code, entriesOf(outcome).filter(({ outcome: is }) => is === 'fail')]).toEqual([
      2,
      [expect.objectContaining({ key })],
    ]);
  });

  it('tells transports in clear, because it needs nobody for that', async () => {
    const outcome = await world.check(
      {
        downstreams: { graph: { ...DOWN.gone, baseUrl: 'http://api.contoso.com' } },
        tokenCache: { redis: { url: 'redis://cache.contoso.com' } },
      },
      '--offline',
      '--only',
      'downstreams,redis',
      ...JSON_REPORT,
    );
    expect(entriesOf(outcome).map(({ check, outcome: is }) => [check, is])).toEqual([
      ['downstreams', 'warn'],
      ['redis', 'warn'],
    ]);
  });

  it('leaves out what is nothing without the network, and says so when nothing is left', async () => {
    expect(checksOf(await world.check({}, '--offline', '--only', 'entra,config', ...JSON_REPORT))).toEqual(['config']);
    expect(await world.check({}, '--offline', '--only', 'entra,clock')).toEqual({
      code: 2,
      out: [],
      errors: [
        '--only: found entra,clock, which is nothing without the network; allowed with --offline: config, ports, credential, downstreams, redis, backup',
      ],
    });
  });
});

describe('check --format json', () => {
  it('is a list whose entries all have the same members, and nothing else', async () => {
    const outcome = await world.check({ ...WRONG, downstreams: { graph: DOWN.gone } }, ...JSON_REPORT);
    const entries = entriesOf(outcome);
    expect([outcome.code, outcome.errors, new Set(entries.map((entry) => Object.keys(entry).join()))]).toEqual([
      1,
      [],
      new Set(['check,outcome,what,reason,remedy,key']),
    ]);
    expect(entries.filter(({ outcome: is }) => is === 'fail')).toEqual([
      {
        check: 'credential',
        outcome: 'fail',
        what: `Entra: credential: refused in tenant ${HOME_TENANT_ID}: AADSTS7000215 (invalid_client)`,
        reason: expect.stringContaining('secret is wrong'),
        remedy: expect.stringContaining('value of a client secret'),
        key: 'identity.credential.secret',
      },
      {
        check: 'downstreams',
        outcome: 'fail',
        what: 'downstream graph: reachable: http://127.0.0.1:1 cannot be reached (ECONNREFUSED)',
        reason: 'nothing listens at this address and port',
        remedy: 'check the port, and that the service runs',
        key: 'downstreams.graph.baseUrl',
      },
    ]);
    expect(entries.find(({ check }) => check === 'clock')).toEqual({
      check: 'clock',
      outcome: 'ok',
      what: expect.stringMatching(/^clock: /),
      reason: null,
      remedy: null,
      key: null,
    });
  });

  it('has the faults of the files as entries: exit 2', async () => {
    const outcome = await world.check({ server: { prot: 1 }, identity: { tenant: 'contoso' } }, ...JSON_REPORT);
    expect([outcome.code, outcome.errors]).toEqual([2, []]);
    expect(entriesOf(outcome)).toEqual(
      ['server.prot', 'identity.tenant'].map((key) =>
        expect.objectContaining({ check: 'config', outcome: 'fail', what: expect.stringMatching(`^${key}: `), key }),
      ),
    );
  });

  it.each([['missing.yaml'], ['broken.yaml']])('has a file that cannot be read as an entry: %s', async (name) => {
    await writeFile(world.pathOf('broken.yaml'), 'server: {');
    const outcome = await runCommand(['check', '--config', world.pathOf(name), ...JSON_REPORT]);
    expect([outcome.code, outcome.errors, entriesOf(outcome)]).toEqual([
      2,
      [],
      [expect.objectContaining({ check: 'config', outcome: 'fail', what: expect.stringContaining(name) })],
    ]);
  });

  it('repeats no secret', async () => {
    const { out } = await world.check({}, ...JSON_REPORT);
    expect(out.join('\n')).not.toContain(GATEWAY_CLIENT_SECRET);
  });
});

describe('check --format junit', () => {
  it('has a suite for each check, a failure for what fails, and warnings as its output', async () => {
    const { code, out } = await world.check(WRONG, '--format', 'junit', '--only', 'credential,backup');
    const xml = out.join('\n');
    expect(code).toBe(1);
    expect(xml).toMatch(
      /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="obo-gateway check" tests="\d+" failures="1"/,
    );
    expect(xml.match(/<testsuite name="\w+"/g)).toEqual(['<testsuite name="credential"', '<testsuite name="backup"']);
    expect(xml).toMatch(
      /<testcase classname="credential" name="Entra: credential".*>\n\s*<failure message="refused in .*remedy: identity\.credential\.secret: /,
    );
    expect(xml).toMatch(/<system-out>warn {2}backup authentication: /);
  });

  it('has the faults of the files as failures: exit 2', async () => {
    const { code, out, errors } = await world.check({ server: { prot: 1 } }, '--format', 'junit');
    expect([code, errors, out.join('\n')]).toEqual([
      2,
      [],
      expect.stringMatching(/<testcase classname="config" name="server\.prot".*>\n\s*<failure /),
    ]);
  });
});

describe('another format', () => {
  it('is told with those there are: exit 2', async () => {
    expect(await world.check({}, '--format', 'xml')).toEqual({
      code: 2,
      out: [],
      errors: ['--format: found "xml"; allowed: text, json, junit'],
    });
  });
});

describe('a secret in a file', () => {
  it('is checked as any other, and named by its key', async () => {
    await writeFile(world.pathOf('secret'), `${GATEWAY_CLIENT_SECRET}\n`);
    await writeFile(world.pathOf('wrong'), 'not-it\n');
    const only = ['--only', 'credential', ...JSON_REPORT];
    const good = await world.check({ identity: { credential: { secretFile: 'secret' } } }, ...only);
    const wrong = await world.check({ identity: { credential: { secretFile: 'wrong' } } }, ...only);
    expect([good.code, wrong.code, entriesOf(wrong)[0]?.key]).toEqual([0, 1, 'identity.credential.secretFile']);
  });
});
