import { createHash } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { startEmulator } from '../../dev/emulator/emulator.ts';
import { DESKTOP_CLIENT_ID, GATEWAY_CLIENT_ID, GRAPH_MFA_POLICY_ID, HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import { Browser } from '../../dev/tour/browser.ts';
import { SignInClient } from '../../dev/tour/sign-in-client.ts';
import { claimsOf, encodeForm, onBehalfOf, postToken, type Form } from './token-requests.ts';

const emulator = await startEmulator();
emulator.switches.deviceCodeInterval = 1;
afterAll(() => emulator.close());

const MEGAN = { user: 'megan', mfa: 'approved' };
const VERIFIER = 'a-verifier-that-is-long-enough-for-the-standard-0123456789';
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');
const POLICY_CLAIMS = `{"access_token":{"capolids":{"essential":true,"values":["${GRAPH_MFA_POLICY_ID}"]}}}`;
const CAPABILITY_CLAIMS = '{"access_token":{"xms_cc":{"values":["cp1"]}}}';
const CONTEXT_CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';

function authorizeUrl(changes: Form = {}): string {
  const query = encodeForm({
    client_id: DESKTOP_CLIENT_ID,
    response_type: 'code',
    redirect_uri: emulator.origin,
    scope: `api://${GATEWAY_CLIENT_ID}/Orders.Read openid offline_access`,
    state: 's1',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    ...changes,
  });
  return `${emulator.origin}/${HOME_TENANT_ID}/oauth2/v2.0/authorize?${query.toString()}`;
}

async function redirectFor(changes: Form, fields: Form = {}): Promise<URL> {
  const response = await fetch(authorizeUrl(changes), { method: 'POST', body: encodeForm(fields), redirect: 'manual' });
  return new URL(response.headers.get('location') ?? 'about:blank');
}

async function redeem(
  code: string | null,
  changes: Form = {},
  headers: Record<string, string> = {},
): Promise<unknown[]> {
  const form = {
    client_id: DESKTOP_CLIENT_ID,
    grant_type: 'authorization_code',
    code: code ?? '',
    redirect_uri: emulator.origin,
    code_verifier: VERIFIER,
    ...changes,
  };
  const { status, body } = await postToken(emulator, form, { headers });
  return [status, body['error_codes']];
}

describe('the authorization code flow with PKCE', () => {
  it('gives the code and the state to the redirect URI', async () => {
    const url = await redirectFor({}, { user: 'adele' });
    expect([url.origin, url.searchParams.get('state'), url.searchParams.has('code')]).toEqual([
      emulator.origin,
      's1',
      true,
    ]);
  });

  it.each([
    { when: 'the verifier fits', form: {}, expected: [200, undefined] },
    { when: 'the verifier is another', form: { code_verifier: 'other' }, expected: [400, [501481]] },
    { when: 'the verifier is missing', form: { code_verifier: undefined }, expected: [400, [501481]] },
    { when: 'the redirect URI is another', form: { redirect_uri: 'http://localhost' }, expected: [400, [70000]] },
    {
      when: 'a page redeems a native code',
      form: {},
      headers: { origin: 'http://localhost:3000' },
      expected: [400, [9002326]],
    },
  ])('answers $expected.0 when $when', async ({ form, headers = {}, expected }) => {
    const url = await redirectFor({}, { user: 'adele' });
    expect(await redeem(url.searchParams.get('code'), form, headers as Record<string, string>)).toEqual(expected);
  });

  it('redeems a code only once', async () => {
    const code = (await redirectFor({}, { user: 'adele' })).searchParams.get('code');
    expect([await redeem(code), await redeem(code)]).toEqual([
      [200, undefined],
      [400, [54005]],
    ]);
  });

  it('lets only a page redeem the code of a page', async () => {
    const spa = { redirect_uri: 'http://localhost:3000' };
    const code = (await redirectFor(spa, { user: 'adele' })).searchParams.get('code');
    expect([await redeem(code, spa), await redeem(code, spa, { origin: 'http://localhost:3000' })]).toEqual([
      [400, [9002327]],
      [200, undefined],
    ]);
  });

  it.each([
    { when: 'nobody is signed in and prompt is none', query: { prompt: 'none' }, error: 'login_required' },
    { when: 'the person cancels', fields: { cancel: '1' }, error: 'access_denied' },
    { when: 'the response type is not code', query: { response_type: 'token' }, error: 'invalid_request' },
    {
      when: 'consent is denied',
      query: { scope: 'User.Read' },
      fields: { user: 'adele', consent: 'denied' },
      error: 'access_denied',
    },
    {
      when: 'MFA is wanted of who cannot',
      query: { claims: CONTEXT_CLAIMS },
      fields: { user: 'adele' },
      error: 'access_denied',
    },
    {
      when: '.default stands beside a scope of another resource',
      query: { scope: 'api://orders/.default User.Read' },
      error: 'invalid_scope',
    },
    { when: 'the account is blocked', fields: { user: 'blocked' }, error: 'access_denied' },
  ])('answers $error when $when', async ({ query = {}, fields = {}, error }) => {
    const url = await redirectFor(query, fields);
    expect(url.searchParams.get('error')).toBe(error);
  });

  it.each([
    { when: 'the client is unknown', query: { client_id: 'x' } },
    { when: 'the redirect URI is not registered', query: { redirect_uri: 'https://evil.example' } },
  ])('shows a page and never redirects when $when', async ({ query }) => {
    const response = await fetch(authorizeUrl(query), { redirect: 'manual' });
    expect([response.status, response.headers.get('location')]).toEqual([400, null]);
  });

  it('answers in the fragment when asked', async () => {
    const url = await redirectFor({ response_mode: 'fragment' }, { user: 'adele' });
    expect(url.hash).toMatch(/^#code=.*state=s1/);
  });

  it('asks for consent once', async () => {
    const graph = { scope: 'https://graph.microsoft.com/Mail.Read' };
    const asked = await fetch(authorizeUrl(graph), { method: 'POST', body: encodeForm({ user: 'adele' }) });
    const granted = await redirectFor(graph, { user: 'adele', consent: 'granted' });
    const again = await redirectFor(graph, { user: 'adele' });
    expect([await asked.text(), granted.search, again.search]).toEqual([
      expect.stringContaining('wants: Mail.Read'),
      expect.stringContaining('code='),
      expect.stringContaining('code='),
    ]);
  });

  it('remembers the browser for prompt=none', async () => {
    const body = encodeForm({ user: 'adele' });
    const first = await fetch(authorizeUrl(), { method: 'POST', body, redirect: 'manual' });
    const cookie = first.headers.get('set-cookie')?.split(';')[0] ?? '';
    const silent = await fetch(authorizeUrl({ prompt: 'none' }), { headers: { cookie }, redirect: 'manual' });
    expect(silent.headers.get('location')).toContain('code=');
  });
});

describe('consent for the gateway', () => {
  it('is given by a newcomer at the address that the gateway names', async () => {
    const query = {
      client_id: GATEWAY_CLIENT_ID,
      redirect_uri: `${emulator.origin}/consented`,
      scope: 'api://orders/.default',
      prompt: 'consent',
      code_challenge: undefined,
    };
    const page = await new Browser(emulator.origin).visit(authorizeUrl(query), {
      user: 'newcomer',
      consent: 'granted',
    });
    const exchange = onBehalfOf(emulator.issueAccessToken({ user: 'newcomer' }), { scope: 'api://orders/.default' });
    expect([page, (await postToken(emulator, exchange)).status]).toEqual([expect.stringContaining('Thank you'), 200]);
  });

  it('is given by an administrator for everybody', async () => {
    const query = new URLSearchParams({
      client_id: GATEWAY_CLIENT_ID,
      redirect_uri: `${emulator.origin}/consented`,
      scope: 'https://graph.microsoft.com/.default',
    });
    const address = `${emulator.origin}/${HOME_TENANT_ID}/v2.0/adminconsent?${query.toString()}`;
    await new Browser(emulator.origin).visit(address, { consent: 'granted' });
    const exchange = onBehalfOf(emulator.issueAccessToken({ user: 'newcomer' }));
    expect((await postToken(emulator, exchange)).status).toBe(200);
  });
});

describe('MSAL as a public client', () => {
  it('signs in, is refused silently with claims, and gets them interactively', async () => {
    const client = new SignInClient(emulator);
    const first = await client.signIn(MEGAN);
    const account = first.account;
    if (!account) {
      throw new Error('no account');
    }
    const silent = await client.renew(account, POLICY_CLAIMS);
    const second = await client.signIn(MEGAN, POLICY_CLAIMS);
    expect([claimsOf(first.accessToken)['amr'], silent, claimsOf(second.accessToken)['amr']]).toEqual([
      ['pwd'],
      { interactionRequired: 'invalid_grant/basic_action' },
      ['pwd', 'mfa'],
    ]);
  });

  it('steps up to an authentication context, and keeps it when it renews', async () => {
    const client = new SignInClient(emulator);
    const { account } = await client.signIn(MEGAN);
    const stronger = await client.signIn(MEGAN, CONTEXT_CLAIMS);
    if (!account) {
      throw new Error('no account');
    }
    const renewed = await client.renew(account, CONTEXT_CLAIMS);
    expect([
      claimsOf(stronger.accessToken)['acrs'],
      'token' in renewed && claimsOf(renewed.token.accessToken)['acrs'],
    ]).toEqual([['c1'], ['c1']]);
  });

  it('shows its capability to the gateway', async () => {
    const { accessToken } = await new SignInClient(emulator).signIn({ user: 'adele' });
    expect(claimsOf(accessToken)['xms_cc']).toEqual(['cp1']);
  });

  it('signs in with a device code', async () => {
    const { account } = await new SignInClient(emulator).signInByDeviceCode({ user: 'adele' });
    expect(account?.username).toBe('adele@contoso.com');
  });

  it('must sign in again after a revocation, and then can renew again', async () => {
    const client = new SignInClient(emulator);
    const { account } = await client.signIn({ user: 'adele' });
    if (!account) {
      throw new Error('no account');
    }
    emulator.revokeUser('adele');
    const refused = await client.renew(account, CAPABILITY_CLAIMS);
    await client.signIn({ user: 'adele' });
    const renewed = await client.renew(account, CAPABILITY_CLAIMS);
    expect([refused, 'token' in renewed]).toEqual([{ interactionRequired: 'invalid_grant/bad_token' }, true]);
  });
});

describe('the device code flow', () => {
  it.each([
    { when: 'the person has not come yet', answer: undefined, expected: 'authorization_pending' },
    { when: 'the person declines', answer: { cancel: '1' }, expected: 'authorization_declined' },
  ])('answers $expected when $when', async ({ answer, expected }) => {
    const start = await fetch(`${emulator.origin}/common/oauth2/v2.0/devicecode`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: DESKTOP_CLIENT_ID, scope: 'openid' }),
    });
    const flow = (await start.json()) as { device_code: string; user_code: string; verification_uri: string };
    const body = encodeForm({ user_code: flow.user_code, ...answer });
    if (answer) {
      await fetch(flow.verification_uri, { method: 'POST', body });
    }
    const grant = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', client_id: DESKTOP_CLIENT_ID };
    const { body: reply } = await postToken(
      emulator,
      { ...grant, device_code: flow.device_code },
      { tenant: 'common' },
    );
    expect(reply['error']).toBe(expected);
  });
});
