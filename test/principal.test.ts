import { describe, expect, it } from '@jest/globals';
import { toPrincipal } from '../src/principal.ts';

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
      issuedAt: 7,
      handlesClaims: false,
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
      issuedAt: 0,
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
});
