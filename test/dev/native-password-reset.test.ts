import { afterAll, describe, expect, it } from '@jest/globals';
import { startEmulator } from '../../dev/emulator/emulator.ts';
import { EVERYTHING, NATIVE_SCOPE, NativeClient } from './native-requests.ts';
import type { TokenAnswer } from './token-requests.ts';

const emulator = await startEmulator();
const client = new NativeClient(emulator);
afterAll(() => emulator.close());

const ADELE = 'adele@contoso.com';
const PASSWORD = 'Bicycle-Ride-7';

async function walkToSubmit(username = ADELE): Promise<TokenAnswer> {
  const challenge = await client.walk(
    undefined,
    ['resetpassword/v1.0/start', { username, challenge_type: 'oob redirect' }],
    ['resetpassword/v1.0/challenge'],
  );
  const code = { grant_type: 'oob', oob: await client.readCode(username) };
  return client.walk(challenge, ['resetpassword/v1.0/continue', code]);
}

async function signIn(password: string): Promise<TokenAnswer> {
  return client.redeem(await client.startSignIn(ADELE), { grant_type: 'password', password });
}

describe('resetting a password', () => {
  it('takes a code and a new password, is polled until it is done, and ends signed in', async () => {
    const before = await signIn('demo-password-of-adele');
    const codeTaken = await walkToSubmit();
    const submitted = await client.walk(codeTaken, ['resetpassword/v1.0/submit', { new_password: PASSWORD }]);
    const first = await client.walk(submitted, ['resetpassword/v1.0/poll_completion']);
    const second = await client.walk(submitted, ['resetpassword/v1.0/poll_completion']);
    const tokens = await client.redeem(second, { grant_type: 'continuation_token', username: ADELE });
    const renewed = await client.post('oauth2/v2.0/token', {
      grant_type: 'refresh_token',
      refresh_token: String(before.body['refresh_token']),
      scope: NATIVE_SCOPE,
    });
    expect([codeTaken.body['expires_in'], submitted.body['poll_interval'], first.body, second.body['status']]).toEqual([
      600,
      2,
      { status: 'in_progress' },
      'succeeded',
    ]);
    expect([tokens.status, renewed.body['error_codes'], (await signIn('demo-password-of-adele')).body]).toEqual([
      200,
      [50173],
      expect.objectContaining({ error_codes: [50126] }),
    ]);
    expect((await signIn(PASSWORD)).status).toBe(200);
  });

  it('can be tried again with another password when the first is refused', async () => {
    const codeTaken = await walkToSubmit('megan@contoso.com');
    const suberrors = [];
    for (const password of ['short', 'Another-Ride-8']) {
      const answer = await client.walk(codeTaken, ['resetpassword/v1.0/submit', { new_password: password }]);
      suberrors.push([answer.status, answer.body['suberror']]);
    }
    expect(suberrors).toEqual([
      [400, 'password_too_short'],
      [200, undefined],
    ]);
  });

  it('refuses the password that it takes the place of', async () => {
    const once = await client.walk(await walkToSubmit('newcomer@contoso.com'), [
      'resetpassword/v1.0/submit',
      { new_password: PASSWORD },
    ]);
    const twice = await client.walk(await walkToSubmit('newcomer@contoso.com'), [
      'resetpassword/v1.0/submit',
      { new_password: PASSWORD },
    ]);
    expect([once.status, twice.body['suberror']]).toEqual([200, 'password_recently_used']);
  });

  it('can send another code', async () => {
    const username = 'megan@contoso.com';
    const challenge = await client.walk(
      undefined,
      ['resetpassword/v1.0/start', { username, ...EVERYTHING }],
      ['resetpassword/v1.0/challenge'],
      ['resetpassword/v1.0/challenge'],
    );
    const codes = await fetch(`${emulator.origin}/_emulator/codes?user=megan`);
    const [latest, earlier] = (await codes.json()) as { code: string }[];
    const stale = await client.walk(challenge, [
      'resetpassword/v1.0/continue',
      { grant_type: 'oob', oob: earlier?.code },
    ]);
    const fresh = await client.walk(challenge, [
      'resetpassword/v1.0/continue',
      { grant_type: 'oob', oob: latest?.code },
    ]);
    expect([stale.body['suberror'], fresh.status]).toEqual(['invalid_oob_value', 200]);
  });

  it.each([
    { who: 'cody@contoso.com', why: 'has no password' },
    { who: 'guest@fabrikam.com', why: 'has it at home' },
  ])('is not for $who, who $why', async ({ who }) => {
    const { body } = await client.post('resetpassword/v1.0/start', { username: who, ...EVERYTHING });
    expect(body).toMatchObject({ error: 'invalid_request', error_codes: [500222] });
  });

  it('falls back to the browser for a client that cannot ask for a code', async () => {
    const form = { username: ADELE, challenge_type: 'password redirect' };
    const { status, body } = await client.post('resetpassword/v1.0/start', form);
    expect([status, body['challenge_type']]).toEqual([200, 'redirect']);
  });
});
