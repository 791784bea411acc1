import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { startEmulator } from '../../dev/emulator/emulator.ts';
import {
  DAEMON_CLIENT_ID,
  DESKTOP_CLIENT_ID,
  HOME_TENANT_ID,
  PARTNER_TENANT_ID,
  STOREFRONT_CLIENT_ID,
} from '../../dev/emulator/world.ts';
import { EVERYTHING, NativeClient } from './native-requests.ts';
import type { Form } from './token-requests.ts';

const emulator = await startEmulator();
const client = new NativeClient(emulator);
afterAll(() => emulator.close());
afterEach(() => {
  emulator.resetSwitches();
});

const ADELE = { username: 'adele@contoso.com' };
const CALLS = [
  'oauth2/v2.0/initiate',
  'oauth2/v2.0/challenge',
  'oauth2/v2.0/introspect',
  'signup/v1.0/start',
  'signup/v1.0/challenge',
  'signup/v1.0/continue',
  'resetpassword/v1.0/start',
  'resetpassword/v1.0/challenge',
  'resetpassword/v1.0/continue',
  'resetpassword/v1.0/submit',
  'resetpassword/v1.0/poll_completion',
  'register/v1.0/introspect',
  'register/v1.0/challenge',
  'register/v1.0/continue',
];

describe('the first call of a flow', () => {
  const refusals: { when: string; form: Form; tenant?: string; error: string; code: number }[] = [
    { when: 'the client is missing', form: { client_id: undefined }, error: 'invalid_request', code: 900144 },
    { when: 'the client is unknown', form: { client_id: 'x' }, error: 'unauthorized_client', code: 700016 },
    {
      when: 'the app is not enabled',
      form: { client_id: DESKTOP_CLIENT_ID },
      error: 'invalid_client/nativeauthapi_disabled',
      code: 550022,
    },
    { when: 'the app has secrets', form: { client_id: DAEMON_CLIENT_ID }, error: 'invalid_client', code: 550022 },
    { when: 'the tenant is unknown', form: {}, tenant: 'nowhere.com', error: 'invalid_request', code: 90002 },
    {
      when: 'the app is not in the tenant',
      form: {},
      tenant: PARTNER_TENANT_ID,
      error: 'unauthorized_client',
      code: 700016,
    },
    { when: 'no tenant is named', form: {}, tenant: 'common', error: 'invalid_request', code: 9001023 },
    { when: 'redirect is missing', form: { challenge_type: 'oob' }, error: 'invalid_request', code: 901007 },
    { when: 'no type is declared', form: { challenge_type: undefined }, error: 'invalid_request', code: 901007 },
    {
      when: 'a type is unknown',
      form: { challenge_type: 'oob sms redirect' },
      error: 'invalid_request',
      code: 901007,
    },
    { when: 'the user name is empty', form: { username: '' }, error: 'invalid_request', code: 90100 },
    { when: 'the user name is no address', form: { username: 'adele' }, error: 'invalid_request', code: 90100 },
  ];

  const starts = ['oauth2/v2.0/initiate', 'signup/v1.0/start', 'resetpassword/v1.0/start'];

  it.each(refusals)('is refused with $code $error when $when', async ({ form, tenant, error, code }) => {
    for (const path of starts) {
      const { status, body } = await client.post(path, { ...ADELE, ...EVERYTHING, ...form }, tenant);
      const told = [body['error'], body['suberror']].filter(Boolean).join('/');
      expect([path, status, told, body['error_codes']]).toEqual([path, 400, error, [code]]);
    }
  });

  it.each([
    { path: 'oauth2/v2.0/initiate', who: 'nobody@contoso.com', error: 'user_not_found', code: 50034 },
    { path: 'resetpassword/v1.0/start', who: 'nobody@contoso.com', error: 'user_not_found', code: 50034 },
    { path: 'signup/v1.0/start', who: 'Adele@contoso.com', error: 'user_already_exists', code: 1003037 },
    { path: 'oauth2/v2.0/initiate', who: 'blocked@contoso.com', error: 'invalid_grant', code: 50057 },
  ])('to $path is refused with $error for $who', async ({ path, who, error, code }) => {
    const { status, body } = await client.post(path, { username: who, ...EVERYTHING });
    expect([status, body]).toEqual([400, expect.objectContaining({ error, error_codes: [code] })]);
  });

  it('is refused in words that the library looks for', async () => {
    const empty = await client.post('oauth2/v2.0/initiate', { username: '', ...EVERYTHING });
    const unknown = await client.post('oauth2/v2.0/initiate', { ...ADELE, challenge_type: 'sms redirect' });
    expect([empty.body['error_description'], unknown.body['error_description']]).toEqual([
      expect.stringContaining('username parameter is empty or not valid'),
      expect.stringContaining('The challenge_type list parameter contains an unsupported challenge type'),
    ]);
  });

  it('is refused in the form of Entra, with the ids by which it is found again', async () => {
    const response = await fetch(`${emulator.origin}/contoso.com/oauth2/v2.0/initiate`, {
      method: 'POST',
      headers: { 'client-request-id': '11111111-2222-4333-8444-555555555555' },
      body: new URLSearchParams({ client_id: STOREFRONT_CLIENT_ID, username: 'nobody@contoso.com', ...EVERYTHING }),
    });
    const body = (await response.json()) as Record<string, unknown>;
    expect(body).toEqual({
      error: 'user_not_found',
      error_description: expect.stringMatching(/^AADSTS50034: .* Trace ID: .* Correlation ID: .* Timestamp: /),
      error_codes: [50034],
      timestamp: expect.stringMatching(/Z$/),
      trace_id: response.headers.get('x-ms-request-id'),
      correlation_id: '11111111-2222-4333-8444-555555555555',
    });
  });
});

describe('a continuation token', () => {
  it.each(CALLS.filter((path) => !/initiate|start$/.test(path)))('must be a good one at %s', async (path) => {
    const grant = { grant_type: 'oob', challenge_type: 'oob redirect' };
    const missing = await client.post(path, grant);
    const bad = await client.post(path, { ...grant, continuation_token: '1.x' });
    expect([missing.body['error_codes'], bad.body]).toEqual([
      [900144],
      expect.objectContaining({ error: 'invalid_request', error_codes: [55200] }),
    ]);
  });

  it.each([
    { of: 'oauth2/v2.0/initiate', at: 'signup/v1.0/challenge' },
    { of: 'oauth2/v2.0/initiate', at: 'resetpassword/v1.0/challenge' },
    { of: 'oauth2/v2.0/initiate', at: 'oauth2/v2.0/introspect' },
    { of: 'oauth2/v2.0/initiate', at: 'register/v1.0/introspect' },
    { of: 'resetpassword/v1.0/start', at: 'oauth2/v2.0/challenge' },
    { of: 'resetpassword/v1.0/start', at: 'resetpassword/v1.0/submit' },
  ])('of $of is not for $at', async ({ of, at }) => {
    const { body } = await client.walk(undefined, [of, { ...ADELE, ...EVERYTHING }], [at]);
    expect(body['error_codes']).toEqual([55200]);
  });

  it.each([
    { grant_type: 'continuation_token', code: 55200 },
    { grant_type: 'oob', code: 55200 },
    { grant_type: 'refresh_token', code: 70003 },
    { grant_type: 'nonsense', code: 70003 },
  ])('of a password challenge is not redeemed by $grant_type', async ({ grant_type, code }) => {
    const challenge = await client.startSignIn(ADELE.username);
    const { body } = await client.redeem(challenge, { grant_type, password: 'demo-password-of-adele' });
    expect(body['error_codes']).toEqual([code]);
  });

  it('is of no use to another client', async () => {
    const challenge = await client.startSignIn(ADELE.username);
    const { body } = await client.redeem(challenge, {
      client_id: DESKTOP_CLIENT_ID,
      grant_type: 'password',
      password: 'demo-password-of-adele',
    });
    expect(body['error_codes']).toEqual([55200]);
  });

  it('expires', async () => {
    emulator.switches.continuationTokenLifetimeSeconds = 0;
    const { body } = await client.startSignIn(ADELE.username);
    expect(body).toMatchObject({ error: 'expired_token', error_codes: [552003] });
  });

  it('is used up by the call that takes the flow on', async () => {
    const start = await client.post('oauth2/v2.0/initiate', { ...ADELE, ...EVERYTHING });
    const first = await client.walk(start, ['oauth2/v2.0/challenge']);
    const second = await client.walk(start, ['oauth2/v2.0/challenge']);
    expect([first.status, second.body['error_codes']]).toEqual([200, [55200]]);
  });
});

describe('a grant type', () => {
  it.each(['signup/v1.0/continue', 'resetpassword/v1.0/continue', 'register/v1.0/continue'])(
    'that %s does not know is refused',
    async (path) => {
      const { body } = await client.post(path, { grant_type: 'nonsense', continuation_token: '1.x' });
      expect(body).toMatchObject({ error: 'invalid_grant', error_codes: [70003] });
    },
  );
});

describe('a page of another origin', () => {
  const headers = { origin: 'http://localhost:3000', 'access-control-request-method': 'POST' };

  it.each(CALLS)('may not call %s', async (path) => {
    const url = `${emulator.origin}/${HOME_TENANT_ID}/${path}`;
    const preflight = await fetch(url, { method: 'OPTIONS', headers });
    const call = await fetch(url, { method: 'POST', headers });
    const allowed = [preflight, call].map((answer) => answer.headers.get('access-control-allow-origin'));
    expect([preflight.status, allowed]).toEqual([405, [null, null]]);
  });
});

describe('Entra out of order', () => {
  it.each([
    { entra: 'throttled', status: 429 },
    { entra: 'html503', status: 503 },
  ] as const)('answers $status when $entra', async ({ entra, status }) => {
    emulator.switches.entra = entra;
    const response = await fetch(`${emulator.origin}/contoso.com/oauth2/v2.0/initiate`, { method: 'POST' });
    expect(response.status).toBe(status);
  });
});

describe('the sent codes', () => {
  it.each(['cody', 'cody@contoso.com'])('are read by the name %s', async (name) => {
    await client.startSignIn('cody@contoso.com');
    const [latest] = await readCodes(name);
    expect(latest).toEqual({
      to: 'cody@contoso.com',
      code: expect.stringMatching(/^\d{8}$/),
      purpose: 'sign-in',
      sentAt: expect.any(String),
    });
  });

  it('are none for a stranger', async () => {
    expect(await readCodes('nobody')).toEqual([]);
  });
});

describe('the world that the emulator shows', () => {
  it('has no password that somebody chose', async () => {
    const form = { username: 'zoe@home.example', password: 'Bicycle-Ride-7', attributes: '{"displayName":"Zoe"}' };
    const challenge = await client.walk(
      undefined,
      ['signup/v1.0/start', { ...form, ...EVERYTHING }],
      ['signup/v1.0/challenge'],
    );
    const code = { grant_type: 'oob', oob: await client.readCode(form.username) };
    await client.walk(challenge, ['signup/v1.0/continue', code]);
    const shown = await (await fetch(`${emulator.origin}/_emulator/world`)).text();
    expect([shown.includes(form.username), shown.includes(form.password)]).toEqual([true, false]);
  });
});

async function readCodes(user: string): Promise<unknown[]> {
  return (await (await fetch(`${emulator.origin}/_emulator/codes?user=${user}`)).json()) as unknown[];
}
