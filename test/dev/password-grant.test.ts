import { afterAll, describe, expect, it } from '@jest/globals';
import { startEmulator } from '../../dev/emulator/emulator.ts';
import { DESKTOP_CLIENT_ID, GATEWAY_CLIENT_ID, HOME_TENANT_ID, PARTNER_TENANT_ID } from '../../dev/emulator/world.ts';
import { claimsOf, postToken, type Form } from './token-requests.ts';

const emulator = await startEmulator();
afterAll(() => emulator.close());

const CONTEXT_CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';

function passwordOf(alias: string, changes: Form = {}): Form {
  return {
    grant_type: 'password',
    client_id: DESKTOP_CLIENT_ID,
    scope: `api://${GATEWAY_CLIENT_ID}/Orders.Read openid offline_access`,
    username: `${alias}@contoso.com`,
    password: `demo-password-of-${alias}`,
    ...changes,
  };
}

describe('the password grant (ROPC)', () => {
  it('gives tokens that prove one factor, and a refresh token', async () => {
    const { status, body } = await postToken(emulator, passwordOf('megan'));
    expect([status, typeof body['refresh_token'], typeof body['id_token']]).toEqual([200, 'string', 'string']);
    expect(claimsOf(body['access_token'])).toMatchObject({ amr: ['pwd'], scp: 'Orders.Read' });
  });

  it.each([
    { when: 'the password is wrong', alias: 'adele', form: { password: 'wrong' }, code: 50126 },
    { when: 'nobody has this name', alias: 'nobody', code: 50034 },
    { when: 'the name is an alias', alias: 'adele', form: { username: 'adele' }, code: 50034 },
    {
      when: 'the person is a guest',
      alias: 'guest',
      form: { username: 'guest@fabrikam.com' },
      code: 50034,
    },
    { when: 'the account is blocked', alias: 'blocked', code: 50057 },
    { when: 'there is no password', alias: 'adele', form: { password: undefined }, code: 900144 },
    { when: 'the tenant is common', alias: 'adele', tenant: 'common', code: 9001023 },
    { when: 'nobody consented', alias: 'adele', form: { scope: 'User.Read' }, code: 65001 },
  ])('answers $code when $when', async ({ alias, form = {}, tenant = HOME_TENANT_ID, code }) => {
    const { status, body } = await postToken(emulator, passwordOf(alias, form), { tenant });
    expect([status, body['error_codes']]).toEqual([400, [code]]);
  });

  it.each([
    { who: 'a person in their own tenant', alias: 'guest', username: 'guest@fabrikam.com', tenant: PARTNER_TENANT_ID },
    { who: 'anybody at organizations', alias: 'adele', username: 'adele@contoso.com', tenant: 'organizations' },
  ])('answers $who', async ({ alias, username, tenant }) => {
    const { status } = await postToken(emulator, passwordOf(alias, { username }), { tenant });
    expect(status).toBe(200);
  });

  it('cannot give what only a page can ask for, and says which claims that are', async () => {
    const { status, body } = await postToken(emulator, passwordOf('megan', { claims: CONTEXT_CLAIMS }));
    expect([status, body['error_codes'], body['suberror'], body['claims']]).toEqual([
      400,
      [50076],
      'basic_action',
      CONTEXT_CLAIMS,
    ]);
  });

  it('keeps no password in its records', () => {
    expect(JSON.stringify(emulator.exchanges)).not.toContain('demo-password');
  });
});
