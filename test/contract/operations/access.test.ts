import { describe, expect, it } from '@jest/globals';
import { INSTEAD } from '../../../src/contract/operations/security-schemes.ts';
import {
  compile,
  documentWith,
  faultsOf,
  load,
  loadGood,
  loadOperation,
  operation,
  SCHEMES,
  type Node,
} from '../documents.ts';

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
    const scheme = { type: 'oauth2', flows: { authorizationCode: { ...flows, scopes: { [scope]: 'It' } } } };
    const paths = { '/it': { get: operation({ security: [{ user: [scope] }] }) } };
    const { operations } = await loadGood(documentWith(paths, { components: { securitySchemes: { user: scheme } } }));
    expect(operations[0]?.access).toEqual([{ caller: 'user', scopes: [scope], claimed: [claimed] }]);
  });

  it('may stand behind a reference', async () => {
    const components = { securitySchemes: { ...SCHEMES, alias: { $ref: '#/components/securitySchemes/daemon' } } };
    const paths = { '/it': { get: operation({ security: [{ alias: ['Admin'] }] }) } };
    const { operations } = await loadGood(documentWith(paths, { components }));
    expect(operations[0]?.access).toEqual([{ caller: 'app', roles: ['Admin'] }]);
  });
});

const MORE_SCHEMES = {
  ...SCHEMES,
  bearer: { type: 'http', scheme: 'Bearer' },
  oidc: { type: 'openIdConnect', openIdConnectUrl: 'https://login.example/.well-known/openid-configuration' },
  key: { type: 'apiKey', in: 'header', name: 'X-Key' },
  keyUnderscored: { type: 'apiKey', in: 'header', name: 'api_key' },
  keyInCookie: { type: 'apiKey', in: 'cookie', name: 'sid' },
  keyInQuery: { type: 'apiKey', in: 'query', name: 'code' },
  keyAsToken: { type: 'apiKey', in: 'header', name: 'authorization' },
  keyAsQueryToken: { type: 'apiKey', in: 'query', name: 'access_token' },
  basic: { type: 'http', scheme: 'basic' },
  mutual: { type: 'mutualTLS' },
};
const device = {
  deviceAuthorization: { deviceAuthorizationUrl: 'https://a.example/d', tokenUrl: 'https://a.example/t' },
};

/** A document whose only operation has this security and whatever else. */
function secured(security: unknown, changes: Node = {}): Node {
  return documentWith(
    { '/it': { get: { ...operation(changes), security } } },
    { components: { securitySchemes: MORE_SCHEMES } },
  );
}

function person(...scopes: string[]) {
  return { caller: 'user', scopes, claimed: scopes.map((name) => name.replace(/^api.*\//, '')) };
}

function program(...roles: string[]) {
  return { caller: 'app', roles };
}

describe('a token is asked for', () => {
  const ANYONE = { caller: 'anyone' };

  it.each<[string, unknown, Node, unknown]>([
    ['of any user by http bearer', [{ bearer: [] }], {}, [person()]],
    ['with x-scopes beside it', [{ bearer: [] }], { 'x-scopes': [READ, WRITE] }, [person(READ, WRITE)]],
    ['with x-roles beside it, of apps alone', [{ bearer: [] }], { 'x-roles': ['Admin'] }, [program('Admin')]],
    [
      'with both, of users or of apps',
      [{ bearer: [] }],
      { 'x-gateway': { scopes: [READ], roles: ['Admin'] } },
      [person(READ), program('Admin')],
    ],
    [
      'by http bearer with a scheme for users',
      [{ bearer: [], user: [WRITE] }],
      { 'x-scopes': [READ], 'x-roles': ['Admin'] },
      [person(READ, WRITE)],
    ],
    ['with names in the requirement, of either', [{ bearer: [READ] }], {}, [person(READ), program(READ)]],
    [
      'with such names and x-scopes, of users alone',
      [{ bearer: [READ] }],
      { 'x-scopes': [READ, WRITE] },
      [person(READ, WRITE)],
    ],
    ['by OpenID Connect, which declares no scopes', [{ oidc: [READ] }], {}, [person(READ)]],
    ['beside an API key', [{ key: [], user: [READ] }], {}, [person(READ)]],
    ['or not', [{}, { user: [READ] }, { daemon: ['Admin'] }], {}, [ANYONE, person(READ), program('Admin')]],
    ['of nobody', [{}], {}, 'anonymous'],
  ])('%s', async (_case, security, changes, access) => {
    expect((await loadGood(secured(security, changes))).operations[0]?.access).toEqual(access);
  });

  it('with the scopes of a flow of device codes', () => {
    const components = {
      securitySchemes: {
        it: {
          type: 'oauth2',
          flows: { deviceAuthorization: { ...device.deviceAuthorization, scopes: { [READ]: 'It' } } },
        },
      },
    };
    const root = documentWith({ '/it': { get: operation({ security: [{ it: [READ] }] }) } }, { components });
    expect(compile({ root, version: '3.2' }).operations[0]?.access).toEqual([person(READ)]);
  });

  it('by the path item where the operation says nothing', () => {
    const silent = { ...operation(), security: undefined };
    const root = documentWith(
      { '/it': { security: [{ user: [READ] }], get: silent, put: operation() }, '/other': { get: silent } },
      { security: [{ user: [WRITE] }] },
    );
    expect(compile({ root }).operations.map(({ access }) => access)).toEqual([
      [person(READ)],
      'anonymous',
      [person(WRITE)],
    ]);
  });
});

describe('an API key beside a token', () => {
  it.each([
    ['key', 'names the API key key in the header X-Key, which passes and is not checked'],
    ['keyInQuery', 'names the API key keyInQuery in the query code, which passes and is not checked'],
    ['keyUnderscored', 'names the API key keyUnderscored in the header api_key, which does not pass'],
    ['keyInCookie', 'names the API key keyInCookie in the cookie sid, which does not pass'],
  ])('is told of: %s', async (name, message) => {
    const { notices } = await loadGood(secured([{ user: [READ], [name]: [] }]));
    expect(notices).toEqual([{ at: 'contract GET /it', message, remedy: expect.any(String) }]);
  });

  it.each(['keyAsToken', 'keyAsQueryToken'])('is a fault where none can pass: %s', async (name) => {
    expect((await load(secured([{ user: [READ], [name]: [] }]))).lines).toEqual([
      expect.stringMatching(/where the gateway lets none pass$/),
    ]);
  });
});

describe('security that cannot be enforced is a fault', () => {
  const key = { apiKey: { type: 'apiKey', in: 'header', name: 'x-key' }, bearer: { type: 'http', scheme: 'bearer' } };

  it.each(['basic', 'mutual'])('when the scheme is no token: %s', async (name) => {
    const type = { basic: 'http basic', mutual: 'mutualTLS' }[name];
    for (const security of [[{ [name]: [] }], [{ [name]: [], user: [READ] }], [{ user: [READ] }, { [name]: [] }]]) {
      expect((await load(secured(security))).lines).toEqual([
        `contract GET /it: names the security scheme ${name} of type ${type}, which is no token of Entra; ${INSTEAD}`,
      ]);
    }
  });

  it.each<[string, unknown, Node, string]>([
    [
      'x-scopes stand beside another scheme',
      [{ user: [READ] }],
      { 'x-scopes': [WRITE] },
      'has x-scopes, which counts only beside an http bearer scheme',
    ],
    [
      'x-roles are no list',
      [{ bearer: [] }],
      { 'x-roles': 'Admin' },
      'has the x-roles "Admin"; allowed: a list of names',
    ],
  ])('when %s', async (_case, security, changes, message) => {
    expect((await load(secured(security, changes))).lines).toEqual([`contract GET /it: ${message}`]);
  });

  it.each<[string, unknown, string]>([
    [
      'there is none',
      undefined,
      'has no security; write the scopes it needs, or `security: []` for an anonymous operation',
    ],
    [
      'one requirement wants a person and a program',
      [{ user: [READ], daemon: ['Admin'] }],
      'asks for a person and a program in one security requirement; write them as two',
    ],
    ['the scheme is unknown', [{ nobody: [] }], 'names the security scheme nobody, which the contract does not have'],
    [
      'the scheme has the name of what every object has',
      [{ constructor: [] }],
      'names the security scheme constructor, which the contract does not have',
    ],
    [
      'the scheme is a key alone',
      [{ apiKey: [] }],
      `asks for nothing but apiKey, which is no token of Entra; ${INSTEAD}`,
    ],
    [
      'a key alone is another way in',
      [{ user: [READ] }, { apiKey: [] }, {}],
      `asks for nothing but apiKey, which is no token of Entra; ${INSTEAD}`,
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
  it('may stand where a token is optional, for those who are somebody', async () => {
    expect(await loadOperation({ security: [{ user: [READ] }, {}], 'x-auth-context': 'c1' })).toMatchObject({
      authContext: 'c1',
      access: [{ caller: 'user' }, { caller: 'anyone' }],
    });
  });

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
