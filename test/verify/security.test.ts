import { describe, expect, it } from '@jest/globals';
import { missingToken, type FixedAnswer } from './hostile-gateway.ts';
import {
  answerRight,
  invalidToken,
  json,
  refusal,
  smallContract,
  verifySmall,
  type SeenRequest,
} from './small-gateway.ts';

const TOKENS = { VERIFY_USER_TOKEN: 'user', VERIFY_USER_TOKEN_NO_SCOPE: 'scopeless', VERIFY_APP_TOKEN: 'of-a-program' };

/** Verifies a gateway whose `/status` asks for this, and picks the lines about it. */
async function verifyStatus(
  security: readonly object[],
  answerTo: (token: string | undefined) => FixedAnswer,
): Promise<{ code: number; lines: readonly string[] }> {
  const { code, out } = await verifySmall(
    (request: SeenRequest) =>
      request.path === '/status' && request.method !== 'OPTIONS' ? answerTo(request.token) : answerRight(request),
    { contract: withSecurity(security), env: TOKENS },
  );
  return { code, lines: out.filter((line) => line.includes('  getStatus  ') && !line.startsWith('unmet')) };
}

function withSecurity(security: readonly object[]): object {
  const { components, paths } = smallContract;
  const securitySchemes = { ...components.securitySchemes, bearer: { type: 'http', scheme: 'bearer' } };
  const get = { ...paths['/status'].get, security };
  return { ...smallContract, components: { securitySchemes }, paths: { ...paths, '/status': { get } } };
}

const BAD = /^eyJ/;

/** Lets everybody in but who sends a bad token. */
function answerWell(token = ''): FixedAnswer {
  return BAD.test(token) ? invalidToken('/status') : json({});
}

describe('an operation with an optional token', () => {
  const security = [{}, { person: ['Read'] }];

  it('passes where everybody is let in but who sends a bad token', async () => {
    const { lines } = await verifyStatus(security, answerWell);
    expect(lines).toEqual([
      'pass  getStatus  without a token',
      'pass  getStatus  with a bad token',
      'pass  getStatus  without the scope',
      'pass  getStatus  as an app',
      'pass  getStatus  well',
      'pass  getStatus  as HEAD',
    ]);
  });

  it.each<[string, string, (token: string | undefined) => FixedAnswer, string]>([
    [
      'without a token',
      'are refused',
      (token) => (token === undefined ? missingToken('/status') : answerWell(token)),
      'expected a success, got 401 missing_token',
    ],
    ['with a bad token', 'are let in', () => json({}), 'expected 401 invalid_token, got 200 application/json'],
    [
      'without the scope',
      'are refused',
      (token) => (token === 'scopeless' ? refusal('/status', 403, 'insufficient_scope') : answerWell(token)),
      'expected a success, got 403 insufficient_scope',
    ],
  ])('fails where callers %s %s', async (name, _what, answerTo, sentence) => {
    const { code, lines } = await verifyStatus(security, answerTo);
    expect(lines.find((line) => line.startsWith(`FAIL  getStatus  ${name}`))).toContain(sentence);
    expect(code).toBe(1);
  });
});

describe('an operation for everyone with a token', () => {
  it('has no case without the scope, because none is asked for', async () => {
    const { lines } = await verifyStatus([{ bearer: [] }], (token = '') =>
      token === '' ? missingToken('/status') : BAD.test(token) ? invalidToken('/status') : json({}),
    );
    expect(lines.filter((line) => line.includes('without the scope'))).toEqual([]);
    expect(lines).toContain('pass  getStatus  without a token');
    expect(lines).toContain('pass  getStatus  well');
  });
});

describe('an operation with several ways in', () => {
  const ways = [{ person: ['Read', 'Write'] }, { person: ['All'] }];

  it.each([
    ['Read Write', 'pass  getStatus  without the scope'],
    ['All', 'pass  getStatus  without the scope'],
    [
      'Read',
      'FAIL  getStatus  without the scope  (expected the challenge to name the scopes of the operation, got Read)',
    ],
  ])('may name any of them to who lacks all, whole: %s', async (scope, told) => {
    const contract = withSecurity(ways) as { components: { securitySchemes: { person: object } } };
    const flows = {
      authorizationCode: {
        ...smallContract.components.securitySchemes.person.flows.authorizationCode,
        scopes: { Read: 'Look', Write: 'Change', All: 'Everything' },
      },
    };
    Object.assign(contract.components.securitySchemes.person, { flows });
    const { out } = await verifySmall(
      (request) =>
        request.path === '/status' && request.token === 'scopeless' ? lacking(scope) : answerRight(request),
      { contract, env: TOKENS },
    );
    expect(out).toContain(told);
  });
});

function lacking(scope: string): FixedAnswer {
  const [challenge = ''] = [missingToken('/').headers['www-authenticate']].flat().map(String);
  const named = challenge.replace('client_id="c"', `client_id="c", error="insufficient_scope", scope="${scope}"`);
  return refusal('/status', 403, 'insufficient_scope', { 'www-authenticate': named });
}
