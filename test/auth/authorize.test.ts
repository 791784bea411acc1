import { describe, expect, it } from '@jest/globals';
import { authorize, type AccessLists, type Permission } from '../../src/auth/authorize.ts';
import { GatewayError } from '../../src/failures.ts';
import { toPrincipal, type Principal, type TokenClaims } from '../../src/session/principal.ts';

const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';
const CLIENT = 'c9a5b7e1-0d3f-4c28-8e6a-91f2d4b3a807';

const everyone: AccessLists = { tenants: new Set(), clients: new Set() };

/** A user whose token has these claims. */
function user(claims: TokenClaims): Principal {
  return toPrincipal({ tid: TENANT, azp: CLIENT, scp: 'Other.Scope', ...claims });
}

/** An app whose token has these roles. */
function app(...roles: string[]): Principal {
  return toPrincipal({ tid: TENANT, azp: CLIENT, idtyp: 'app', roles: ['Other.Role', ...roles] });
}

/** A way in for users with all of these scopes. */
function userWith(...names: string[]): Permission['access'][number] {
  return { caller: 'user', scopes: names.map((name) => `api://gateway/${name}`), claimed: names };
}

/** A way in for apps with all of these roles. */
function appWith(...names: string[]): Permission['access'][number] {
  return { caller: 'app', roles: names };
}

/** An operation with these ways in. */
function operation(...access: Permission['access']): Permission {
  return { access, authContext: undefined };
}

/** What a caller hears: `allowed`, or as whom otherwise, or the failure. */
function decide(principal: Principal, permission: Permission, lists = everyone): unknown {
  try {
    return authorize(principal, permission, lists) ? 'allowed' : 'nobody';
  } catch (error) {
    return error instanceof GatewayError ? { code: error.code, ...error.facts } : error;
  }
}

describe('the scopes and roles of a caller', () => {
  const read = operation(userWith('Read'));
  const readAndWrite = operation(userWith('Read', 'Write'));
  const readOrAdmin = operation(userWith('Read'), userWith('Admin'));
  const readOrJob = operation(userWith('Read'), appWith('Job'));
  const job = operation(appWith('Job'));
  const jobs = operation(appWith('Job', 'Night'));
  const signedIn = operation(userWith());

  it.each([
    { caller: 'a user with the scope', principal: user({ scp: 'Read' }), permission: read },
    { caller: 'a user with the scope among others', principal: user({ scp: 'A Read B' }), permission: read },
    { caller: 'a user with all of the scopes', principal: user({ scp: 'Write Read' }), permission: readAndWrite },
    { caller: 'a user with the second of two choices', principal: user({ scp: 'Admin' }), permission: readOrAdmin },
    { caller: 'a user where an app may call as well', principal: user({ scp: 'Read' }), permission: readOrJob },
    { caller: 'an app where a user may call as well', principal: app('Job'), permission: readOrJob },
    { caller: 'an app with the role', principal: app('Job'), permission: job },
    { caller: 'an app with all of the roles', principal: app('Night', 'Job'), permission: jobs },
    { caller: 'any user where no scope is named', principal: user({ scp: 'Whatever' }), permission: signedIn },
  ])('let in $caller', ({ principal, permission }) => {
    expect(decide(principal, permission)).toBe('allowed');
  });

  it.each([
    { caller: 'a user without the scope', principal: user({}), permission: read, asked: ['api://gateway/Read'] },
    {
      caller: 'a user whose scope differs in case',
      principal: user({ scp: 'read' }),
      permission: read,
      asked: ['api://gateway/Read'],
    },
    {
      caller: 'a user whose scope only begins like it',
      principal: user({ scp: 'Read.All' }),
      permission: read,
      asked: ['api://gateway/Read'],
    },
    {
      caller: 'a user with one of two scopes',
      principal: user({ scp: 'Read' }),
      permission: readAndWrite,
      asked: ['api://gateway/Read', 'api://gateway/Write'],
    },
    {
      caller: 'a user with none of two choices, who is told the first',
      principal: user({}),
      permission: readOrAdmin,
      asked: ['api://gateway/Read'],
    },
    { caller: 'an app on a user operation', principal: app('Job'), permission: read, asked: ['api://gateway/Read'] },
    {
      caller: 'an app whose role is named like the scope',
      principal: app('Read'),
      permission: read,
      asked: ['api://gateway/Read'],
    },
    { caller: 'an app without the role', principal: app(), permission: job, asked: ['Job'] },
    { caller: 'an app with one of two roles', principal: app('Night'), permission: jobs, asked: ['Job', 'Night'] },
    {
      caller: 'a user with the role on an app operation',
      principal: user({ roles: ['Job'] }),
      permission: job,
      asked: ['Job'],
    },
    {
      caller: 'a user whose scope is named like the role',
      principal: user({ scp: 'Job' }),
      permission: job,
      asked: ['Job'],
    },
    { caller: 'an app, told the role and not the scope', principal: app(), permission: readOrJob, asked: ['Job'] },
    {
      caller: 'a user, told the scope and not the role',
      principal: user({}),
      permission: operation(appWith('Job'), userWith('Read')),
      asked: ['api://gateway/Read'],
    },
    { caller: 'everybody where there is no way in', principal: user({}), permission: operation(), asked: [] },
    { caller: 'an app where any user may call', principal: app(), permission: signedIn, asked: [] },
  ])('refuse $caller', ({ principal, permission, asked }) => {
    expect(decide(principal, permission)).toEqual({ code: 'insufficient_scope', scopes: asked });
  });
});

describe('a message to an MCP server, whose clients ask for whatever scope they are told,', () => {
  const forApps = { ...operation(appWith('Job')), isForMcp: true };
  const forBoth = { ...operation(appWith('Job'), userWith('Read')), isForMcp: true };
  const optional = { ...operation(appWith('Job'), { caller: 'anyone' }), isForMcp: true };

  it.each<[string, Principal, Permission, unknown]>([
    ['lets in an app with the role', app('Job'), forApps, 'allowed'],
    ['tells an app the role', app(), forApps, { code: 'insufficient_scope', scopes: ['Job'] }],
    ['tells a user no role', user({}), forApps, { code: 'access_denied', log: expect.any(Object) }],
    ['tells a user the scope', user({}), forBoth, { code: 'insufficient_scope', scopes: ['api://gateway/Read'] }],
    ['serves a user as nobody where that is enough', user({}), optional, 'nobody'],
  ])('%s', (_case, principal, permission, outcome) => {
    expect(decide(principal, permission)).toEqual(outcome);
  });
});

describe('the lists of tenants and clients', () => {
  const read = operation(userWith('Read'));
  const reader = user({ scp: 'Read' });
  const shouting = user({ scp: 'Read', tid: TENANT.toUpperCase(), azp: CLIENT.toUpperCase() });
  const v1 = user({ scp: 'Read', azp: undefined, appid: CLIENT });
  const nameless = user({ scp: 'Read', azp: undefined });
  const tenants: AccessLists = { ...everyone, tenants: new Set([TENANT]) };
  const clients: AccessLists = { ...everyone, clients: new Set([CLIENT]) };
  const otherTenants: AccessLists = { ...everyone, tenants: new Set(['b4c1a5d2-3f6e-4a87-9c0b-5d1e2f3a4b5c']) };
  const otherClients: AccessLists = { ...everyone, clients: new Set(['7e0d1c2b-3a49-4f58-b6c7-d8e9f0a1b2c3']) };

  it.each([
    { what: 'a tenant that is on the list', principal: reader, lists: tenants, expected: 'allowed' },
    { what: 'a tenant that the token writes in capitals', principal: shouting, lists: tenants, expected: 'allowed' },
    { what: 'a tenant that is not', principal: reader, lists: otherTenants, expected: 'access_denied' },
    { what: 'a client that is on the list', principal: reader, lists: clients, expected: 'allowed' },
    { what: 'a client that the token writes in capitals', principal: shouting, lists: clients, expected: 'allowed' },
    { what: 'a client that a v1 token names', principal: v1, lists: clients, expected: 'allowed' },
    { what: 'a client that is not', principal: reader, lists: otherClients, expected: 'access_denied' },
    { what: 'a token that names no client', principal: nameless, lists: clients, expected: 'access_denied' },
    { what: 'a token that names none, without a list', principal: nameless, lists: everyone, expected: 'allowed' },
  ])('answer $expected for $what', ({ principal, lists, expected }) => {
    const answer = decide(principal, read, lists);
    expect(answer === 'allowed' ? answer : (answer as { code: string }).code).toBe(expected);
  });

  it('come before the scopes, so that a stranger learns nothing of them', () => {
    expect(decide(user({}), read, otherTenants)).not.toHaveProperty('scopes');
  });
});

describe('an authentication context', () => {
  const sensitive: Permission = { access: [userWith('Read'), appWith('Job')], authContext: 'c1' };

  it.each([
    ['in an array', ['c1']],
    ['among others', ['c2', 'c1']],
    ['as a text', 'c1'],
    ['as one word of a text', 'c2 c1'],
  ])('is met when the token has it %s', (_form, acrs) => {
    expect(decide(user({ scp: 'Read', acrs }), sensitive)).toBe('allowed');
  });

  it.each([
    ['has none', undefined],
    ['has another', ['c2']],
    ['has one that begins like it', ['c10']],
    ['has it in capitals', ['C1']],
    ['has it as a member name', { c1: true }],
  ])('is asked for in the form of Microsoft when the token %s', (_form, acrs) => {
    expect(decide(user({ scp: 'Read', acrs }), sensitive)).toEqual({
      code: 'insufficient_claims',
      claims: '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}',
      authContext: true,
    });
  });

  it('is not asked for before the scope is there', () => {
    expect(decide(user({}), sensitive)).toMatchObject({ code: 'insufficient_scope' });
  });

  it('keeps apps out, because they never get one, and names the scopes of a user', () => {
    expect(decide(app('Job'), sensitive)).toEqual({ code: 'insufficient_scope', scopes: ['api://gateway/Read'] });
  });

  it('keeps apps out of an operation that is for apps only', () => {
    const contradiction: Permission = { access: [appWith('Job')], authContext: 'c1' };
    expect(decide(app('Job'), contradiction)).toMatchObject({ code: 'insufficient_scope' });
  });
});

describe('where a token is optional, a caller', () => {
  const optional = operation(userWith('Read'), appWith('Job'), { caller: 'anyone' });
  const inContext = { ...optional, authContext: 'c1' };

  it.each<[string, Principal, Permission, unknown]>([
    ['is itself with the scope', user({ scp: 'Read' }), optional, 'allowed'],
    ['is itself with the role', app('Job'), optional, 'allowed'],
    ['is nobody without the scope', user({}), optional, 'nobody'],
    ['is nobody without the role', app(), optional, 'nobody'],
    [
      'is itself with the scope and the authentication context',
      user({ scp: 'Read', acrs: ['c1'] }),
      inContext,
      'allowed',
    ],
    ['is nobody without the scope, whatever the context', user({}), inContext, 'nobody'],
    ['is nobody as an app, which never has a context', app('Job'), inContext, 'nobody'],
  ])('%s', (_case, principal, permission, outcome) => {
    expect(decide(principal, permission)).toBe(outcome);
  });

  it('steps up with the scope and without the context', () => {
    expect(decide(user({ scp: 'Read' }), inContext)).toMatchObject({ code: 'insufficient_claims' });
  });

  it('is refused when its tenant or client is not on the list', () => {
    const lists = { tenants: new Set(['other']), clients: new Set<string>() };
    expect(decide(user({}), optional, lists)).toMatchObject({ code: 'access_denied' });
  });
});
