import { describe, expect, it } from '@jest/globals';
import { readDocument } from '../../../src/contract/document/document.ts';
import type { OpenApiVersion } from '../../../src/contract/openapi/version.ts';
import type { ConfigFault } from '../../../src/failures.ts';
import { read, yaml } from '../document-folder.ts';
import { documentWith, load, operation } from '../documents.ts';

const BEGIN = 'it must begin with `openapi: 3.1.0`, or another version of 3.0, 3.1 or 3.2';

describe('a document of a version that is not served', () => {
  it.each<[string, string, string]>([
    [
      'Swagger 2.0',
      'swagger: "2.0"\npaths: {}\n',
      'is Swagger 2.0, and OpenAPI 3.0, 3.1 and 3.2 are served; convert it with swagger2openapi or with https://editor.swagger.io (Edit, Convert to OpenAPI 3)',
    ],
    ['OpenAPI 3.10', 'openapi: 3.10.0\n', `has the OpenAPI version "3.10.0"; ${BEGIN}`],
    ['OpenAPI 4.0', 'openapi: 4.0.0\n', `has the OpenAPI version "4.0.0"; ${BEGIN}`],
    ['a version without its patch', 'openapi: "3.1"\n', `has the OpenAPI version "3.1"; ${BEGIN}`],
    ['a number as its version', 'openapi: 3.1\n', `has the OpenAPI version 3.1, which is no text; ${BEGIN}`],
    ['no version', 'info: {}\n', `is no OpenAPI document: it has no version; ${BEGIN}`],
    ['nothing at all', '', `is no OpenAPI document, but nothing; ${BEGIN}`],
    ['a list', '- a\n', `is no OpenAPI document, but a list; ${BEGIN}`],
    ['a text', 'Hello.\n', `is no OpenAPI document, but a text; ${BEGIN}`],
    ['a number', '5', `is no OpenAPI document, but a number; ${BEGIN}`],
  ])('is refused with what was found: %s', async (_case, text, message) => {
    expect(await load(text)).toMatchObject({ contract: undefined, lines: [`contract: openapi.yaml ${message}`] });
  });
});

describe('a document of a version that is served', () => {
  it.each<[string, OpenApiVersion]>([
    ['3.0.0', '3.0'],
    ['3.0.4', '3.0'],
    ['3.1.2', '3.1'],
    ['3.1.0-rc1', '3.1'],
    ['3.2.0', '3.2'],
  ])('is read: %s', async (openapi, version) => {
    expect(await read({ 'openapi.yaml': documentWith({}, { openapi }) })).toMatchObject({
      document: { version },
      faults: [],
    });
  });
});

describe('a text that cannot be read', () => {
  it.each([
    ['openapi: 3.1.0\ninfo: ]\n', ':2 cannot be read as YAML from here on'],
    ['openapi: 3.1.0\n\tinfo: {}\n', ':2 cannot be read as YAML from here on'],
    ['\u0000PNG', ':1 cannot be read as YAML from here on'],
    ['openapi: 3.1.0\na: 1\na: 2\n', ':3 has the key a twice'],
    ['{"openapi": "3.1.0",\n"a": 1,\n"a": 2}', ':3 has the key #/a twice'],
    ['{"openapi": "3.1.0",\n"a": {"b": 1,\n"\\u0062": 2}}', ':3 has the key #/a/b twice'],
    ['{"openapi": "3.1.0",\n"a": 1 "b": 2}', ':2 cannot be read as YAML from here on'],
    ['openapi: 3.1.0\na: *b\n', ':2 has an alias (*name) without its anchor (&name)'],
    ['openapi: 3.1.0\na: !date 2020\n', ':2 has a tag (!name) that JSON has no value for'],
    ['openapi: 3.1.0\n---\na: 1\n', ':2 holds several YAML documents, of which the second begins here'],
    [`{"a":${'['.repeat(501)}${']'.repeat(501)}}`, ':1 is nested more than 500 levels deep'],
  ])('has its line named: %j', async (text, message) => {
    expect((await load(text)).lines).toEqual([`contract: openapi.yaml${message}`]);
  });

  it('is told once, however many places of a document are wrong in the same way', async () => {
    const broken = operation({ parameters: [{ $ref: '#/components/parameters/A' }] });
    const paths = Object.fromEntries(['/a', '/b', '/c', '/d'].map((path) => [path, { get: broken }]));
    expect((await load(documentWith(paths))).lines).toEqual([
      'contract: 4 places say: the reference #/components/parameters/A leads nowhere: GET /a /parameters/0, GET /b /parameters/0, GET /c /parameters/0 and 1 more',
    ]);
  });

  it('is told from a file that is not there', async () => {
    const faults: ConfigFault[] = [];
    await readDocument('/nowhere/openapi.yaml', faults);
    expect(faults).toEqual([{ at: 'contract', message: 'the file /nowhere/openapi.yaml cannot be read (ENOENT)' }]);
  });
});

describe('a text in YAML', () => {
  it.each<[string, string, unknown]>([
    ['keys that are numbers', '{ 200: a }', { '200': 'a' }],
    ['aliases', '{ a: &a [1], b: *a }', { a: [1], b: [1] }],
    ['merge keys', '{ a: &a { b: 1, c: 1 }, d: { <<: *a, c: 2 } }', { a: { b: 1, c: 1 }, d: { b: 1, c: 2 } }],
    [
      'words that only YAML 1.1 takes for something else',
      '[yes, no, 1_000, 2020-01-01]',
      ['yes', 'no', '1_000', '2020-01-01'],
    ],
  ])('may have %s', async (_case, value, expected) => {
    const { document } = await read({ 'openapi.yaml': `${yaml(documentWith({}))}\nx-it: ${value}\n` });
    expect(document?.root['x-it']).toEqual(expected);
  });

  it('may begin with a byte order mark', async () => {
    const text = JSON.stringify(documentWith({}));
    expect(await read({ 'openapi.yaml': `\uFEFF${text}` })).toMatchObject({ faults: [], document: { version: '3.1' } });
  });

  it('may be JSON with a comma too many', async () => {
    const text = JSON.stringify(documentWith({})).replace(/\}$/, ',}');
    expect(await read({ 'openapi.yaml': text })).toMatchObject({ faults: [], document: { version: '3.1' } });
  });
});

describe('a document made to choke on', () => {
  it('with aliases that multiply is refused', async () => {
    const levels = 'bcdefgh'
      .split('')
      .map((name, index) => `${name}: &${name} [${Array(10).fill(`*${'abcdefgh'[index]}`).join()}]`);
    const { contract, lines } = await load(`openapi: 3.1.0\nx-a: &a [1,1,1,1,1,1,1,1,1,1]\n${levels.join('\n')}\n`);
    expect([contract, lines.length > 0]).toEqual([undefined, true]);
  });

  it('with aliases that nest without end is refused', async () => {
    const levels = Array.from({ length: 20_000 }, (_, index) => `a${index + 1}: &a${index + 1} [*a${index}]`);
    const { contract, lines } = await load(`openapi: 3.1.0\na0: &a0 []\n${levels.join('\n')}\n`);
    expect([contract, lines]).toEqual([
      undefined,
      ['contract: openapi.yaml has YAML aliases (*name) that hold themselves or multiply without end'],
    ]);
  });

  it('with an alias that holds itself is refused', async () => {
    const text = JSON.stringify(documentWith({ '/it': { get: operation() } }));
    const { lines } = await load(
      `x-it: &a { b: *a }\n${text.slice(1, -1).replaceAll(/^|,(?="(?:info|paths|components)":)/g, '\n')}\n`,
    );
    expect(lines).toHaveLength(1);
  });
});
