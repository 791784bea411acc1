import { describe, expect, it } from '@jest/globals';
import { documentWith, load, operation, type Node } from './documents.ts';

const NOT_OPENAPI = 'contract: openapi.yaml is not an OpenAPI 3.1 document; it must begin with `openapi: 3.1.0`';

describe('a document that is no OpenAPI 3.1', () => {
  it.each<[string, string]>([
    ['OpenAPI 3.0', 'openapi: 3.0.3\ninfo: { title: A, version: "1" }\npaths: {}\n'],
    ['OpenAPI 3.2', 'openapi: 3.2.0\ninfo: { title: A, version: "1" }\npaths: {}\n'],
    ['OpenAPI 3.10', 'openapi: 3.10.0\n'],
    ['a number as its version', 'openapi: 3.1\n'],
    ['Swagger', 'swagger: "2.0"\ninfo: { title: A, version: "1" }\npaths: {}\n'],
    ['nothing at all', ''],
    ['a list', '- a\n'],
    ['a text', 'Hello.\n'],
    ['a picture', '\u0089PNG'],
  ])('is refused: %s', async (_case, text) => {
    expect(await load(text)).toMatchObject({ contract: undefined, lines: [NOT_OPENAPI] });
  });

  it.each([
    ['openapi: 3.1.0\ninfo: ]\n', 2],
    ['openapi: 3.1.0\na: 1\na: 2\n', 3],
    ['openapi: 3.1.0\n\tinfo: {}\n', 2],
  ])('is no YAML either: %j has its line named', async (text, line) => {
    expect((await load(text)).lines).toEqual([
      expect.stringMatching(new RegExp(`^contract: openapi\\.yaml:${line} cannot be read as YAML from here on`)),
    ]);
  });
});

describe('a document against the schema of OpenAPI 3.1', () => {
  it.each<[string, Node, string]>([
    ['no info', { ...documentWith({}), info: undefined }, 'contract'],
    ['a version that is a number', documentWith({}, { info: { title: 'A', version: 1 } }), 'contract /info/version'],
    ['a misspelt key', documentWith({}, { component: {} }), 'contract'],
    [
      'a parameter in no place',
      documentWith({ '/a': { get: operation({ parameters: [{ name: 'a', in: 'body', schema: {} }] }) } }),
      'contract /paths/~1a/get/parameters/0/in',
    ],
    [
      'a path parameter that is not required',
      documentWith({ '/{a}': { get: operation({ parameters: [{ name: 'a', in: 'path', schema: {} }] }) } }),
      'contract /paths/~1{a}/get/parameters/0',
    ],
    [
      'security that is no list',
      documentWith({ '/a': { get: operation({ security: {} }) } }),
      'contract /paths/~1a/get/security',
    ],
  ])('names the place of %s', async (_case, document, place) => {
    const { contract, faults } = await load(document);
    expect(contract).toBeUndefined();
    expect(faults.map(({ at }) => at)).toContain(place);
  });

  it('names a key that should not be there', async () => {
    expect((await load(documentWith({}, { component: {} }))).lines).toEqual([
      expect.stringMatching(/\(OpenAPI 3\.1\): component$/),
    ]);
  });

  it('names at most twenty places, and each once', async () => {
    const paths = Object.fromEntries(
      Array.from({ length: 50 }, (_, index) => [`/${index}`, { get: { responses: 5 } }]),
    );
    const { lines } = await load(documentWith(paths));
    expect([lines.length <= 20 && lines.length > 0, new Set(lines).size]).toEqual([true, lines.length]);
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

  it('with an alias that holds itself is refused', async () => {
    const text = JSON.stringify(documentWith({ '/it': { get: operation() } }));
    const { lines } = await load(
      `x-it: &a { b: *a }\n${text.slice(1, -1).replaceAll(/^|,(?="(?:info|paths|components)":)/g, '\n')}\n`,
    );
    expect(lines).toHaveLength(1);
  });
});
