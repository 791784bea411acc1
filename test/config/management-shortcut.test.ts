import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { loadManagement } from '../../src/config/load-config.ts';
import { findManagementAddress, parseManagementAddress } from '../../src/config/management-shortcut.ts';

const folder = await mkdtemp(join(tmpdir(), 'management-'));
afterAll(() => rm(folder, { recursive: true }));

const ENV = { PORT: '9191', HOST: '0.0.0.0', EMPTY: '', WORD: 'nine', ODD: '0x10' };

/** What the whole configuration says; a fault is none. */
async function load(text: string): Promise<unknown> {
  const file = join(folder, 'gateway.yaml');
  await writeFile(file, text);
  return loadManagement(file, ENV).catch(() => 'fault');
}

describe('the plain way', () => {
  it.each([
    ['nothing about it', 'contract: ./openapi.yaml\n', { host: '127.0.0.1', port: 9090 }],
    [
      'another setting of the server',
      'server:\n  port: 80\nidentity: { tenant: x }\n',
      { host: '127.0.0.1', port: 9090 },
    ],
    ['braces', 'server:\n  management: { host: 0.0.0.0, port: 9091 } # all\n', { host: '0.0.0.0', port: 9091 }],
    ['only a port', 'server:\n  management: { port: 9091 }\n', { host: '127.0.0.1', port: 9091 }],
    [
      'lines',
      'server:\n  management:\n    # here\n    host: localhost\n\n    port: 9091\n',
      { host: 'localhost', port: 9091 },
    ],
    ['quotes', `server:\n  management: { host: "::", port: '9091' }\n`, { host: '::', port: 9091 }],
    [
      'the environment',
      `server:\n  management:\n    host: \${HOST}\n    port: "\${PORT}"\n`,
      { host: '0.0.0.0', port: 9191 },
    ],
    ['Windows line ends', 'server:\r\n  management:\r\n    port: 9091\r\n', { host: '127.0.0.1', port: 9091 }],
    [
      'texts of several lines around it',
      'x: |\n  server:\n    management: { port: 1 }\nserver:\n  publicUrl: >\n    a\n    management: b\n  management: { port: 9091 }\n',
      { host: '127.0.0.1', port: 9091 },
    ],
  ])('is understood: %s', (_case, text, address) => {
    expect(findManagementAddress(text, ENV)).toEqual(address);
  });
});

describe('whatever else there is', () => {
  it.each([
    ['JSON', '{ "server": { "management": { "port": 9091 } } }'],
    ['an alias', 'x: &m { port: 9091 }\nserver:\n  management: *m\n'],
    ['a merge key', 'server:\n  <<: { management: { port: 9091 } }\n'],
    ['a quoted key', '"server":\n  management: { port: 9091 }\n'],
    ['braces around everything', 'server: { management: { port: 9091 } }\n'],
    ['braces over several lines', 'server:\n  management: {\n    port: 9091\n  }\n'],
    ['a document marker', '---\nserver:\n  management: { port: 9091 }\n'],
    ['a key twice', 'server:\n  management: { port: 1 }\nserver:\n  management: { port: 2 }\n'],
    ['a port twice', 'server:\n  management: { port: 1, port: 2 }\n'],
    ['a tag', 'server:\n  management: { port: !!str 9091 }\n'],
    ['a number of another form', 'server:\n  management: { port: 0x2383 }\n'],
    ['a host that is a number', 'server:\n  management: { host: 1e3 }\n'],
    ['a host that is a truth value', 'server:\n  management: { host: true }\n'],
    ['an escape', 'server:\n  management: { host: "a\\x62" }\n'],
    ['an unknown key', 'server:\n  management: { prot: 9091 }\n'],
    ['an unknown variable', `server:\n  management: { port: "\${NOT_SET}" }\n`],
    ['an empty variable', `server:\n  management: { host: "\${EMPTY}" }\n`],
    ['a part of a text from the environment', `server:\n  management: { host: "a\${WORD}" }\n`],
    ['nothing behind server', 'server:\n'],
    ['nothing behind management', 'server:\n  management:\n  port: 80\n'],
    ['a port that is none', 'server:\n  management: { port: 65536 }\n'],
  ])('is left to a parser: %s', (_case, text) => {
    expect(findManagementAddress(text, ENV)).toBeUndefined();
  });

  it.each([
    ['JSON', '{ "server": { "management": { "port": 9091, "host": "::" } } }', { host: '::', port: 9091 }],
    ['JSON that says nothing of it', '{ "server": {} }', { host: '127.0.0.1', port: 9090 }],
    ['an alias', 'x: &m { port: 9091 }\nserver:\n  management: *m\n', { host: '127.0.0.1', port: 9091 }],
    ['braces', 'server: { management: { port: "${PORT}" } }\n', { host: '127.0.0.1', port: 9191 }],
    ['a document marker', '---\nserver:\n  management: { port: 9091 }\n', { host: '127.0.0.1', port: 9091 }],
  ])('is parsed, without the schema: %s', async (_case, text, address) => {
    expect(await parseManagementAddress(text, ENV)).toEqual(address);
  });

  it.each([
    ['no YAML', 'server: {'],
    ['no map', '[]'],
    ['no server', '{ "server": null }'],
    ['no map for the listener', '{ "server": { "management": 9091 } }'],
    ['an unknown key', '{ "server": { "management": { "prot": 9091 } } }'],
    ['an unknown variable', '{ "server": { "management": { "port": "${NOT_SET}" } } }'],
    ['an empty host', '{ "server": { "management": { "host": "${EMPTY}" } } }'],
    ['a port that is none', '{ "server": { "management": { "port": 65536 } } }'],
    ['an alias to itself', 'server:\n  management: &m { host: *m }\n'],
  ])('has its faults named by the schema: %s', async (_case, text) => {
    expect(await parseManagementAddress(text, ENV)).toBeUndefined();
  });
});

/** Pieces of YAML of which some are plain and some are not, put together at random. */
const VALUES = [
  [
    '9091',
    '"9091"',
    "'9091'",
    '0x10',
    '1e3',
    '${PORT}',
    '"${PORT}"',
    '${WORD}',
    '"${ODD}"',
    '${NOT_SET}',
    '"${EMPTY}"',
  ],
  ['localhost', '0.0.0.0', '127.1', '"::1"', '::1', 'true', '"true"', 'null', '~', '', '# none', '"a # b"', 'a#b'],
  ['a: b', '&a b', '*a', '!!str 1', '|', '>', '"open', '[1]', '{}', '1_000', '012', '.5', 'a b', '-1', '0', '65536'],
].flat();
const value = fc.constantFrom(...VALUES);
const entry = fc
  .tuple(fc.constantFrom('host', 'port', 'prot', '"host"', '<<'), value)
  .map(([key, text]) => `${key}: ${text}`);
const entries = fc.array(entry, { maxLength: 3 });
const management = fc.oneof(
  entries.map((list) => `management: { ${list.join(', ')} }`),
  entries.map((list) => `management: {${list.join(',')}}`),
  fc
    .tuple(entries, fc.constantFrom('    ', '   ', '  ', '\t'))
    .map(([list, indent]) => ['management:', ...list.map((line) => `${indent}${line}`)].join('\n')),
  value.map((text) => `management: ${text}`),
);
const other = fc.constantFrom(
  'port: 80',
  'publicUrl: >\n    http://a',
  'trustedProxies:\n  - 10.0.0.0/8',
  '# management: { port: 1 }',
  'cors: { origins: [] }',
  '',
);
const top = fc.constantFrom(
  'contract: ./a.yaml',
  'log: { whenBlocked: drop }',
  '---',
  '...',
  '# x',
  'x: |\n  server:\n',
  'y: "\nserver: 1"',
  '',
);
const file = fc
  .record({
    before: top,
    after: top,
    server: fc.constantFrom('server:', 'server: &s', 'server: {', ' server:', '"server":'),
    parts: fc.array(fc.oneof(management, other), { maxLength: 3 }),
  })
  .map(({ before, after, server, parts }) =>
    [before, server, ...parts.map((part) => `  ${part}`), after, ''].join('\n'),
  );

it('never says anything else than the whole configuration, where that has no fault', async () => {
  await fc.assert(
    fc.asyncProperty(file, async (text) => {
      const address = findManagementAddress(text, ENV) ?? (await parseManagementAddress(text, ENV));
      const whole = address === undefined ? undefined : await load(text);
      expect(whole === 'fault' ? undefined : whole).toEqual(whole === 'fault' ? undefined : address);
    }),
    { numRuns: 3_000 },
  );
});
