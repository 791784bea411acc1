import { generateKeyPairSync } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { startEmulator } from '../../dev/emulator/emulator.ts';
import { DESKTOP_CLIENT_ID, GRAPH_MFA_POLICY_ID, ORDERS_APP_ID, PARTNER_TENANT_ID } from '../../dev/emulator/world.ts';
import { claimsOf, confidentialClient, onBehalfOf, postToken, type Form } from './token-requests.ts';

const emulator = await startEmulator();
afterAll(() => emulator.close());

const good = emulator.issueAccessToken({ user: 'adele' });
const foreignKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

interface Refusal {
  readonly when: string;
  readonly form: Form;
  readonly tenant?: string;
  readonly status?: number;
  readonly code: number;
  readonly error: string;
  readonly suberror?: string;
}

const refusals: Refusal[] = [
  { when: 'no client is named', form: { client_id: undefined }, code: 900144, error: 'invalid_request' },
  {
    when: 'the client is unknown',
    form: { client_id: ORDERS_APP_ID.replace('2', '3') },
    code: 700016,
    error: 'unauthorized_client',
  },
  {
    when: 'there is no credential',
    form: { client_secret: undefined },
    status: 401,
    code: 7000218,
    error: 'invalid_client',
  },
  { when: 'the secret is wrong', form: { client_secret: 'x' }, status: 401, code: 7000215, error: 'invalid_client' },
  {
    when: 'a public client sends a secret',
    form: { client_id: DESKTOP_CLIENT_ID },
    status: 401,
    code: 700025,
    error: 'invalid_client',
  },
  { when: 'the grant type is missing', form: { grant_type: undefined }, code: 900144, error: 'invalid_request' },
  {
    when: 'the grant type is unknown',
    form: { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange' },
    code: 70003,
    error: 'unsupported_grant_type',
  },
  {
    when: 'requested_token_use is missing',
    form: { requested_token_use: undefined },
    code: 900144,
    error: 'invalid_request',
  },
  { when: 'the assertion is missing', form: { assertion: undefined }, code: 900144, error: 'invalid_request' },
  { when: 'the scope is missing', form: { scope: undefined }, code: 900144, error: 'invalid_request' },
  { when: 'the tenant is unknown', form: {}, tenant: 'nowhere.com', code: 90002, error: 'invalid_request' },
  { when: 'the tenant is common', form: {}, tenant: 'common', code: 9001023, error: 'invalid_request' },
  {
    when: 'the assertion is of another tenant',
    form: {},
    tenant: PARTNER_TENANT_ID,
    code: 50013,
    error: 'invalid_grant',
  },
  { when: 'the assertion is not a JWT', form: { assertion: 'x.y' }, code: 50027, error: 'invalid_request' },
  {
    when: 'the assertion is an id_token',
    form: { assertion: emulator.signToken({ aud: 'x', nonce: 'n' }) },
    code: 240002,
    error: 'invalid_request',
  },
  {
    when: 'the key is unknown',
    form: { assertion: emulator.signToken(claimsOf(good), { kid: 'other' }) },
    code: 50013,
    error: 'invalid_grant',
  },
  {
    when: 'the signature is wrong',
    form: { assertion: emulator.signToken(claimsOf(good), {}, foreignKey) },
    code: 50013,
    error: 'invalid_grant',
  },
  {
    when: 'the assertion has expired',
    form: { assertion: emulator.issueAccessToken({ user: 'adele', claims: { exp: 1 } }) },
    code: 500133,
    error: 'invalid_grant',
  },
  {
    when: 'the audience is another API',
    form: { assertion: emulator.issueAccessToken({ user: 'adele', resource: 'graph' }) },
    code: 500131,
    error: 'invalid_grant',
  },
  {
    when: 'the assertion is an app’s',
    form: { assertion: emulator.issueAccessToken({ app: 'daemon' }) },
    code: 7000114,
    error: 'invalid_grant',
  },
  {
    when: 'the account is blocked',
    form: { assertion: emulator.issueAccessToken({ user: 'blocked' }) },
    code: 50057,
    error: 'invalid_grant',
  },
  {
    when: 'the grants are revoked',
    form: { assertion: emulator.issueAccessToken({ user: 'revoked' }) },
    code: 50173,
    error: 'invalid_grant',
    suberror: 'bad_token',
  },
  { when: 'the resource is unknown', form: { scope: 'api://nothing/x' }, code: 500011, error: 'invalid_resource' },
  {
    when: 'the scope is unknown',
    form: { scope: 'https://graph.microsoft.com/Files.Read' },
    code: 70011,
    error: 'invalid_scope',
  },
  {
    when: 'the scopes are of two resources',
    form: { scope: 'User.Read api://orders/.default' },
    code: 70011,
    error: 'invalid_scope',
  },
  {
    when: 'nobody consented',
    form: { assertion: emulator.issueAccessToken({ user: 'newcomer' }) },
    code: 65001,
    error: 'invalid_grant',
    suberror: 'consent_required',
  },
];

describe('an on-behalf-of request is refused', () => {
  it.each(refusals)('when $when', async ({ form, tenant, status = 400, code, error, suberror }) => {
    const answer = await postToken(emulator, onBehalfOf(good, form), tenant === undefined ? {} : { tenant });
    expect({ status: answer.status, ...answer.body }).toMatchObject({
      status,
      error,
      error_codes: [code],
      ...(suberror !== undefined && { suberror }),
    });
  });

  it('for the earliest of several reasons, in the order of Entra', async () => {
    const everythingWrong = onBehalfOf('no token', { client_secret: 'wrong', scope: 'api://nothing/x' });
    const codes = [];
    codes.push((await postToken(emulator, everythingWrong, { tenant: 'common' })).body['error_codes']);
    const withSecret = onBehalfOf('no token', { scope: 'api://nothing/x' });
    codes.push((await postToken(emulator, withSecret, { tenant: 'common' })).body['error_codes']);
    codes.push((await postToken(emulator, withSecret)).body['error_codes']);
    codes.push((await postToken(emulator, onBehalfOf(good, { scope: 'api://nothing/x' }))).body['error_codes']);
    expect(codes).toEqual([[7000215], [9001023], [50027], [500011]]);
  });
});

describe('the error body', () => {
  it('has the members of Entra, and claims as JSON text inside JSON', async () => {
    const assertion = emulator.issueAccessToken({ user: 'megan', amr: ['pwd'] });
    const { body, headers } = await postToken(emulator, onBehalfOf(assertion, { 'client-request-id': 'abc' }));
    expect(body).toMatchObject({
      error: 'invalid_grant',
      suberror: 'basic_action',
      error_codes: [50076],
      correlation_id: 'abc',
      trace_id: headers.get('x-ms-request-id'),
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/),
      error_description: expect.stringMatching(/^AADSTS50076: .* Trace ID: .* Correlation ID: abc Timestamp: /),
      claims: `{"access_token":{"capolids":{"essential":true,"values":["${GRAPH_MFA_POLICY_ID}"]}}}`,
    });
  });
});

describe('MSAL as a middle tier', () => {
  it('gets a v1 token for Graph with the scope it asked for', async () => {
    const scopes = ['https://graph.microsoft.com/User.Read'];
    const result = await confidentialClient(emulator).acquireTokenOnBehalfOf({ oboAssertion: good, scopes });
    expect(claimsOf(result?.accessToken)).toMatchObject({
      ver: '1.0',
      aud: 'https://graph.microsoft.com',
      scp: 'User.Read',
    });
  });

  it('gets a v2 token for Orders with the scopes consented to', async () => {
    const scopes = ['api://orders/.default'];
    const result = await confidentialClient(emulator).acquireTokenOnBehalfOf({ oboAssertion: good, scopes });
    expect(claimsOf(result?.accessToken)).toMatchObject({ ver: '2.0', aud: ORDERS_APP_ID, scp: 'user_impersonation' });
  });

  it('finds the token in its own cache the second time', async () => {
    const client = confidentialClient(emulator);
    const request = { oboAssertion: emulator.issueAccessToken({ user: 'adele' }), scopes: ['api://orders/.default'] };
    await client.acquireTokenOnBehalfOf(request);
    const before = emulator.exchanges.length;
    await client.acquireTokenOnBehalfOf(request);
    expect(emulator.exchanges.length).toBe(before);
  });

  it('is told of a policy by an error that carries the claims', async () => {
    const oboAssertion = emulator.issueAccessToken({ user: 'megan' });
    const request = { oboAssertion, scopes: ['https://graph.microsoft.com/User.Read'] };
    await expect(confidentialClient(emulator).acquireTokenOnBehalfOf(request)).rejects.toMatchObject({
      name: 'InteractionRequiredAuthError',
      subError: 'basic_action',
      claims: expect.stringContaining(GRAPH_MFA_POLICY_ID),
    });
  });

  it('gets the token once the assertion carries MFA', async () => {
    const oboAssertion = emulator.issueAccessToken({ user: 'megan', amr: ['pwd', 'mfa'] });
    const request = { oboAssertion, scopes: ['https://graph.microsoft.com/User.Read'] };
    const result = await confidentialClient(emulator).acquireTokenOnBehalfOf(request);
    expect(claimsOf(result?.accessToken)['amr']).toContain('mfa');
  });
});

describe('revoking a user', () => {
  it('refuses what was issued before and accepts what is issued after', async () => {
    const before = emulator.issueAccessToken({ user: 'guest' });
    emulator.revokeUser('guest');
    const after = emulator.issueAccessToken({ user: 'guest' });
    const codes = await Promise.all([before, after].map((token) => postToken(emulator, onBehalfOf(token))));
    expect(codes.map(({ status, body }) => [status, body['error_codes']])).toEqual([
      [400, [50173]],
      [200, undefined],
    ]);
  });
});

describe('the record of exchanges', () => {
  it('tells what was asked but keeps no secret and no token', async () => {
    await postToken(emulator, onBehalfOf(good, { claims: '{}' }));
    const exchange = emulator.exchanges.at(-1);
    expect(exchange).toMatchObject({ credential: 'secret', claims: '{}', status: 200, subject: claimsOf(good)['oid'] });
    expect(JSON.stringify(exchange)).not.toMatch(/demo-secret|eyJ/);
  });
});
