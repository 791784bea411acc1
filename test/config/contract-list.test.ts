import { afterAll, describe, expect, it } from '@jest/globals';
import { CONTRACT, linesOf, makeConfigFolder, withKeys } from './config-folder.ts';

const folder = await makeConfigFolder();
afterAll(() => folder.remove());
await folder.write('other.yaml', CONTRACT.replaceAll('/me', '/you'));

const FIRST = { document: './openapi.yaml' };
const OTHER = { document: './other.yaml' };

/** The lines that a terminal shows for a list of documents. */
async function linesFor(contract: unknown): Promise<string[]> {
  return linesOf(await folder.faultsOf(withKeys({ contract })));
}

describe('the contract as a list', () => {
  it('holds a document for each entry, with what the entry says', async () => {
    const { contract } = await folder.load(
      withKeys({ contract: [FIRST, { ...OTHER, prefix: '/other', security: [{ user: ['Else.Read'] }] }] }),
    );
    expect(contract.operations.map(({ path, name, access }) => [path, name, access])).toEqual([
      ['/me', 'GET /me', [{ caller: 'user', scopes: ['Profile.Read'], claimed: ['Profile.Read'] }]],
      ['/other/you', '/other GET /you', [{ caller: 'user', scopes: ['Else.Read'], claimed: ['Else.Read'] }]],
    ]);
  });

  it('takes / for no prefix', async () => {
    const { contract } = await folder.load(withKeys({ contract: [{ ...FIRST, prefix: '/' }] }));
    expect(contract.documents.map(({ ownPath }) => ownPath)).toEqual(['/openapi.json']);
  });
});

const PREFIX = 'a path such as /graph, without a slash at its end, dot segments, braces, % or a query';

describe('an entry that is wrong', () => {
  it.each<[string, unknown, string]>([
    ['contract', [], 'found a list of 0; allowed: at least one document'],
    ['contract[0]', ['./openapi.yaml'], 'found "./openapi.yaml"; allowed: a map of keys'],
    ['contract[0].document', [{ prefix: '/a' }], 'found nothing; allowed: the path of the OpenAPI document'],
    ['contract[0].prefixes', [{ ...FIRST, prefixes: '/a' }], 'is not a known key; did you mean prefix?'],
    ...['graph', '/graph/', '//graph', '/a/../b', '/a/./b', '/a?b', '/a#b', '/{a}', '/%61', '/a b', ''].map(
      (prefix): [string, unknown, string] => [
        'contract[0].prefix',
        [{ ...FIRST, prefix }],
        `found ${JSON.stringify(prefix)}; allowed: ${PREFIX}`,
      ],
    ),
    [
      'contract[1].prefix',
      [
        { ...FIRST, prefix: '/a' },
        { ...OTHER, prefix: '/a' },
      ],
      'found "/a"; allowed: a prefix that no other document has',
    ],
    ['contract[1].prefix', [FIRST, OTHER], 'found nothing; allowed: a prefix, because another document has none'],
    [
      'contract[1].name',
      [
        { ...FIRST, prefix: '/a' },
        { ...OTHER, prefix: '/b', name: '/a' },
      ],
      'found "/a"; allowed: a name that no other document has',
    ],
    ['contract[0].name', [{ ...FIRST, name: 'a b' }], 'found "a b"; allowed: a name without spaces'],
    [
      'contract[0].security[0].user',
      [{ ...FIRST, security: [{ user: 'A' }] }],
      'found "A"; allowed: a list of scopes or roles',
    ],
    [
      'contract[0].security[0].user[0]',
      [{ ...FIRST, security: [{ user: ['a b'] }] }],
      'found "a b"; allowed: a scope or role without spaces, commas, quotes, = and %',
    ],
    [
      'contract[0].operations',
      [{ ...FIRST, operations: [] }],
      'found a list of 0; allowed: at least one of operationIds and patterns such as GET /orders/* or GET /orders/**',
    ],
    ['contract[0].downstream', [{ ...FIRST, downstream: 'grap' }], 'found "grap"; known: graph'],
    [
      'contract[0].operations[0]',
      [{ ...FIRST, operations: ['GET /m'] }],
      'found "GET /m", which meets no operation of the document; did you mean GET /me?',
    ],
    [
      'contract[0].security',
      [{ ...FIRST, security: [{ users: [] }] }],
      'names the security scheme users, which the contract does not have',
    ],
  ])('is named: %s', async (at, contract, message) => {
    expect(await linesFor(contract)).toEqual([`${at}: ${message}`]);
  });

  it('names the entry also for what is wrong in the document', async () => {
    expect(await linesFor([FIRST, { document: './gone.yaml', prefix: '/b' }])).toEqual([
      expect.stringMatching(/^contract\[1\]: .*gone\.yaml.*ENOENT/),
    ]);
    await folder.write('bad.yaml', CONTRACT.replaceAll('service: graph', 'service: grap'));
    expect(await linesFor([FIRST, { document: './bad.yaml', prefix: '/b' }])).toEqual([
      'contract[1] GET /me: names the unknown service grap; known: graph',
    ]);
  });
});
