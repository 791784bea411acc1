import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseChallenges } from '../../src/challenge/parse-challenges.ts';
import { formatChallenge, type ChallengeFacts, type ChallengeFrame } from '../../src/challenge/www-authenticate.ts';
import { Authority } from '../../src/entra/authority.ts';
import { FAILURES } from '../../src/failures.ts';
import { CLIENT_PARSERS } from '../support/client-parsers.ts';

const CLIENT_ID = '6e74172b-be56-4843-9ff4-e66a39bb12e3';
const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';
const METADATA = 'https://api.contoso.com/.well-known/oauth-protected-resource';
const ACRS = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';

/** The frame of a gateway at that cloud. */
function frameAt(origin: string): ChallengeFrame {
  const authorizationUri = new Authority(origin, TENANT).challengeUri('');
  return { authorizationUri, clientId: CLIENT_ID, resourceMetadata: METADATA };
}

const frame = frameAt('https://login.microsoftonline.com');

/** The shape of every challenge: names in this order, and nothing in a value that a naive parser splits at. */
const SHAPE = new RegExp(
  [
    '^Bearer realm=""',
    'authorization_uri="https?://[^",=%]+/oauth2/v2\\.0/authorize"',
    'client_id="[^",=%]+"',
    'error="[^",=%]+"',
    'scope="[^",=%]+"',
    'cc_type="authcontext"',
    'resource_metadata="[^",=%]+"',
    'claims="(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"$',
  ]
    .map((part, index) => (index === 0 ? part : `(?:, ${part.replace('$', '')})${index < 3 ? '' : '?'}`))
    .join('') + '$',
);

const errors = [...new Set(Object.values(FAILURES).flatMap((rule) => ('challenge' in rule ? [rule.challenge] : [])))];
const scopes = ['https://graph.microsoft.com/User.Read', 'api://orders/user_impersonation', 'Orders.Read.All'];
const claimsTexts = [
  ACRS,
  '{"access_token":{"nbf":{"essential":true, "value":"1635527790"}}}',
  '{"access_token":{"capolids":{"essential":true,"values":["9d4e6f10-2b7a-4c35-8f91-3e5a7b6c0d12"]}}}',
  '{"access_token":{"x":"a, b=\\"c\\" %41 ?>~~~"}}',
];

const everyFacts: ChallengeFacts[] = errors.flatMap((error) =>
  [undefined, scopes.slice(0, 1), scopes].flatMap((scope) =>
    [undefined, true].flatMap((authContext) =>
      [undefined, ...claimsTexts].map((claims) => ({ error, scopes: scope, authContext, claims })),
    ),
  ),
);

describe('the text of a challenge', () => {
  it('is exactly this without an error', () => {
    expect(formatChallenge(frame, { error: null })).toBe(
      'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/v2.0/authorize", ' +
        `client_id="${CLIENT_ID}", resource_metadata="${METADATA}"`,
    );
  });

  it('is exactly this with everything', () => {
    expect(formatChallenge(frame, { error: 'insufficient_claims', scopes, authContext: true, claims: ACRS })).toBe(
      'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/v2.0/authorize", ' +
        `client_id="${CLIENT_ID}", error="insufficient_claims", scope="${scopes.join(' ')}", ` +
        `cc_type="authcontext", resource_metadata="${METADATA}", ` +
        'claims="eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJlc3NlbnRpYWwiOnRydWUsInZhbHVlIjoiYzEifX19"',
    );
  });

  it.each([
    { when: 'there are no scopes', facts: { error: 'insufficient_scope', scopes: [] }, name: 'scope' },
    { when: 'no context is asked for', facts: { error: 'invalid_token', authContext: false }, name: 'cc_type' },
    { when: 'there are no claims', facts: { error: 'insufficient_claims', claims: undefined }, name: 'claims' },
  ])('has no $name when $when', ({ facts, name }) => {
    expect(formatChallenge(frame, facts)).not.toContain(`${name}=`);
  });

  it.each([
    ['the public cloud', 'https://login.microsoftonline.com', 'common'],
    ['the cloud of the US government', 'https://login.microsoftonline.us', 'common'],
    ['the cloud in China', 'https://login.partner.microsoftonline.cn', 'common'],
    ['an External ID tenant, which has no common', 'https://contoso.ciamlogin.com', TENANT],
    ['an emulator', 'http://localhost:8081', 'common'],
  ])('names the authorize endpoint of %s', (_which, origin, tenant) => {
    const [challenge] = parseChallenges(formatChallenge(frameAt(origin), { error: null }));
    expect(challenge?.parameters.get('authorization_uri')).toBe(`${origin}/${tenant}/oauth2/v2.0/authorize`);
  });
});

describe('every challenge that we can write', () => {
  it('has the same shape', () => {
    const odd = everyFacts.map((facts) => formatChallenge(frame, facts)).filter((text) => !SHAPE.test(text));
    expect([everyFacts.length > 100, odd]).toEqual([true, []]);
  });

  it('is read back by the grammar of RFC 9110 as one challenge', () => {
    const read = everyFacts.map((facts) => {
      const challenges = parseChallenges(formatChallenge(frame, facts));
      const parameters = challenges[0]?.parameters;
      const claims = parameters?.get('claims');
      return {
        count: challenges.length,
        error: parameters?.get('error') ?? null,
        scopes: parameters?.get('scope')?.split(' '),
        authContext: parameters?.has('cc_type') === true ? true : undefined,
        claims: claims === undefined ? undefined : Buffer.from(claims, 'base64').toString(),
      };
    });
    expect(read).toEqual(everyFacts.map((facts) => ({ count: 1, ...facts })));
  });

  describe.each(CLIENT_PARSERS)('is read by %s', (_name, parse) => {
    it('with its claims, whatever they are', () => {
      const withClaims = everyFacts.filter(({ error, claims }) => error === 'insufficient_claims' && claims);
      const read = withClaims.map((facts) => parse(formatChallenge(frame, facts)));
      expect([withClaims.length > 10, read]).toEqual([true, withClaims.map(({ claims }) => claims)]);
    });

    it('as one without claims when it has none', () => {
      const without = everyFacts.filter(({ claims }) => claims === undefined);
      const read = without.map((facts) => parse(formatChallenge(frame, facts)));
      expect(read).toEqual(without.map(() => undefined));
    });

    it('with any claims at all', () => {
      fc.assert(
        fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (request) => {
          const claims = JSON.stringify({ access_token: request });
          expect(parse(formatChallenge(frame, { error: 'insufficient_claims', claims }))).toBe(claims);
        }),
      );
    });
  });
});

describe('the client parsers of this test are as picky as the real ones', () => {
  const padded = Buffer.from(ACRS.replace('c1', 'c10')).toString('base64');
  const good = `Bearer realm="", error="insufficient_claims", claims="${padded}"`;
  const unpadded = good.replaceAll('=="', '"').replaceAll('="}', '"}');

  it.each([
    { header: 'a comma in a value', text: good.replace('""', '"a, b"'), readers: [2, 3, 4, 5] },
    { header: 'a percent sign in a value', text: good.replace('""', '"100%"'), readers: [2, 3, 4, 5] },
    { header: 'no space after commas', text: good.replaceAll(', ', ','), readers: [1, 3, 5] },
    { header: 'another error', text: good.replace('insufficient_claims', 'invalid_token'), readers: [0, 1, 2, 5] },
    { header: 'a bare scheme', text: 'Bearer', readers: [] },
    { header: 'the good shape', text: good, readers: [0, 1, 2, 3, 4, 5] },
    { header: 'claims without padding', text: unpadded, readers: [0, 1, 2, 3, 5] },
  ])('$header is read by $readers', ({ text, readers }) => {
    const successes = CLIENT_PARSERS.flatMap(([, parse], index) => (tryToRead(parse, text) ? [index] : []));
    expect(successes).toEqual(readers);
  });
});

/** True when a parser finds the claims of an authentication context. */
function tryToRead(parse: (header: string) => string | undefined, header: string): boolean {
  try {
    return parse(header)?.startsWith('{"access_token"') ?? false;
  } catch {
    return false;
  }
}
