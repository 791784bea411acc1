import { afterAll, describe, expect, it } from '@jest/globals';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { listenOnLoopback } from '../../dev/loopback-server.ts';
import { readBearerToken } from '../../src/auth/bearer-token.ts';
import { FAILURES, GatewayError } from '../../src/failures.ts';
import { send } from '../support/token-gate.ts';

const found: string[] = [];
const server = await listenOnLoopback({}, () => (req, res) => {
  try {
    found.push(readBearerToken(req));
  } catch (error) {
    found.push(error instanceof GatewayError ? `<${error.rule.status} ${error.code}>` : String(error));
  }
  res.end();
});
afterAll(() => server.close());

/** What is read from a real request with these headers. */
async function read(headers: OutgoingHttpHeaders, path = '/orders'): Promise<string | undefined> {
  await send(server.origin, path, headers);
  return found.at(-1);
}

const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl_-';

describe('a token is taken from', () => {
  it.each([
    ['the usual header', `Bearer ${JWT}`, JWT],
    ['a scheme in small letters', `bearer ${JWT}`, JWT],
    ['a scheme in capitals', `BEARER ${JWT}`, JWT],
    ['a header with several spaces after the scheme', `Bearer    ${JWT}`, JWT],
    ['a header with spaces around it', `  Bearer ${JWT}  `, JWT],
    ['every character that RFC 6750 allows', 'Bearer aZ09-._~+/==', 'aZ09-._~+/=='],
  ])('%s', async (_where, authorization, token) => {
    expect(await read({ authorization })).toBe(token);
  });

  it('the header also when the query has parameters of other names', async () => {
    expect(await read({ authorization: `Bearer ${JWT}` }, '/orders?my_access_token=1&x=access_token')).toBe(JWT);
  });
});

describe('a request counts as one without a token', () => {
  it.each([
    ['no header', {}],
    ['an empty header', { authorization: '' }],
    ['Basic', { authorization: 'Basic dXNlcjpwYXNz' }],
    ['DPoP', { authorization: `DPoP ${JWT}` }],
    ['PoP', { authorization: `PoP ${JWT}` }],
    ['a token without a scheme', { authorization: JWT }],
    ['a scheme that only begins with Bearer', { authorization: `BearerX ${JWT}` }],
    ['a token in Proxy-Authorization', { 'proxy-authorization': `Bearer ${JWT}` }],
    ['a token in a cookie', { cookie: `access_token=${JWT}` }],
  ])('with %s', async (_what, headers) => {
    expect(await read(headers)).toBe('<401 missing_token>');
  });

  it('with a token only in the query', async () => {
    expect(await read({}, `/orders?access_token=${JWT}`)).toBe('<401 missing_token>');
  });
});

describe('the header is not one token', () => {
  it.each([
    ['the scheme alone', 'Bearer'],
    ['the scheme and a space', 'Bearer '],
    ['two tokens between spaces', `Bearer ${JWT} ${JWT}`],
    ['two tokens between commas', `Bearer ${JWT},${JWT}`],
    ['two schemes', `Bearer ${JWT}, Basic dXNlcjpwYXNz`],
    ['the scheme twice', `Bearer Bearer ${JWT}`],
    ['a token in quotes', `Bearer "${JWT}"`],
    ['a parameter', `Bearer token=${JWT}`],
    ['padding in the middle', 'Bearer abc=def'],
    ['padding alone', 'Bearer =='],
    ['a letter outside ASCII', 'Bearer t\u00f6ken'],
    ['a tab inside', 'Bearer abc\tdef'],
    ['a space that is none of ASCII', `Bearer ${JWT}\u00a0`],
  ])('%s', async (_what, authorization) => {
    expect(await read({ authorization })).toBe('<400 invalid_request>');
  });

  it.each(['/orders?access_token=abc', '/orders?x=1&access_token=abc', '/orders?access_token='])(
    'a second one stands in the query: %s',
    async (path) => {
      expect(await read({ authorization: `Bearer ${JWT}` }, path)).toBe('<400 invalid_request>');
    },
  );
});

it.each([
  ['spaces', ' '],
  ['letters', 'a'],
  ['padding', '='],
])('a million %s before a mark take linear time', async (_what, filler) => {
  const authorization = `Bearer ${filler.repeat(1_000_000)}!`;
  const request = { headers: { authorization } } as IncomingMessage;
  expect(() => readBearerToken(request)).toThrow(expect.objectContaining({ rule: FAILURES.malformed_authorization }));
  // Had it taken so long, Jest's timeout would come first.
  await setTimeout(0);
});
