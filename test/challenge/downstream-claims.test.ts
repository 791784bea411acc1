import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readDownstreamDemand } from '../../src/challenge/downstream-claims.ts';

const NBF = '{"access_token":{"nbf":{"essential":true, "value":"1635527790"}}}';
const ODD = '{"access_token":{"x":"~~~???>>>é"}}';

/** The header of a downstream that asks for claims which are encoded so. */
function asking(encoded: string): string {
  return `Bearer realm="", error="insufficient_claims", claims="${encoded}"`;
}

/** Standard base64 of a text. */
function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** What the caller may be asked for: the claims, or why there are none. */
function demand(...headers: string[]): string {
  const read = readDownstreamDemand(headers);
  return read.kind === 'claims' ? read.claims : read.kind;
}

describe('the claims of a downstream are found', () => {
  const standard = base64(ODD);
  it.each([
    ['in standard base64', standard],
    ['in standard base64 without padding', standard.replace(/=+$/, '')],
    ['in url-safe base64', Buffer.from(ODD).toString('base64url')],
    ['in url-safe base64 with padding', standard.replaceAll('+', '-').replaceAll('/', '_')],
  ])('when they are written %s', (_how, encoded) => {
    expect([/[+/_-]/.test(encoded), demand(asking(encoded))]).toEqual([true, ODD]);
  });

  it.each([
    [
      'Graph',
      `Bearer realm="", authorization_uri="x", client_id="y", error="insufficient_claims", claims="${base64(NBF)}"`,
    ],
    [
      'Azure Resource Manager, which says invalid_token',
      `Bearer error="invalid_token", error_description="Revoked, sorry", claims="${base64(NBF)}"`,
    ],
    ['one that names no error', `Bearer claims="${base64(NBF)}"`],
    ['one with names in capitals', `BEARER CLAIMS="${base64(NBF)}"`],
    ['one without quotes', `Bearer claims=${base64(NBF).replace(/=+$/, '')}, error=insufficient_claims`],
    ['one with another scheme first', `PoP nonce="n", Bearer claims="${base64(NBF)}"`],
  ])('in the header of %s', (_who, header) => {
    expect(demand(header)).toBe(NBF);
  });

  it('in the second of two headers', () => {
    expect(demand('Negotiate', asking(base64(NBF)))).toBe(NBF);
  });

  it('and come out byte for byte, whatever they ask', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), (request) => {
        const claims = JSON.stringify({ access_token: request });
        fc.pre(Buffer.byteLength(claims) <= 4_096);
        expect(demand(asking(base64(claims)))).toBe(claims);
      }),
    );
  });
});

describe('a downstream asks for nothing', () => {
  it.each([
    ['no header at all', []],
    ['an empty header', ['']],
    ['a challenge without claims', ['Bearer error="invalid_token"']],
    ['empty claims', ['Bearer claims=""']],
    ['claims only inside another value', [`Bearer error_description="claims=\\"${base64(NBF)}\\""`]],
    ['a consent address', ['Bearer consentUri="https://evil.example/?claims=x", proposedAction="consent"']],
  ])('with %s', (_what, headers) => {
    expect(demand(...headers)).toBe('none');
  });
});

describe('claims that may not be relayed', () => {
  const frame = JSON.stringify({ access_token: { x: '' } });
  const atLimit = frame.replace('""', `"${'y'.repeat(4_096 - frame.length)}"`);

  it('are those above 4 kB, and not those of just 4 kB', () => {
    expect([demand(asking(base64(atLimit))), demand(asking(base64(atLimit.replace('y', 'yy'))))]).toEqual([
      atLimit,
      'unreadable',
    ]);
  });

  it.each([
    ['a second member', '{"access_token":{},"id_token":{}}'],
    ['another member', '{"id_token":{"nbf":{}}}'],
    ['a member that hides behind __proto__', '{"__proto__":{"access_token":{}}}'],
    ['a member besides __proto__', '{"__proto__":{},"access_token":{}}'],
    ['access_token in capitals', '{"ACCESS_TOKEN":{}}'],
    ['access_token that is null', '{"access_token":null}'],
    ['access_token that is a text', '{"access_token":"x"}'],
    ['access_token that is an array', '{"access_token":[]}'],
    ['an array', '[{"access_token":{}}]'],
    ['null', 'null'],
    ['a text', '"access_token"'],
    ['an empty object', '{}'],
    ['an address', 'https://evil.example/sign-in'],
    ['a page', '<script>alert(1)</script>'],
    ['half a JSON', '{"access_token":{'],
    ['two JSON texts', '{"access_token":{}}{"access_token":{}}'],
    ['very deep JSON without an end', '['.repeat(4_000)],
  ])('hold %s', (_what, text) => {
    expect(demand(asking(base64(text)))).toBe('unreadable');
  });

  it.each([
    ['JSON in place of base64', 'Bearer claims="{\\"access_token\\":{}}"'],
    ['JSON with naked quotes', 'Bearer claims="{"access_token":{}}"'],
    ['spaces', asking(`${base64(NBF).slice(0, 8)} ${base64(NBF).slice(8)}`)],
    ['padding in the middle', asking(`${base64('{"access')}=${base64('_token":{}}')}`)],
    ['too much padding', asking('e30===')],
    ['padding alone', asking('==')],
    ['percent encoding', asking('e30%3D')],
    ['letters outside ASCII', asking('eé0=')],
    ['bytes that are no UTF-8', asking(Buffer.from([0x7b, 0xff, 0x7d]).toString('base64'))],
  ])('are written as %s', (_how, header) => {
    expect(demand(header)).toBe('unreadable');
  });
});

it('nothing that a downstream sends makes the reader throw', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.string(), fc.base64String().map(asking), fc.json().map(base64).map(asking))),
      (headers) => {
        expect(['none', 'claims', 'unreadable']).toContain(readDownstreamDemand(headers).kind);
      },
    ),
  );
});
