import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { startEmulator } from '../../dev/emulator/emulator.ts';
import { GRAPH_MFA_POLICY_ID, STOREFRONT_CLIENT_ID } from '../../dev/emulator/world.ts';
import { EVERYTHING, NATIVE_SCOPE, NativeClient } from './native-requests.ts';
import { claimsOf, onBehalfOf, postToken, type TokenAnswer } from './token-requests.ts';

const emulator = await startEmulator();
const client = new NativeClient(emulator);
afterAll(() => emulator.close());
afterEach(() => {
  for (const user of emulator.world.users) {
    user.canDoMfa = user.alias === 'megan';
  }
});

const ADELE = 'adele@contoso.com';
const MEGAN = 'megan@contoso.com';
const CODY = 'cody@contoso.com';
const ADELES_PASSWORD = 'demo-password-of-adele';
const MEGANS_PASSWORD = { grant_type: 'password', password: 'demo-password-of-megan' };
const POLICY_CLAIMS = `{"access_token":{"capolids":{"essential":true,"values":["${GRAPH_MFA_POLICY_ID}"]}}}`;
const CONTEXT_CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';

/** Megan's password is taken, and the client knows which second factors she has. */
async function walkToSecondFactor(claims: string): Promise<[refused: TokenAnswer, methods: TokenAnswer]> {
  const refused = await client.redeem(await client.startSignIn(MEGAN), { ...MEGANS_PASSWORD, claims });
  return [refused, await client.walk(refused, ['oauth2/v2.0/introspect'])];
}

describe('signing in with a password', () => {
  it('gives all the tokens that the library demands', async () => {
    const challenge = await client.startSignIn(ADELE);
    const { status, headers, body } = await client.redeem(challenge, {
      grant_type: 'password',
      password: ADELES_PASSWORD,
    });
    expect([challenge.body['challenge_type'], status, headers.get('x-ms-request-id'), body]).toEqual([
      'password',
      200,
      expect.stringMatching(/^[0-9a-f-]{36}$/),
      {
        token_type: 'Bearer',
        scope: expect.stringContaining('openid'),
        expires_in: 3600,
        ext_expires_in: 3600,
        access_token: expect.any(String),
        refresh_token: expect.any(String),
        id_token: expect.any(String),
        client_info: expect.any(String),
      },
    ]);
  });

  it('gives an access token that the gateway can exchange', async () => {
    const { body } = await client.redeem(await client.startSignIn(ADELE), {
      grant_type: 'password',
      password: ADELES_PASSWORD,
    });
    const exchanged = await postToken(emulator, onBehalfOf(String(body['access_token'])));
    expect([claimsOf(body['access_token']), exchanged.status]).toEqual([
      expect.objectContaining({ azp: STOREFRONT_CLIENT_ID, scp: 'Orders.Read', amr: ['pwd'] }),
      200,
    ]);
  });

  it('lets a person who mistyped try again with the same continuation token, which then is used up', async () => {
    const challenge = await client.startSignIn(ADELE);
    const attempts = [];
    for (const password of ['wrong', ADELES_PASSWORD, ADELES_PASSWORD]) {
      attempts.push((await client.redeem(challenge, { grant_type: 'password', password })).body['error_codes']);
    }
    expect(attempts).toEqual([[50126], undefined, [55200]]);
  });

  it('gives a refresh token that works without Origin, which a proxy takes away', async () => {
    const { body } = await client.redeem(await client.startSignIn(ADELE), {
      grant_type: 'password',
      password: ADELES_PASSWORD,
    });
    const renewed = await client.post('oauth2/v2.0/token', {
      grant_type: 'refresh_token',
      refresh_token: String(body['refresh_token']),
      scope: NATIVE_SCOPE,
    });
    expect([renewed.status, claimsOf(renewed.body['access_token'])['amr']]).toEqual([200, ['pwd']]);
  });

  it('keeps what is secret out of the records', async () => {
    const challenge = await client.startSignIn(ADELE);
    await client.redeem(challenge, { grant_type: 'password', password: ADELES_PASSWORD, oob: '123' });
    expect(Object.keys(emulator.exchanges.at(-1)?.form ?? {})).toEqual([
      'client_id',
      'scope',
      'client_info',
      'grant_type',
    ]);
  });
});

describe('signing in with a one-time code', () => {
  it('says where the code went without telling the whole address', async () => {
    const { body } = await client.startSignIn(CODY, { challenge_type: 'oob redirect' });
    expect(body).toEqual({
      continuation_token: expect.any(String),
      challenge_type: 'oob',
      binding_method: 'prompt',
      challenge_channel: 'email',
      challenge_target_label: 'c***y@co**.com',
      code_length: 8,
      interval: 300,
    });
  });

  it.each([
    { when: 'the code is right', change: (code: string) => code, expected: [200, undefined] },
    { when: 'the code is wrong', change: (code: string) => `${code}0`, expected: [400, 'invalid_oob_value'] },
    { when: 'there is no code', change: () => undefined, expected: [400, 'invalid_oob_value'] },
  ])('answers $expected.0 when $when', async ({ change, expected }) => {
    const challenge = await client.startSignIn(CODY);
    const oob = change(await client.readCode('cody'));
    const { status, body } = await client.redeem(challenge, { grant_type: 'oob', oob });
    expect([status, body['suberror']]).toEqual(expected);
  });

  it('sends another code when asked, and forgets the first', async () => {
    const first = await client.startSignIn(CODY);
    const firstCode = await client.readCode('cody');
    const second = await client.walk(first, ['oauth2/v2.0/challenge']);
    const stale = await client.redeem(second, { grant_type: 'oob', oob: firstCode });
    const fresh = await client.redeem(second, { grant_type: 'oob', oob: await client.readCode('cody') });
    expect([stale.body['error_codes'], claimsOf(fresh.body['access_token'])['amr']]).toEqual([[50181], ['otp']]);
  });
});

describe('signing in with a second factor', () => {
  it('is asked for where the claims of a challenge want it, and satisfies the policy behind it', async () => {
    const [refused, methods] = await walkToSecondFactor(POLICY_CLAIMS);
    const [method] = methods.body['methods'] as { id: string }[];
    const challenge = await client.walk(methods, [
      'oauth2/v2.0/challenge',
      { id: method?.id, challenge_type: 'oob redirect' },
    ]);
    const { body } = await client.redeem(challenge, {
      grant_type: 'mfa_oob',
      oob: await client.readCode('megan'),
      claims: POLICY_CLAIMS,
    });
    const exchanged = await postToken(emulator, onBehalfOf(String(body['access_token'])));
    expect([refused.body, method, claimsOf(body['access_token'])['amr'], exchanged.status]).toEqual([
      expect.objectContaining({ error: 'invalid_grant', suberror: 'mfa_required', error_codes: [50076] }),
      expect.objectContaining({ challenge_type: 'oob', challenge_channel: 'email', login_hint: 'm***n@co**.com' }),
      ['pwd', 'mfa'],
      200,
    ]);
  });

  it('brings the authentication context that was asked for', async () => {
    const [, methods] = await walkToSecondFactor(CONTEXT_CLAIMS);
    const challenge = await client.walk(methods, ['oauth2/v2.0/challenge']);
    const oob = await client.readCode('megan');
    const { body } = await client.redeem(challenge, { grant_type: 'mfa_oob', oob, claims: CONTEXT_CLAIMS });
    expect(claimsOf(body['access_token'])['acrs']).toEqual(['c1']);
  });

  it('cannot be one that the person does not have', async () => {
    const [, methods] = await walkToSecondFactor(POLICY_CLAIMS);
    const { body } = await client.walk(methods, ['oauth2/v2.0/challenge', { id: 'sms' }]);
    expect(body['error_codes']).toEqual([90100]);
  });

  it('is not needed without a policy', async () => {
    const { status } = await client.redeem(await client.startSignIn(MEGAN), MEGANS_PASSWORD);
    expect(status).toBe(200);
  });
});

describe('registering a second factor', () => {
  it.each([
    { alias: 'adele', target: ADELE, type: 'preverified', grant: () => ({ grant_type: 'continuation_token' }) },
    {
      alias: 'revoked',
      target: 'rafael@home.example',
      type: 'oob',
      grant: (oob: string) => ({ grant_type: 'oob', oob }),
    },
  ])('with $target is answered $type, and then counts as MFA', async ({ alias, target, type, grant }) => {
    const refused = await client.redeem(await client.startSignIn(`${alias}@contoso.com`), {
      grant_type: 'password',
      password: `demo-password-of-${alias}`,
      claims: POLICY_CLAIMS,
    });
    const challenge = await client.walk(
      refused,
      ['register/v1.0/introspect'],
      ['register/v1.0/challenge', { challenge_type: 'oob', challenge_channel: 'email', challenge_target: target }],
    );
    const proof = grant(await client.readCode(target));
    const registered = await client.walk(challenge, ['register/v1.0/continue', proof]);
    const { body } = await client.redeem(registered, { grant_type: 'continuation_token', claims: POLICY_CLAIMS });
    expect([
      refused.body['suberror'],
      challenge.body['challenge_type'],
      claimsOf(body['access_token'])['amr'],
      emulator.world.users.find((user) => user.alias === alias)?.mfaEmail,
    ]).toEqual(['registration_required', type, ['pwd', 'mfa'], target]);
  });
});

describe('the fallback to the browser', () => {
  it.each([
    { who: ADELE, can: { challenge_type: 'oob redirect' }, reason: 'Client is missing password challenge type' },
    { who: ADELE, can: { challenge_type: 'redirect' }, reason: 'Client is missing password challenge type' },
    { who: CODY, can: { challenge_type: 'password redirect' }, reason: 'Client is missing oob challenge type' },
    { who: 'guest@fabrikam.com', can: EVERYTHING, reason: 'The user signs in at another identity provider' },
  ])('is answered to a client that can do $can.challenge_type for $who', async ({ who, can, reason }) => {
    const { status, body } = await client.post('oauth2/v2.0/initiate', { username: who, ...can });
    expect([status, body]).toEqual([200, { challenge_type: 'redirect', redirect_reason: reason }]);
  });

  it('is answered when a later call declares less', async () => {
    const { body } = await client.walk(
      undefined,
      ['oauth2/v2.0/initiate', { username: ADELE, ...EVERYTHING }],
      ['oauth2/v2.0/challenge', { challenge_type: 'oob redirect' }],
    );
    expect(body['challenge_type']).toBe('redirect');
  });

  it.each([
    { who: 'megan', can: 'registration_required', reason: 'Client is missing mfa_required capability' },
    { who: 'adele', can: 'mfa_required', reason: 'Client is missing registration_required capability' },
    { who: 'adele', can: undefined, reason: 'Client is missing registration_required capability' },
  ])('is answered at the token endpoint when $who needs more than $can', async ({ who, can, reason }) => {
    const declared = { challenge_type: 'oob password redirect', capability: can };
    const challenge = await client.startSignIn(`${who}@contoso.com`, declared);
    const password = `demo-password-of-${who}`;
    const { status, body } = await client.redeem(challenge, {
      grant_type: 'password',
      password,
      claims: POLICY_CLAIMS,
    });
    expect([status, body]).toEqual([200, { challenge_type: 'redirect', redirect_reason: reason }]);
  });

  it('is answered to somebody whose only factor is a code by email', async () => {
    const challenge = await client.startSignIn(CODY);
    const oob = await client.readCode('cody');
    const { body } = await client.redeem(challenge, { grant_type: 'oob', oob, claims: POLICY_CLAIMS });
    expect(body['challenge_type']).toBe('redirect');
  });

  it('is not needed by a client that names its capabilities as the documentation does', async () => {
    const declared = { challenge_type: 'oob password redirect', capability: 'registration_required,mfa_required' };
    const challenge = await client.startSignIn(MEGAN, declared);
    const { body } = await client.redeem(challenge, { ...MEGANS_PASSWORD, claims: POLICY_CLAIMS });
    expect(body['suberror']).toBe('mfa_required');
  });
});
