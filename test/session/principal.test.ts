import { describe, expect, it } from '@jest/globals';
import type { GatewayError } from '../../src/failures.ts';
import { toPrincipal, type TokenClaims } from '../../src/session/principal.ts';

const base = { tid: '72F988BF-86F1-41AF-91AB-2D7CD011DB47', oid: 'o', azp: 'C9A5B7E1', scp: 'Read Write', iat: 7 };

describe('the caller', () => {
  it('is read from a v2 token', () => {
    expect(toPrincipal(base)).toEqual({
      kind: 'user',
      tenantId: '72f988bf-86f1-41af-91ab-2d7cd011db47',
      objectId: 'o',
      clientId: 'c9a5b7e1',
      scopes: new Set(['Read', 'Write']),
      roles: new Set(),
      authContexts: new Set(),
      issuedAtSeconds: 7,
      handlesClaims: false,
      isBound: false,
    });
  });

  it('is read from an odd token without failing', () => {
    const odd = {
      scp: 'Read',
      tid: 1,
      oid: '',
      azp: 5,
      appid: {},
      roles: 'one two',
      acrs: [1, 'c1'],
      iat: 'x',
      xms_cc: 1,
    };
    expect(toPrincipal(odd)).toMatchObject({
      tenantId: '',
      objectId: undefined,
      clientId: undefined,
      roles: new Set(['one', 'two']),
      authContexts: new Set(['c1']),
      issuedAtSeconds: 0,
      handlesClaims: false,
    });
  });

  it.each([
    { claims: { azp: 'A' }, expected: 'a' },
    { claims: { azp: undefined, appid: 'B' }, expected: 'b' },
    { claims: { azp: '', appid: 'B' }, expected: 'b' },
    { claims: { azp: 'A', appid: 'B' }, expected: 'a' },
  ])('is of the client $expected with $claims', ({ claims, expected }) => {
    expect(toPrincipal({ ...base, ...claims }).clientId).toBe(expected);
  });

  it.each([
    [['cp1'], true],
    [['CP1'], true],
    [['other', 'cp1'], true],
    ['cp1', true],
    [['cp10'], false],
    [[], false],
    [undefined, false],
    [{ cp1: true }, false],
  ])('that declares %j can take claims challenges: %s', (capabilities, expected) => {
    expect(toPrincipal({ ...base, xms_cc: capabilities }).handlesClaims).toBe(expected);
  });

  it.each([
    [{ jkt: 'thumbprint' }, true],
    [{}, true],
    [null, true],
    [undefined, false],
  ])('has a token that is bound to a key with cnf %j: %s', (cnf, expected) => {
    expect(toPrincipal({ ...base, cnf }).isBound).toBe(expected);
  });
});

const app = { tid: base.tid, oid: 'service principal', sub: 'service principal', azp: 'daemon', roles: ['All'] };
const person = { ...app, oid: 'adele', sub: 'pairwise' };

/** The kind of caller, or the failure. */
function kindOf(claims: TokenClaims): string {
  try {
    return toPrincipal(claims).kind;
  } catch (error) {
    return (error as GatewayError).code;
  }
}

describe('who counts as an application', () => {
  it.each<[string, TokenClaims]>([
    ['an app that says so', { ...app, idtyp: 'app' }],
    ['an app that says so, whatever its subject', { ...person, idtyp: 'app' }],
    ['an app of which only the subject tells', app],
    ['the same with v1 names', { ...app, azp: undefined, appid: 'daemon' }],
    ['an app whose roles are a text', { ...app, roles: 'All' }],
  ])('%s', (_who, claims) => {
    expect(kindOf(claims)).toBe('app');
  });

  it.each<[string, TokenClaims]>([
    ['a person with roles and without scp', person],
    ['a person of whom the token says the name', { ...person, preferred_username: 'adele@contoso.com' }],
    ['a person of v1', { ...person, upn: 'adele@contoso.com', azp: undefined, appid: 'desktop' }],
    ['a guest', { ...person, idp: 'https://sts.windows.net/fabrikam/', acct: 1 }],
    ['a person whose subject is their object, by their name', { ...app, preferred_username: 'adele@contoso.com' }],
    ['the same in v1', { ...app, unique_name: 'adele@contoso.com' }],
    ['a token that says it is a user’s', { ...app, idtyp: 'user' }],
    ['a device', { ...app, idtyp: 'device' }],
    ['an idtyp that nearly says app', { ...app, idtyp: 'App' }],
    ['an idtyp that is a list', { ...app, idtyp: ['app'] }],
    ['an idtyp that is null', { ...app, idtyp: null }],
    ['an app with an empty scp', { ...app, scp: '' }],
    ['an app with a scp of spaces', { ...app, idtyp: 'app', scp: ' ' }],
    ['an app with an empty list of scp', { ...app, scp: [] }],
    ['an app with a scp that is null', { ...app, idtyp: 'app', scp: null }],
    ['an app with a scp', { ...app, idtyp: 'app', scp: 'Read' }],
    ['a token with neither oid nor sub', { ...app, oid: undefined, sub: undefined }],
    ['a token without oid', { ...app, oid: undefined }],
    ['a token whose oid and sub are empty', { ...app, oid: '', sub: '' }],
    ['a token whose oid and sub are numbers', { ...app, oid: 1, sub: 1 }],
    ['an app without roles', { ...app, idtyp: 'app', roles: [] }],
    ['an app without a client id', { ...app, azp: undefined }],
    ['an ID token', { ...app, nonce: 'n' }],
    ['an ID token that says it is an app', { ...app, idtyp: 'app', nonce: 'n' }],
  ])('not %s: it is refused', (_who, claims) => {
    expect(kindOf(claims)).toBe('invalid_token');
  });

  it.each<[string, TokenClaims]>([
    ['a person with a scope, whatever their subject', { ...app, scp: 'Read' }],
    ['a person who says so', { ...person, scp: 'Read', idtyp: 'user' }],
    ['a person with roles and a scope', { ...person, scp: ['Read'] }],
  ])('but %s is a user', (_who, claims) => {
    expect(kindOf(claims)).toBe('user');
  });

  it('and a device with a scope is neither', () => {
    expect(kindOf({ ...person, scp: 'Read', idtyp: 'device' })).toBe('invalid_token');
  });
});
