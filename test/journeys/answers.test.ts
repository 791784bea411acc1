import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { GATEWAY_CLIENT_ID, ORDERS_APP_ID, PARTNER_TENANT_ID } from '../../dev/emulator/world.ts';
import { answerChallenge } from '../support/gateway-downstream.ts';
import { scope } from '../support/gateway-contract.ts';
import { readChallenge, readProblem, startGatewayWorld } from '../support/gateway-world.ts';

const world = await startGatewayWorld();
const { emulator, downstream } = world;
const strict = await startGatewayWorld({
  emulator,
  identity: { allowedClients: ['11111111-2222-3333-4444-555555555555'] },
});
const consents = [...emulator.world.consents];
const policies = structuredClone(emulator.world.policies);

afterAll(async () => {
  await strict.close();
  await world.close();
});
afterEach(() => {
  emulator.resetSwitches();
  downstream.reset();
  Object.assign(emulator.world, { consents: [...consents], policies: structuredClone(policies) });
});

/** Entra refuses the next exchanges, with a text that nobody may see. */
function refuse(error: string, code: number, more: object = {}): void {
  const description = `AADSTS${code}: text of Entra that only operators of Entra see. Trace ID: 1`;
  emulator.switches.refuse = { error, error_codes: [code], description, ...more };
}

function callMe(token = world.token('adele')): Promise<Response> {
  return world.call('/me', { token });
}

function withHeader(authorization: string, path = '/me'): Promise<Response> {
  return world.call(path, { headers: { authorization } });
}

interface Row {
  readonly what: string;
  readonly call: () => Promise<Response>;
  readonly status: number;
  readonly code: string;
  /** The parameters between `client_id` and `resource_metadata`, and what follows; `undefined` is no challenge. */
  readonly challenge?: readonly (readonly [string, string])[];
}

const profile = ['scope', scope('Profile.Read')] as const;
const invalidToken = [['error', 'invalid_token'], profile] as const;
const invalidRequest = [['error', 'invalid_request']] as const;
const claims = '{"access_token":{"capolids":{"essential":true,"values":["a"]}}}';

const rows: readonly Row[] = [
  {
    what: 'there is no token',
    call: () => world.call('/me'),
    status: 401,
    code: 'missing_token',
    challenge: [profile],
  },
  {
    what: 'the scheme is another',
    call: () => withHeader('Basic YTpi'),
    status: 401,
    code: 'missing_token',
    challenge: [profile],
  },
  {
    what: 'the token is in the query only',
    call: () => world.call(`/me?access_token=${world.token('adele')}`),
    status: 401,
    code: 'missing_token',
    challenge: [profile],
  },
  {
    what: 'the token is in a form only',
    call: () =>
      world.call('/upload', { method: 'PUT', body: new URLSearchParams({ access_token: world.token('adele') }) }),
    status: 401,
    code: 'missing_token',
    challenge: [['scope', scope('Orders.ReadWrite')]],
  },
  ...['Bearer', 'Bearer a b', 'Bearer a,b', 'Bearer {}'].map((header) => ({
    what: `the header is "${header}"`,
    call: () => withHeader(header),
    status: 400,
    code: 'invalid_request',
    challenge: invalidRequest,
  })),
  {
    what: 'a token is in the header and another in the query',
    call: () => world.call('/me?access_token=x', { token: world.token('adele') }),
    status: 400,
    code: 'invalid_request',
    challenge: invalidRequest,
  },
  ...[
    { what: 'the token is no JWT', token: () => 'abc' },
    { what: 'the token expired', token: () => world.token('adele', { claims: { exp: 1_700_000_000 } }) },
    { what: 'the token is not valid yet', token: () => world.token('adele', { claims: { nbf: 4_000_000_000 } }) },
    { what: 'the token is for another API', token: () => world.token('adele', { resource: 'graph' }) },
    { what: 'the token is of another tenant', token: () => world.token('guest', { tenant: PARTNER_TENANT_ID }) },
    { what: 'the issuer is another', token: () => world.token('adele', { claims: { iss: 'https://evil.example/' } }) },
    { what: 'the token is not signed', token: () => emulator.signToken({}, { alg: 'none' }) },
    { what: 'the public key is the HMAC secret', token: () => emulator.signToken({}, { alg: 'HS256' }) },
    { what: 'the signature is cut', token: () => world.token('adele').slice(0, -4) },
    {
      what: 'it is an ID token',
      token: () => world.token('adele', { claims: { scp: undefined, azp: undefined, nonce: 'n' } }),
    },
    { what: 'there is neither scp nor roles', token: () => emulator.issueAccessToken({ app: 'daemon', roles: [] }) },
  ].map(({ what, token }) => ({
    what,
    call: () => callMe(token()),
    status: 401,
    code: 'invalid_token',
    challenge: invalidToken,
  })),
  {
    what: 'a scope is missing',
    call: () => callMe(world.token('adele', { scopes: ['Orders.Read'] })),
    status: 403,
    code: 'insufficient_scope',
    challenge: [
      ['error', 'insufficient_scope'],
      ['scope', scope('Profile.Read')],
    ],
  },
  {
    what: 'an app calls an operation for people',
    call: () => callMe(emulator.issueAccessToken({ app: 'daemon' })),
    status: 403,
    code: 'insufficient_scope',
    challenge: [
      ['error', 'insufficient_scope'],
      ['scope', scope('Profile.Read')],
    ],
  },
  {
    what: 'an app lacks the role',
    call: () => world.call('/orders', { token: emulator.issueAccessToken({ app: 'daemon', roles: ['Other.Role'] }) }),
    status: 403,
    code: 'insufficient_scope',
    challenge: [
      ['error', 'insufficient_scope'],
      ['scope', 'Orders.Read.All'],
    ],
  },
  {
    what: 'Entra wants interaction and gives claims',
    call: () => (refuse('interaction_required', 50076, { claims, suberror: 'basic_action' }), callMe()),
    status: 401,
    code: 'insufficient_claims',
    challenge: [
      ['error', 'insufficient_claims'],
      ['claims', Buffer.from(claims).toString('base64')],
    ],
  },
  {
    what: 'Entra wants interaction and gives no claims',
    call: () => (refuse('invalid_grant', 50076, { suberror: 'basic_action' }), callMe()),
    status: 401,
    code: 'interaction_required',
    challenge: [['error', 'invalid_token']],
  },
  {
    what: 'Entra has only a message for the user',
    call: () => (refuse('invalid_grant', 53003, { suberror: 'message_only' }), callMe()),
    status: 403,
    code: 'access_denied',
  },
  ...[50173, 50013, 700082, 70043].map((code) => ({
    what: `the assertion is no longer good (${code})`,
    call: () => (refuse('invalid_grant', code), callMe()),
    status: 401,
    code: 'invalid_token',
    challenge: invalidToken,
  })),
  {
    what: 'the assertion is no longer good and there are claims',
    call: () => (refuse('invalid_grant', 50173, { claims }), callMe()),
    status: 401,
    code: 'insufficient_claims',
    challenge: [
      ['error', 'insufficient_claims'],
      ['claims', Buffer.from(claims).toString('base64')],
    ],
  },
  {
    what: 'nobody consented',
    call: () => callMe(world.token('newcomer')),
    status: 403,
    code: 'consent_required',
    challenge: [
      ['error', 'consent_required'],
      ['scope', 'https://graph.microsoft.com/User.Read'],
    ],
  },
  { what: 'the account is blocked', call: () => callMe(world.token('blocked')), status: 403, code: 'access_denied' },
  {
    what: 'the secret of the gateway expired',
    call: () => ((emulator.switches.secretExpired = true), callMe()),
    status: 500,
    code: 'gateway_misconfigured',
  },
  {
    what: 'the registration of the gateway is wrong',
    call: () => (refuse('invalid_grant', 500131), callMe()),
    status: 500,
    code: 'gateway_misconfigured',
  },
  ...(['throttled', 'html503', 'json500', 'empty200', 'garbage', 'reset'] as const).map((outage) => ({
    what: `Entra is ${outage}`,
    call: () => ((emulator.switches.entra = outage), callMe()),
    status: 503,
    code: 'identity_unavailable',
  })),
  {
    what: 'the downstream refuses our token without claims',
    call: () => ((downstream.answer = answerChallenge('Bearer realm="x"', 'Basic realm="y"')), callMe()),
    status: 502,
    code: 'downstream_rejected_token',
  },
  {
    what: 'the downstream cannot be reached',
    call: () => world.call('/gone'),
    status: 502,
    code: 'downstream_unreachable',
  },
  {
    what: 'the downstream is too slow',
    call: () => ((downstream.answer = () => undefined), world.call('/hasty')),
    status: 504,
    code: 'downstream_timeout',
  },
  { what: 'there is no such path', call: () => world.call('/nowhere'), status: 404, code: 'not_found' },
  {
    what: 'the method is wrong',
    call: () => world.call('/me', { method: 'DELETE' }),
    status: 405,
    code: 'method_not_allowed',
  },
  {
    what: 'the JSON body does not fit',
    call: () =>
      world.call('/orders', {
        method: 'POST',
        token: world.token('adele'),
        headers: { 'content-type': 'application/json' },
        body: '{}',
      }),
    status: 400,
    code: 'invalid_request',
  },
];

describe('what does a caller hear when', () => {
  it.each(rows)('$what', async ({ call, status, code, challenge }) => {
    const response = await call();
    const text = await response.clone().text();
    const problem = await readProblem(response);
    expect([response.status, problem.status, problem.code]).toEqual([status, status, code]);
    expect(problem.type).toBe(`urn:obo-gateway:problem:${code}`);
    expect(problem.requestId).toBe(response.headers.get('x-request-id'));
    expect(problem.instance).toMatch(/^\/[a-z]+$/);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('retry-after')).toEqual(status === 503 ? expect.stringMatching(/^\d+$/) : null);
    expect(readChallenge(response)).toEqual(challenge === undefined ? [] : expectedChallenge(challenge));
    expect(text).not.toMatch(/AADSTS|text of Entra|eyJ0|ECONN|Trace ID|demo-secret/);
    expect(text).not.toContain(`:${downstream.port}`);
  });

  it('a client that is not on the list calls, which is no matter of tokens', async () => {
    const response = await strict.call('/me', { token: strict.token('adele') });
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([403, null]);
    expect(await readProblem(response)).toMatchObject({ code: 'access_denied' });
  });

  it('the exact bytes of a challenge are asked for', async () => {
    const response = await callMe(world.token('adele', { scopes: ['Orders.Read'] }));
    expect(response.headers.get('www-authenticate')).toBe(
      `Bearer realm="", authorization_uri="${emulator.origin}/common/oauth2/v2.0/authorize", ` +
        `client_id="${GATEWAY_CLIENT_ID}", error="insufficient_scope", scope="${scope('Profile.Read')}", ` +
        `resource_metadata="${world.url}/.well-known/oauth-protected-resource"`,
    );
  });

  it('Entra says how long to wait', async () => {
    Object.assign(emulator.switches, { entra: 'throttled', retryAfter: '17' });
    expect((await callMe()).headers.get('retry-after')).toBe('17');
  });

  it('a path has other methods', async () => {
    const response = await world.call('/orders', { method: 'PATCH' });
    expect(response.headers.get('allow')?.split(', ').toSorted()).toEqual(['GET', 'HEAD', 'POST']);
  });

  it('each fault of a request is listed', async () => {
    const response = await world.call('/orders', {
      method: 'POST',
      token: world.token('adele'),
      headers: { 'content-type': 'application/json' },
      body: '{"customer": 7}',
    });
    expect((await readProblem(response)).errors).toEqual([expect.objectContaining({ pointer: '/customer' })]);
  });

  it('Entra names a suberror', async () => {
    refuse('invalid_grant', 50076, { suberror: 'basic_action' });
    expect(await readProblem(await callMe())).toMatchObject({ suberror: 'basic_action' });
  });
});

describe('what does the log keep of a refusal', () => {
  it('the code, the class and a remedy, and nothing of Entra’s text', async () => {
    refuse('invalid_grant', 65001);
    const response = await callMe();
    const line = await world.log.of(response.headers.get('x-request-id'));
    expect(line).toMatchObject({
      level: 'info',
      code: 'consent_required',
      correlationId: emulator.exchanges.at(-1)?.form['client-request-id'],
      entra: { class: 'consent', codes: ['AADSTS65001'], traceId: expect.any(String) },
      remedy: expect.any(String),
    });
    expect(world.log.text).not.toContain('text of Entra');
  });

  it('an error for what the operator has to fix', async () => {
    emulator.switches.secretExpired = true;
    const response = await callMe();
    expect(await world.log.of(response.headers.get('x-request-id'))).toMatchObject({
      level: 'error',
      remedy: expect.stringContaining('Correct'),
    });
  });

  it('no token, secret, query or text of anybody', () => {
    // The claims of a challenge have a member of that name.
    expect(world.log.text).not.toMatch(/eyJ|demo-secret|access_token(?!\\":\{)|text of Entra|Trace ID/);
    expect(world.log.text).not.toContain(ORDERS_APP_ID);
  });
});

function isClaims([name]: readonly [string, string]): boolean {
  return name === 'claims';
}

/** The whole challenge around what is special to one failure. */
function expectedChallenge(middle: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  return [
    ['realm', ''],
    ['authorization_uri', `${emulator.origin}/common/oauth2/v2.0/authorize`],
    ['client_id', GATEWAY_CLIENT_ID],
    ...middle.filter((parameter) => !isClaims(parameter)),
    ['resource_metadata', `${world.url}/.well-known/oauth-protected-resource`],
    ...middle.filter(isClaims),
  ];
}
