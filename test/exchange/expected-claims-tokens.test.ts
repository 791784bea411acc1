import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { ExchangeRefused, NOTHING_SAID } from '../../src/exchange/exchange-refused.ts';
import { ExpectedClaimsTokens } from '../../src/exchange/expected-claims-tokens.ts';
import { ExpectedClaims } from '../../src/exchange/expected-claims.ts';
import { planToken, type FetchedToken } from '../../src/session/downstream-token.ts';
import { toPrincipal } from '../../src/session/principal.ts';
import { Session } from '../../src/session/session.ts';
import type { TokenRequest } from '../../src/session/token-source.ts';
import { GRAPH } from '../support/token-exchange.ts';

const EXPECTED = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';
const OTHER = EXPECTED.replace('"1"', '"2"');

const { publicKey } = generateKeyPairSync('ed25519');

/** Adele's request for Graph, from whom Graph is known to want claims. */
function newRequest(more: Partial<TokenRequest> = {}): TokenRequest {
  const session = new Session({
    rules: { clockTolerance: 0 },
    principal: toPrincipal({ tid: 'home', oid: 'adele', azp: 'client', scp: 'read' }),
    assertionExpSeconds: 1,
    signingKey: { kid: 'k', publicKey, issuer: undefined, retired: false },
  });
  return { session, assertion: () => '', downstream: GRAPH, claims: '', correlationId: undefined, ...more };
}

/** Asks for a token, and says what the next source was asked for; it refuses so often. */
async function ask(request: TokenRequest, refusals: readonly ExchangeRefused[] = []): Promise<TokenRequest[]> {
  const expected = new ExpectedClaims(() => 0);
  expected.add(request.session.principal, GRAPH.key, EXPECTED);
  const asked: TokenRequest[] = [];
  const next = {
    acquire(question: TokenRequest): Promise<FetchedToken> {
      asked.push(question);
      const refusal = refusals[asked.length - 1];
      const token = planToken('t', 0, { expiresIn: 3_600, refreshIn: undefined });
      return refusal === undefined
        ? Promise.resolve({ token, from: 'entra', correlationId: question.correlationId })
        : Promise.reject(refusal);
    },
  };
  await new ExpectedClaimsTokens(next, expected).acquire(request).catch(() => undefined);
  return asked;
}

const denied = new ExchangeRefused({ ...NOTHING_SAID, class: 'denied' });
const outage = new ExchangeRefused({ ...NOTHING_SAID, class: 'retry' });

describe('claims that a downstream is expected to ask for', () => {
  it.each([
    { when: 'nothing else is wanted', request: {}, refusals: [], asked: [EXPECTED] },
    { when: 'other claims are wanted', request: { claims: OTHER }, refusals: [], asked: [OTHER] },
    { when: 'a token is refreshed', request: { isRefresh: true }, refusals: [], asked: [''] },
    { when: 'Entra refuses them', request: {}, refusals: [denied], asked: [EXPECTED, ''] },
    { when: 'Entra is out of order', request: {}, refusals: [outage], asked: [EXPECTED] },
  ])('when $when: Entra is asked for $asked', async ({ request, refusals, asked }) => {
    expect((await ask(newRequest(request), refusals)).map(({ claims }) => claims)).toEqual(asked);
  });

  it('are tried under one id at Entra with the try without them', async () => {
    const [first, second] = await ask(newRequest(), [denied]);
    expect([first?.correlationId, second?.correlationId]).toEqual([expect.any(String), first?.correlationId]);
  });
});
