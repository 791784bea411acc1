import { describe, expect, it } from '@jest/globals';
import { documentWith, faultsOf, load, loadGood, loadOperation, operation, SCHEMES, type Node } from './documents.ts';

const READ = 'api://gateway/Orders.Read';
const WRITE = 'api://gateway/Orders.Write';

describe('security decides who may call', () => {
  it.each<[string, unknown, unknown]>([
    ['nobody needs a token', [], 'anonymous'],
    ['a person with a scope', [{ user: [READ] }], [{ caller: 'user', scopes: [READ], claimed: ['Orders.Read'] }]],
    [
      'a person with all of one requirement',
      [{ user: [READ, WRITE] }],
      [{ caller: 'user', scopes: [READ, WRITE], claimed: ['Orders.Read', 'Orders.Write'] }],
    ],
    ['any person', [{ user: [] }], [{ caller: 'user', scopes: [], claimed: [] }]],
    ['a program with a role', [{ daemon: ['Orders.Read.All'] }], [{ caller: 'app', roles: ['Orders.Read.All'] }]],
    [
      'any of the list',
      [{ user: [READ] }, { user: [WRITE] }, { daemon: ['Admin', 'Orders.Read.All'] }],
      [
        { caller: 'user', scopes: [READ], claimed: ['Orders.Read'] },
        { caller: 'user', scopes: [WRITE], claimed: ['Orders.Write'] },
        { caller: 'app', roles: ['Admin', 'Orders.Read.All'] },
      ],
    ],
  ])('%s', async (_case, security, access) => {
    expect((await loadOperation({ security })).access).toEqual(access);
  });

  it('for the whole document where an operation says nothing', async () => {
    const silent = { ...operation(), security: undefined };
    const paths = { '/silent': { get: silent }, '/open': { get: operation() } };
    const { operations } = await loadGood(documentWith(paths, { security: [{ user: [READ] }] }));
    expect(operations.map(({ access }) => access)).toEqual([
      [{ caller: 'user', scopes: [READ], claimed: ['Orders.Read'] }],
      'anonymous',
    ]);
  });

  it('with all of two schemes of people in one requirement', async () => {
    const components = { securitySchemes: { ...SCHEMES, other: SCHEMES.user } };
    const paths = { '/it': { get: operation({ security: [{ user: [READ], other: [WRITE] }] }) } };
    const { operations } = await loadGood(documentWith(paths, { components }));
    expect(operations[0]?.access).toMatchObject([{ caller: 'user', scopes: [READ, WRITE] }]);
  });
});

describe('a scheme', () => {
  const flows = SCHEMES.user.flows.authorizationCode;
  const { tokenUrl, authorizationUrl, scopes } = flows;

  it.each<[string, Node, 'user' | 'app']>([
    ['with a code is for people', { authorizationCode: flows }, 'user'],
    ['with an implicit flow is for people', { implicit: { authorizationUrl, scopes } }, 'user'],
    ['with both is for people', { authorizationCode: flows, clientCredentials: { tokenUrl, scopes } }, 'user'],
    ['with client credentials only is for programs', { clientCredentials: { tokenUrl, scopes }, 'x-note': {} }, 'app'],
  ])('%s', async (_case, given, caller) => {
    const components = { securitySchemes: { it: { type: 'oauth2', flows: given } } };
    const paths = { '/it': { get: operation({ security: [{ it: [READ] }] }) } };
    const { operations } = await loadGood(documentWith(paths, { components }));
    expect(operations[0]?.access).toMatchObject([{ caller }]);
  });

  it.each([
    ['api://gateway/Orders.Read', 'Orders.Read'],
    ['https://contoso.com/api/Orders.Read', 'Orders.Read'],
    ['6e74172b-be56-4843-9ff4-e66a39bb12e3/Orders.Read', 'Orders.Read'],
    ['Orders.Read', 'Orders.Read'],
    ['Orders/Read', 'Orders/Read'],
  ])('that declares %s asks the token for %s', async (scope, claimed) => {
    const user = { type: 'oauth2', flows: { authorizationCode: { ...flows, scopes: { [scope]: 'It' } } } };
    const paths = { '/it': { get: operation({ security: [{ user: [scope] }] }) } };
    const { operations } = await loadGood(documentWith(paths, { components: { securitySchemes: { user } } }));
    expect(operations[0]?.access).toEqual([{ caller: 'user', scopes: [scope], claimed: [claimed] }]);
  });

  it('may stand behind a reference', async () => {
    const components = { securitySchemes: { ...SCHEMES, alias: { $ref: '#/components/securitySchemes/daemon' } } };
    const paths = { '/it': { get: operation({ security: [{ alias: ['Admin'] }] }) } };
    const { operations } = await loadGood(documentWith(paths, { components }));
    expect(operations[0]?.access).toEqual([{ caller: 'app', roles: ['Admin'] }]);
  });
});

describe('security that cannot be enforced is a fault', () => {
  const key = { apiKey: { type: 'apiKey', in: 'header', name: 'x-key' }, bearer: { type: 'http', scheme: 'bearer' } };

  it.each<[string, unknown, string]>([
    [
      'there is none',
      undefined,
      'has no security; write the scopes it needs, or `security: []` for an anonymous operation',
    ],
    [
      'a token is optional',
      [{ user: [READ] }, {}],
      'has an empty security requirement; an optional token is not supported, write `security: []` instead',
    ],
    [
      'one requirement wants a person and a program',
      [{ user: [READ], daemon: ['Admin'] }],
      'asks for a person and a program in one security requirement; write them as two',
    ],
    ['the scheme is unknown', [{ nobody: [] }], 'names the security scheme nobody, which the contract does not have'],
    [
      'the scheme is a key',
      [{ apiKey: [] }],
      'names the security scheme apiKey of type apiKey; only oauth2 is supported',
    ],
    [
      'the scheme is plain HTTP',
      [{ bearer: [] }],
      'names the security scheme bearer of type http; only oauth2 is supported',
    ],
    [
      'the scope is not declared',
      [{ user: ['Orders.Delete'] }],
      'asks for the scope Orders.Delete, which the security scheme user does not declare',
    ],
    [
      'the role is not declared',
      [{ daemon: ['Orders.Read'] }],
      'asks for the scope Orders.Read, which the security scheme daemon does not declare',
    ],
  ])('when %s', async (_case, security, message) => {
    const document = documentWith(
      { '/it': { get: { ...operation(), security } } },
      { components: { securitySchemes: { ...SCHEMES, ...key } } },
    );
    expect((await load(document)).lines).toEqual([`contract GET /it: ${message}`]);
  });

  it.each(['a b', 'a,b', 'a=b', 'a%b', 'a"b', String.raw`a\b`, 'ä'])(
    'when a scope would break the challenge: %s',
    async (scope) => {
      const flow = { ...SCHEMES.user.flows.authorizationCode, scopes: { [scope]: 'It' } };
      const components = { securitySchemes: { user: { type: 'oauth2', flows: { authorizationCode: flow } } } };
      const document = documentWith({ '/it': { get: operation({ security: [{ user: [scope] }] }) } }, { components });
      expect((await load(document)).lines).toEqual([
        expect.stringMatching(/^contract GET \/it: asks for the scope .*; a scope holds no space, comma/),
      ]);
    },
  );
});

describe('x-auth-context', () => {
  const security = [{ user: [READ] }];

  it.each(['c1', 'c25', 'c99'])('%s is taken', async (context) => {
    expect((await loadOperation({ security, 'x-auth-context': context })).authContext).toBe(context);
  });

  it.each(['c0', 'c100', 'C1', 'c01', 'mfa', 1, ['c1'], null])('%j is a fault', async (context) => {
    expect(await faultsOf({ security, 'x-auth-context': context })).toEqual([
      `contract GET /it: has the x-auth-context ${JSON.stringify(context)}; allowed: c1 to c99`,
    ]);
  });

  it('needs somebody to ask', async () => {
    expect(await faultsOf({ 'x-auth-context': 'c1' })).toEqual([
      'contract GET /it: has an x-auth-context but is anonymous',
    ]);
  });
});
