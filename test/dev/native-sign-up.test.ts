import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { startEmulator } from '../../dev/emulator/emulator.ts';
import { STOREFRONT_CLIENT_ID } from '../../dev/emulator/world.ts';
import { EVERYTHING, NativeClient } from './native-requests.ts';
import { claimsOf, type Form } from './token-requests.ts';

const emulator = await startEmulator();
const client = new NativeClient(emulator);
const shop = emulator.world.apps.find(({ clientId }) => clientId === STOREFRONT_CLIENT_ID)?.nativeAuthentication;
afterAll(() => emulator.close());
afterEach(() => {
  if (shop) {
    shop.signUpWith = 'password';
  }
});

const NAME = { attributes: '{"displayName":"Sam Signup"}' };
const PASSWORD = 'Bicycle-Ride-7';

/** A name that nobody has yet. */
const nextName = (() => {
  let count = 0;
  return () => `sam${(count += 1)}@home.example`;
})();

async function signUp(username: string, form: Form = {}): Promise<ReturnType<NativeClient['walk']>> {
  const start: [string, Form] = ['signup/v1.0/start', { username, ...EVERYTHING, ...form }];
  const challenge = await client.walk(undefined, start, ['signup/v1.0/challenge']);
  return client.walk(challenge, ['signup/v1.0/continue', { grant_type: 'oob', oob: await client.readCode(username) }]);
}

describe('signing up', () => {
  it('with everything at once needs but the code, and ends signed in', async () => {
    const username = nextName();
    const done = await signUp(username, { password: PASSWORD, ...NAME });
    const { body } = await client.redeem(done, { grant_type: 'continuation_token', username });
    expect([done.status, claimsOf(body['id_token'])]).toEqual([
      200,
      expect.objectContaining({ name: 'Sam Signup', preferred_username: username }),
    ]);
  });

  it('asks step by step for what is missing', async () => {
    const username = nextName();
    const codeTaken = await signUp(username);
    const challenge = await client.walk(codeTaken, ['signup/v1.0/challenge']);
    const passwordTaken = await client.walk(challenge, [
      'signup/v1.0/continue',
      { grant_type: 'password', password: PASSWORD },
    ]);
    const done = await client.walk(passwordTaken, ['signup/v1.0/continue', { grant_type: 'attributes', ...NAME }]);
    expect([codeTaken.body, challenge.body, passwordTaken.body, done.status]).toEqual([
      expect.objectContaining({ error: 'credential_required', error_codes: [55103] }),
      { challenge_type: 'password', continuation_token: expect.any(String) },
      expect.objectContaining({
        error: 'attributes_required',
        error_codes: [55106],
        required_attributes: [{ name: 'displayName', type: 'string', required: true, options: { regex: '^.{1,64}$' } }],
      }),
      200,
    ]);
  });

  it('with the chosen password is followed by signing in with it', async () => {
    const username = nextName();
    await signUp(username, { password: PASSWORD, ...NAME });
    const challenge = await client.startSignIn(username);
    const { status } = await client.redeem(challenge, { grant_type: 'password', password: PASSWORD });
    expect(status).toBe(200);
  });

  it('to an app whose people get codes asks for no password', async () => {
    if (shop) {
      shop.signUpWith = 'emailCode';
    }
    const username = nextName();
    const done = await signUp(username, { challenge_type: 'oob redirect', ...NAME });
    const { body } = await client.redeem(done, { grant_type: 'continuation_token', username });
    const again = await client.startSignIn(username);
    expect([claimsOf(body['access_token'])['amr'], again.body['challenge_type']]).toEqual([['otp'], 'oob']);
  });

  it.each(['password redirect', 'oob redirect'])('falls back to the browser for a client with %s', async (types) => {
    const form = { username: nextName(), challenge_type: types };
    const { status, body } = await client.post('signup/v1.0/start', form);
    expect([status, body['challenge_type']]).toEqual([200, 'redirect']);
  });

  it('takes a code once', async () => {
    const username = nextName();
    const start: [string, Form] = ['signup/v1.0/start', { username, password: PASSWORD, ...NAME, ...EVERYTHING }];
    const challenge = await client.walk(undefined, start, ['signup/v1.0/challenge']);
    const code = { grant_type: 'oob', oob: await client.readCode(username) };
    const first = await client.walk(challenge, ['signup/v1.0/continue', code]);
    const second = await client.walk(challenge, ['signup/v1.0/continue', code]);
    expect([first.status, second.body['error_codes']]).toEqual([200, [55200]]);
  });

  it('makes one account of two that were begun with one name', async () => {
    const username = nextName();
    const start: [string, Form] = ['signup/v1.0/start', { username, password: PASSWORD, ...NAME, ...EVERYTHING }];
    const slow = await client.walk(undefined, start, ['signup/v1.0/challenge']);
    const slowCode = await client.readCode(username);
    const fast = await signUp(username, { password: PASSWORD, ...NAME });
    const late = await client.walk(slow, ['signup/v1.0/continue', { grant_type: 'oob', oob: slowCode }]);
    expect([fast.status, late.body['error']]).toEqual([200, 'user_already_exists']);
  });
});

describe('a password that somebody chooses', () => {
  it.each([
    { suberror: 'password_too_short', password: 'Ab1-xyz' },
    { suberror: 'password_too_long', password: `Ab1-${'x'.repeat(253)}` },
    { suberror: 'password_is_invalid', password: 'Fahrräder-7' },
    { suberror: 'password_banned', password: 'My-Contoso-7' },
    { suberror: 'password_too_weak', password: 'bicycleride7' },
  ])('is refused with $suberror', async ({ suberror, password }) => {
    const { status, body } = await client.post('signup/v1.0/start', { username: nextName(), password, ...EVERYTHING });
    expect([status, body]).toEqual([400, expect.objectContaining({ error: 'invalid_grant', suberror })]);
  });
});

describe('what somebody tells of themselves', () => {
  it.each([
    { when: 'a value is not allowed', attributes: '{"displayName":""}', expected: [55105] },
    { when: 'a value is no text', attributes: '{"displayName":7}', expected: [55105] },
    { when: 'it is no JSON', attributes: 'displayName', expected: [90100] },
    { when: 'it is no object', attributes: '["displayName"]', expected: [90100] },
    { when: 'nobody asked for it', attributes: '{"city":7}', expected: undefined },
  ])('is answered $expected when $when', async ({ attributes, expected }) => {
    const { body } = await client.post('signup/v1.0/start', { username: nextName(), attributes, ...EVERYTHING });
    expect(body['error_codes']).toEqual(expected);
  });

  it('names what is wrong', async () => {
    const form = { username: nextName(), attributes: '{"displayName":""}', ...EVERYTHING };
    const { body } = await client.post('signup/v1.0/start', form);
    expect(body).toMatchObject({
      suberror: 'attribute_validation_failed',
      invalid_attributes: [{ name: 'displayName' }],
    });
  });
});
