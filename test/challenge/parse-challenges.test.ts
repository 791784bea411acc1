import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseChallenges } from '../../src/challenge/parse-challenges.ts';

type Parsed = [scheme: string, parameters: Record<string, string>][];

/** The challenges of a header as plain data. */
function parse(header: string): Parsed {
  return parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
}

const COMMON = 'https://login.microsoftonline.com/common/oauth2/authorize';

describe('a header that was seen in the wild', () => {
  const cases: { from: string; header: string; expected: Parsed }[] = [
    {
      from: 'Graph, revoked session',
      header: `Bearer realm="", authorization_uri="${COMMON}", client_id="00000003-0000-0000-c000-000000000000", error="insufficient_claims", claims="eyJhIjp7fX0=="`,
      expected: [
        [
          'Bearer',
          {
            realm: '',
            authorization_uri: COMMON,
            client_id: '00000003-0000-0000-c000-000000000000',
            error: 'insufficient_claims',
            claims: 'eyJhIjp7fX0==',
          },
        ],
      ],
    },
    {
      from: 'Graph, with a description in camel case',
      header:
        'Bearer realm="", errorDescription="result: InteractionRequired, code: X", error="insufficient_claims", claims="e30="',
      expected: [
        [
          'Bearer',
          {
            realm: '',
            errordescription: 'result: InteractionRequired, code: X',
            error: 'insufficient_claims',
            claims: 'e30=',
          },
        ],
      ],
    },
    {
      from: 'Azure Resource Manager',
      header:
        'Bearer authorization_uri="https://login.windows.net/", error="invalid_token", error_description="User session has been revoked", claims="eyJhIjp7fX0"',
      expected: [
        [
          'Bearer',
          {
            authorization_uri: 'https://login.windows.net/',
            error: 'invalid_token',
            error_description: 'User session has been revoked',
            claims: 'eyJhIjp7fX0',
          },
        ],
      ],
    },
    {
      from: 'Azure Resource Manager without a token',
      header: `Bearer authorization_uri="https://login.windows.net/x", error="invalid_token", error_description="The authentication failed because of missing 'Authorization' header."`,
      expected: [
        [
          'Bearer',
          {
            authorization_uri: 'https://login.windows.net/x',
            error: 'invalid_token',
            error_description: "The authentication failed because of missing 'Authorization' header.",
          },
        ],
      ],
    },
    {
      from: 'Key Vault',
      header: 'Bearer authorization="https://login.windows.net/t", resource="https://vault.azure.net"',
      expected: [['Bearer', { authorization: 'https://login.windows.net/t', resource: 'https://vault.azure.net' }]],
    },
    {
      from: 'an API with two schemes',
      header: 'PoP nonce="n1", realm="", Bearer realm="", claims="e30="',
      expected: [
        ['PoP', { nonce: 'n1', realm: '' }],
        ['Bearer', { realm: '', claims: 'e30=' }],
      ],
    },
    {
      from: 'an authentication context of Microsoft’s guide',
      header: `Bearer realm="", authorization_uri="${COMMON}", client_id="x", error="insufficient_claims", claims="e30=", cc_type="authcontext"`,
      expected: [
        [
          'Bearer',
          {
            realm: '',
            authorization_uri: COMMON,
            client_id: 'x',
            error: 'insufficient_claims',
            claims: 'e30=',
            cc_type: 'authcontext',
          },
        ],
      ],
    },
    { from: 'ASP.NET without a token', header: 'Bearer', expected: [['Bearer', {}]] },
    {
      from: 'ASP.NET with a bad token',
      header: 'Bearer error="invalid_token", error_description="The audience \'x\' is invalid; The token is expired"',
      expected: [
        ['Bearer', { error: 'invalid_token', error_description: "The audience 'x' is invalid; The token is expired" }],
      ],
    },
    {
      from: 'Windows',
      header: 'Negotiate, NTLM, Basic realm="intranet"',
      expected: [
        ['Negotiate', {}],
        ['NTLM', {}],
        ['Basic', { realm: 'intranet' }],
      ],
    },
    {
      from: 'Kerberos',
      header: 'Negotiate YIIJvwYGKwYBBQUCoIIJ==, Bearer claims="e30="',
      expected: [
        ['Negotiate', {}],
        ['Bearer', { claims: 'e30=' }],
      ],
    },
    {
      from: 'RFC 9110 §11.6.1',
      header: 'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""',
      expected: [
        ['Basic', { realm: 'simple' }],
        ['Newauth', { realm: 'apps', type: '1', title: 'Login to "apps"' }],
      ],
    },
  ];

  it.each(cases)('is read: $from', ({ header, expected }) => {
    expect(parse(header)).toEqual(expected);
  });
});

describe('an odd header', () => {
  it.each<[string, string, Parsed]>([
    ['nothing', '', []],
    ['only commas', ' , ,, ', []],
    ['names in capitals', 'BEARER Claims="x"', [['BEARER', { claims: 'x' }]]],
    ['spaces around the equals sign', 'Bearer a = "x" , b\t=\ty', [['Bearer', { a: 'x', b: 'y' }]]],
    [
      'no space after commas',
      'Bearer a="x",b="y",Basic c=z',
      [
        ['Bearer', { a: 'x', b: 'y' }],
        ['Basic', { c: 'z' }],
      ],
    ],
    ['empty elements', ', Bearer a="x", , b="y",', [['Bearer', { a: 'x', b: 'y' }]]],
    ['empty elements before the first parameter', 'Bearer , a="x"', [['Bearer', { a: 'x' }]]],
    ['a name twice', 'Bearer a="first", A="second"', [['Bearer', { a: 'first' }]]],
    [
      'an inherited name',
      'Bearer __proto__="x", claims="y"',
      [
        [
          'Bearer',
          Object.fromEntries([
            ['__proto__', 'x'],
            ['claims', 'y'],
          ]),
        ],
      ],
    ],
    [
      'a challenge in quotes',
      'Bearer a="Basic claims=\\"no\\", x", claims="yes"',
      [['Bearer', { a: 'Basic claims="no", x', claims: 'yes' }]],
    ],
    ['a line break in quotes', 'Bearer a="x\r\ny", b=z', [['Bearer', { a: 'x\r\ny', b: 'z' }]]],
  ])('is read: %s', (_what, header, expected) => {
    expect(parse(header)).toEqual(expected);
  });

  it.each<[string, string, Parsed]>([
    [
      'a quote that never ends',
      'Bearer a="x", claims="e30',
      [
        ['Bearer', { a: 'x' }],
        ['claims', {}],
      ],
    ],
    [
      'claims that are JSON with naked quotes',
      'Bearer claims="{"access_token":{}}", a="x"',
      [
        ['Bearer', { claims: '{' }],
        ['access_token', {}],
      ],
    ],
    ['a parameter without a scheme', 'claims="e30="', [['claims', {}]]],
  ])('is read up to its fault: %s', (_what, header, expected) => {
    expect(parse(header)).toEqual(expected);
  });
});

/** Any one character of a text. */
function oneOf(characters: string): fc.Arbitrary<string> {
  return fc.constantFrom(...characters.split(''));
}

const TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~0123456789abcXYZ";
const token = fc.string({ unit: oneOf(TOKEN_CHARACTERS), minLength: 1, maxLength: 12 });
const token68 = fc
  .tuple(fc.string({ unit: oneOf('abcXYZ019-._~+/'), minLength: 1 }), fc.constantFrom('', '=', '=='))
  .map((parts) => parts.join(''));
const space = fc.constantFrom('', ' ', '  ', '\t', ' \t ');
const comma = fc.tuple(space, fc.constantFrom(',', ',,', ', ,'), space).map((parts) => parts.join(''));

/** A value and one of the ways to write it: a token, or a quoted string with as many escapes as one likes. */
const value = fc.oneof(
  token.map((text) => ({ text, written: text })),
  fc.array(fc.tuple(fc.string({ minLength: 1, maxLength: 1 }), fc.boolean())).map((characters) => ({
    text: characters.map(([character]) => character).join(''),
    written: `"${characters
      .map(([character, escape]) => (escape || character === '"' || character === '\\' ? `\\${character}` : character))
      .join('')}"`,
  })),
);

const parameter = fc
  .record({ name: token, value, before: space, after: space })
  .map(({ name, value: { text, written }, before, after }) => ({
    name: name.toLowerCase(),
    text,
    written: `${name}${before}=${after}${written}`,
  }));

/** A challenge by the grammar of RFC 9110 §11.3: a scheme, and parameters or a token68 or nothing. */
const challenge = fc.oneof(
  token.map((scheme) => ({ scheme, parameters: {}, written: scheme })),
  fc.tuple(token, token68).map(([scheme, text]) => ({ scheme, parameters: {}, written: `${scheme} ${text}` })),
  fc
    .record({
      scheme: token,
      gap: fc.constantFrom(' ', '  ', '   '),
      parameters: fc.uniqueArray(parameter, { minLength: 1, maxLength: 5, selector: ({ name }) => name }),
      between: comma,
    })
    .map(({ scheme, gap, parameters, between }) => ({
      scheme,
      parameters: Object.fromEntries(parameters.map(({ name, text }) => [name, text])),
      written: `${scheme}${gap}${parameters.map(({ written }) => written).join(between)}`,
    })),
);

describe('a value that RFC 9110 allows only in quotes', () => {
  it.each([
    ['an address', 'Bearer a=https://x/y, claims="z"', { a: 'https://x/y', claims: 'z' }],
    ['base64', 'Bearer claims=ab+/cd==', { claims: 'ab+/cd==' }],
  ])('is read without quotes, too: %s', (_what, header, parameters) => {
    expect(parse(header)).toEqual([['Bearer', parameters]]);
  });
});

describe('by the grammar of RFC 9110', () => {
  it('any list of challenges is read back', () => {
    fc.assert(
      fc.property(fc.array(challenge, { maxLength: 4 }), comma, (challenges, between) => {
        const header = challenges.map(({ written }) => written).join(between);
        expect(parse(header)).toEqual(challenges.map(({ scheme, parameters }) => [scheme, parameters]));
      }),
      { numRuns: 1_000 },
    );
  });

  it('commas before and after the list change nothing', () => {
    fc.assert(
      fc.property(challenge, comma, comma, ({ written, scheme, parameters }, before, after) => {
        expect(parse(`${before}${written}${after}`)).toEqual([[scheme, parameters]]);
      }),
    );
  });
});

describe('whatever a downstream sends', () => {
  it('nothing is thrown', () => {
    const soup = fc.string({ unit: oneOf('aB="\\, \t=;{}:\u0000é\ud83d\n'), maxLength: 60 });
    fc.assert(
      fc.property(fc.oneof(soup, fc.string({ unit: 'binary' })), (header) => {
        expect(Array.isArray(parse(header))).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['spaces', ' '],
    ['commas', ', '],
    ['letters', 'a'],
    ['schemes', 'a '],
    ['schemes with much space', 'a        '],
    ['schemes and commas', 'a,'],
    ['parameters', 'a=b,'],
    ['parameters without commas', 'a=b '],
    ['spaces around equals signs', 'a  =  b ,'],
    ['equals signs', '='],
    ['dangling equals signs', 'a= '],
    ['quotes', '"'],
    ['opening quotes', 'a="'],
    ['escaped quotes', 'a="\\"'],
    ['escapes', '\\'],
    ['token68', 'a/+=='],
    ['marks that only tokens have', '!'],
    ['tokens and marks', 'a !'],
  ])('1 MB of %s takes linear time', async (_what, unit) => {
    const filler = unit.repeat(1_000_000 / unit.length);
    for (const text of [filler, `Bearer ${filler}`, `Bearer a="${filler}`, `Bearer a="x", ${filler}"`]) {
      parseChallenges(text);
    }
    // Had it taken so long, Jest's timeout would come first.
    await setTimeout(0);
  });
});
