import { describe, expect, it } from '@jest/globals';
import { joinClaims } from '../../src/syntax/join-claims.ts';

function join(...tokens: readonly object[]): unknown {
  const joined = joinClaims(tokens.map((token) => JSON.stringify({ access_token: token })));
  return joined === undefined ? undefined : (JSON.parse(joined) as { access_token: unknown }).access_token;
}

describe('claims requests are joined', () => {
  it.each([
    { what: 'different members', of: [{ a: { value: '1' } }, { b: null }], is: { a: { value: '1' }, b: null } },
    {
      what: 'the same value',
      of: [{ a: { value: '1' } }, { a: { value: '1', essential: true } }],
      is: { a: { essential: true, value: '1' } },
    },
    { what: 'two values', of: [{ a: { value: '1' } }, { a: { value: '2' } }], is: { a: { values: ['1', '2'] } } },
    {
      what: 'a value and values',
      of: [{ a: { value: '1' } }, { a: { values: ['2', '1'] } }],
      is: { a: { values: ['1', '2'] } },
    },
    {
      what: 'values and values',
      of: [{ a: { values: ['1', '2'] } }, { a: { values: ['2', '3'] } }],
      is: { a: { values: ['1', '2', '3'] } },
    },
    {
      what: 'one of them is essential',
      of: [{ a: { essential: false, value: '1' } }, { a: { essential: true } }],
      is: { a: { essential: true, value: '1' } },
    },
    {
      what: 'one that asks for nothing more',
      of: [{ a: null }, { a: { essential: true } }],
      is: { a: { essential: true } },
    },
    { what: 'other members of a claim', of: [{ a: { x: 1 } }, { a: { y: 2 } }], is: { a: { x: 1, y: 2 } } },
    {
      what: 'two times before which no token counts: the later one',
      of: [{ nbf: { value: '9' } }, { nbf: { value: '10' } }],
      is: { nbf: { value: '10' } },
    },
    {
      what: 'three',
      of: [{ a: { value: '1' } }, { a: { value: '2' } }, { a: { value: '3' } }],
      is: { a: { values: ['1', '2', '3'] } },
    },
  ])('$what', ({ of, is }) => {
    expect(join(...of)).toEqual(is);
  });

  it('equal ones stay byte for byte', () => {
    const text = '{ "access_token": {"a":null} }';
    expect(joinClaims([text, text])).toBe(text);
  });

  it('what is asked of other tokens stays', () => {
    expect(joinClaims(['{"access_token":{"a":null}}', '{"id_token":{"b":null}}'])).toBe(
      '{"access_token":{"a":null},"id_token":{"b":null}}',
    );
  });

  it('not where one of them cannot be read', () => {
    expect(joinClaims(['{"access_token":{}}', '{'])).toBeUndefined();
  });

  it('not where the whole is too large for a challenge', () => {
    expect(join({ a: { value: 'x'.repeat(2_500) } }, { b: { value: 'y'.repeat(2_500) } })).toBeUndefined();
  });
});
