import { createServer, type AddressInfo } from 'node:net';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { buildProgram } from '../support/command-program.ts';

const program = buildProgram();
const folder = await mkdtemp(join(tmpdir(), 'gateway-command-'));
await writeFile(join(folder, 'openapi.yaml'), await readFile(new URL('../../openapi.yaml', import.meta.url)));
afterAll(async () => {
  await program.remove();
  await rm(folder, { recursive: true });
});

const ENV = { GATEWAY_CLIENT_SECRET: 'hunter2' };

/** Writes gateway.yaml with this server section. */
async function writeConfig(name: string, server: string, rest = ''): Promise<string> {
  const file = join(folder, name);
  await writeFile(
    file,
    `contract: ./openapi.yaml
server: ${server}
identity:
  authority: http://localhost:1
  tenant: 72f988bf-86f1-41af-91ab-2d7cd011db47
  clientId: 6e74172b-be56-4843-9ff4-e66a39bb12e3
  credential: { secret: '\${GATEWAY_CLIENT_SECRET}' }
downstreams:
  graph: { baseUrl: http://localhost:1, scopes: [User.Read] }
  orders: { baseUrl: http://localhost:1, scopes: [api://orders/.default] }
${rest}`,
  );
  return file;
}

/** Runs a command line to its end. */
async function run(
  args: readonly string[],
  env: Record<string, string> = ENV,
): Promise<{ code: unknown; out: string; err: string }> {
  const { ended, out, err } = program.start(args, env);
  return { code: await ended, out: out(), err: err() };
}

describe('how to use it', () => {
  it.each([[['--help']], [['-h']], [['serve', '--help']]])('is written for %j: exit 0', async (args) => {
    expect(await run(args)).toEqual({
      code: 0,
      out: expect.stringMatching(/^Usage:\n {2}obo-gateway serve --config gateway\.yaml [^]*healthcheck/),
      err: '',
    });
  });

  it('is told to who gives nothing: exit 2', async () => {
    expect(await run([])).toEqual({ code: 2, out: '', err: expect.stringMatching(/^Usage:\n {2}obo-gateway serve/) });
  });

  it.each([
    ['an unknown command', ['server', '--config', 'gateway.yaml'], 'unknown command server; did you mean serve?'],
    ['a command like no other', ['xyz'], 'unknown command xyz'],
    ['no configuration', ['serve'], 'serve needs --config'],
    ['no address', ['verify', '--contract', 'openapi.yaml'], 'verify needs --url'],
    ['an option without a value', ['serve', '--config'], '--config needs a value'],
    ['an option with an empty value', ['serve', '--config='], '--config needs a value'],
    ['an option in the place of a value', ['verify', '--contract', '--url', 'x'], '--contract needs a value'],
    ['an unknown option', ['serve', '--config', 'gateway.yaml', '--port', '1'], 'unknown option --port'],
    ['a misspelt option', ['serve', '--confg', 'gateway.yaml'], 'unknown option --confg; did you mean --config?'],
    ['an unknown letter', ['serve', '-c', 'gateway.yaml'], 'unknown option -c'],
    ['an option of another command', ['serve', '--url', 'x', '--config', 'gateway.yaml'], 'serve takes no --url'],
    ['a value for a switch', ['verify', '--write=yes'], '--write takes no value'],
    ['two commands', ['serve', 'healthcheck', '--config', 'gateway.yaml'], 'unexpected argument healthcheck'],
    ['a configuration but no command', ['--config', 'gateway.yaml'], 'a command is missing'],
    ['a word of every object', ['constructor', '--config', 'gateway.yaml'], 'unknown command constructor'],
    ['an option of every object', ['serve', '--constructor'], 'unknown option --constructor'],
    ['the name of a prototype', ['serve', '--__proto__', '1'], 'unknown option --__proto__'],
  ])('is told to who gives %s: exit 2', async (_case, args, fault) => {
    const { code, out, err } = await run(args);
    expect([code, out, ...err.split('\n').slice(0, 2)]).toEqual([2, '', fault, 'Usage:']);
  });

  it.each([[['--version']], [['-v']], [['serve', '--version']]])(
    'comes with the version and the commit for %j',
    async (args) => {
      const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
        version: string;
      };
      expect(await run(args)).toEqual({
        code: 0,
        out: expect.stringMatching(
          new RegExp(`^obo-gateway ${version.replaceAll('.', '\\.')}(?: \\([0-9a-f]{7,12}\\))?\n$`),
        ),
        err: '',
      });
    },
  );
});

describe('a bad configuration', () => {
  it('ends serve with 2, and has one line for each fault', async () => {
    const file = await writeConfig('bad.yaml', '{ port: http, prot: 1 }', 'tokenCache: { maxSessions: 0 }\n');
    const { code, out, err } = await run(['serve', '--config', file], {});
    expect([code, out, err.split('\n').toSorted()]).toEqual([
      2,
      '',
      [
        '',
        'identity.credential.secret: the environment variable GATEWAY_CLIENT_SECRET is not set',
        'server.port: found "http"; allowed: a whole number from 0 to 65535',
        'server.prot: is not a known key; did you mean port?',
        'tokenCache.maxSessions: found 0; allowed: a whole number from 1 to 5000000',
      ],
    ]);
  });

  it('ends healthcheck with 2 for what concerns the listener, and needs no secret for that', async () => {
    const file = await writeConfig('bad.yaml', '{ management: { port: "${NOT_SET}", prot: 1 } }');
    const { code, out, err } = await run(['healthcheck', '--config', file], {});
    expect([code, out, err.split('\n').toSorted()]).toEqual([
      2,
      '',
      [
        '',
        'server.management.port: the environment variable NOT_SET is not set',
        'server.management.prot: is not a known key; did you mean port?',
      ],
    ]);
  });

  it('that is not there ends it with 2', async () => {
    const file = join(folder, 'missing.yaml');
    expect(await run(['serve', '--config', file])).toEqual({
      code: 2,
      out: '',
      err: `${file}: cannot be read (ENOENT)\n`,
    });
  });
});

describe('a port that cannot be had', () => {
  const taker = createServer();
  afterAll(() => {
    taker.close();
  });
  const taken = new Promise<number>((resolve) => {
    taker.listen(0, '127.0.0.1', () => {
      resolve((taker.address() as AddressInfo).port);
    });
  });

  it.each([
    ['server.port', (port: number) => `{ host: 127.0.0.1, port: ${port}, management: { port: 0 } }`],
    ['server.management.port', (port: number) => `{ host: 127.0.0.1, port: 0, management: { port: ${port} } }`],
  ])('because another program has it ends it with 1 and is named: %s', async (key, server) => {
    const port = await taken;
    const file = await writeConfig(`taken-${key}.yaml`, server(port));
    expect(await run(['serve', '--config', file])).toMatchObject({
      code: 1,
      err: `${key} ${port} on 127.0.0.1 is taken by another program\n`,
    });
  });

  it('because the host is not ours ends it with 1 and says so', async () => {
    const file = await writeConfig('host.yaml', '{ host: 192.0.2.1, port: 0, management: { port: 0 } }');
    expect(await run(['serve', '--config', file])).toMatchObject({
      code: 1,
      err: 'server.port 0 on 192.0.2.1 cannot be used (EADDRNOTAVAIL)\n',
    });
  });
});
