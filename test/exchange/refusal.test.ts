import { afterAll, describe, expect, it } from '@jest/globals';
import { startEmulator } from '../../dev/emulator/emulator.ts';
import { readRefusal, type Refusal } from '../../src/exchange/refusal.ts';
import { openDesk, openSession, type Refused } from '../support/token-exchange.ts';
import { REFUSAL_TABLE } from './refusal-table.ts';

/** On the monotonic clock, which knows no dates. */
const HEARD_AT = 5_000;
const CONTEXT = { now: Date.UTC(2026, 0, 1), monotonicMs: HEARD_AT, servesManyTenants: false };
const CLAIMS = '{"access_token":{"capolids":{"essential":true,"values":["9d4e6f10"]}}}';

const emulator = await startEmulator();
const desk = openDesk({ origin: emulator.origin });
afterAll(async () => {
  desk.close();
  await emulator.close();
});

/** Reads an answer of the token endpoint with that JSON body. */
function read(body: object, status = 400, headers: Record<string, string> = {}): Refusal {
  return readRefusal({ status, headers, text: JSON.stringify(body) }, CONTEXT);
}

const FAILURE_OF = {
  interaction: 'interaction_required',
  reauthenticate: 'invalid_token',
  consent: 'consent_required',
  denied: 'access_denied',
  misconfigured: 'gateway_misconfigured',
  retry: 'identity_unavailable',
} as const;

describe('every known code', () => {
  it.each(REFUSAL_TABLE)(
    '$code with $error and $suberror means $class',
    ({ code, error, suberror, status = 400, class: expected }) => {
      const body = { error, error_codes: [code], ...(suberror === undefined ? {} : { suberror }) };
      expect(read(body, status).class).toBe(expected);
    },
  );

  it.each(REFUSAL_TABLE)(
    '$code with $error and $suberror, come over the wire, is answered as $class',
    async ({ code, error, suberror, status = 400, class: expected }) => {
      emulator.switches.refuse = {
        error,
        error_codes: [code],
        status,
        ...(suberror === undefined ? {} : { suberror }),
      };
      const { code: heard, log } = (await desk.acquire(openSession(token()))) as Refused;
      expect([heard, log]).toEqual([
        FAILURE_OF[expected],
        expect.objectContaining({ entra: expect.objectContaining({ codes: [`AADSTS${code}`], status, error }) }),
      ]);
    },
  );

  it.each(REFUSAL_TABLE.filter((row) => row.status !== 500))('$code with claims is a challenge', ({ code, error }) => {
    expect(read({ error, error_codes: [code], claims: CLAIMS })).toMatchObject({
      class: 'interaction',
      claims: CLAIMS,
    });
  });
});

/** An assertion that no refusal is remembered for yet. */
function token(): string {
  return emulator.issueAccessToken({ user: 'adele' });
}

describe('the order of the decision', () => {
  it.each([
    {
      what: 'claims come before the suberror',
      body: { error: 'invalid_grant', suberror: 'message_only', error_codes: [53003], claims: CLAIMS },
      expected: 'interaction',
    },
    {
      what: 'claims come before the error',
      body: { error: 'invalid_client', error_codes: [7000215], claims: CLAIMS },
      expected: 'interaction',
    },
    {
      what: 'claims come before the code',
      body: { error: 'invalid_grant', error_codes: [50173], claims: CLAIMS },
      expected: 'interaction',
    },
    {
      what: 'the suberror comes before the error',
      body: { error: 'invalid_client', suberror: 'consent_required', error_codes: [7000215] },
      expected: 'consent',
    },
    {
      what: 'the suberror comes before the code',
      body: { error: 'invalid_grant', suberror: 'basic_action', error_codes: [50057] },
      expected: 'interaction',
    },
    {
      what: 'an unknown suberror says nothing',
      body: { error: 'invalid_grant', suberror: 'brand_new', error_codes: [50057] },
      expected: 'denied',
    },
    {
      what: 'the error comes before the code',
      body: { error: 'temporarily_unavailable', error_codes: [50076] },
      expected: 'retry',
    },
    {
      what: 'the error comes before the code',
      body: { error: 'invalid_scope', error_codes: [65001] },
      expected: 'misconfigured',
    },
    {
      what: 'the text says nothing',
      body: {
        error: 'invalid_grant',
        error_codes: [50057],
        error_description: 'AADSTS65001: consent_required interaction_required claims',
      },
      expected: 'denied',
    },
  ])('$what: $expected', ({ body, expected }) => {
    expect(read(body).class).toBe(expected);
  });

  it.each([429, 500, 502, 503, 504])('status %i comes before everything', (status) => {
    expect(
      read({ error: 'invalid_grant', suberror: 'basic_action', error_codes: [50076], claims: CLAIMS }, status).class,
    ).toBe('retry');
  });
});

describe('each suberror', () => {
  it.each([
    ['basic_action', 'interaction'],
    ['additional_action', 'interaction'],
    ['device_authentication_failed', 'interaction'],
    ['message_only', 'denied'],
    ['consent_required', 'consent'],
    ['user_password_expired', 'reauthenticate'],
    ['bad_token', 'reauthenticate'],
    ['token_expired', 'reauthenticate'],
    ['client_mismatch', 'denied'],
    ['protection_policy_required', 'denied'],
  ])('%s means %s whatever the code', (suberror, expected) => {
    const classes = [1, 50057, 50196, 700016].map(
      (code) => read({ error: 'invalid_grant', suberror, error_codes: [code] }).class,
    );
    expect(new Set(classes)).toEqual(new Set([expected]));
  });
});

describe('a code that nobody knows', () => {
  it.each([
    ['invalid_grant', 'reauthenticate'],
    ['interaction_required', 'reauthenticate'],
    ['login_required', 'reauthenticate'],
    ['consent_required', 'consent'],
    ['invalid_client', 'misconfigured'],
    ['unauthorized_client', 'misconfigured'],
    ['invalid_scope', 'misconfigured'],
    ['invalid_resource', 'misconfigured'],
    ['unsupported_grant_type', 'misconfigured'],
    ['invalid_request', 'misconfigured'],
    ['temporarily_unavailable', 'retry'],
    ['server_error', 'retry'],
    ['an_error_of_the_future', 'misconfigured'],
  ])('is decided by the error %s: %s', (error, expected) => {
    const codes = [[424242], [], undefined, ['x'], 'x', [null, 1.5]];
    expect(new Set(codes.map((errorCodes) => read({ error, error_codes: errorCodes }).class))).toEqual(
      new Set([expected]),
    );
  });
});

describe('codes that contradict each other', () => {
  it.each([
    { codes: [70002, 500133], error: 'invalid_grant', expected: 'reauthenticate' },
    { codes: [500133, 70002], error: 'invalid_grant', expected: 'reauthenticate' },
    { codes: [70002, 500133], error: 'invalid_client', expected: 'misconfigured' },
    { codes: [424242, 65001], error: 'invalid_grant', expected: 'consent' },
    { codes: [50027, 90014], error: 'invalid_request', expected: 'reauthenticate' },
    { codes: [90014, 240002], error: 'invalid_request', expected: 'reauthenticate' },
    { codes: [9002313, 900144], error: 'invalid_grant', expected: 'misconfigured' },
  ])('$codes with $error mean $expected', ({ codes, error, expected }) => {
    expect(read({ error, error_codes: codes }).class).toBe(expected);
  });
});

describe('claims', () => {
  const frame = JSON.stringify({ access_token: { x: '' } });
  const atLimit = frame.replace('""', `"${'y'.repeat(4_096 - frame.length)}"`);

  it.each([
    ['with the spaces that Entra wrote', '{"access_token":{"nbf":{"essential":true, "value":"1"}}}'],
    ['with the old name of the policy ids', '{"access_token":{"polids":{"essential":true,"Values":["x"]}}}'],
    ['with escapes', '{"access_token":{"a":"\\u00e9"}}'],
    ['outside ASCII', '{"access_token":{"a":"é"}}'],
    ['as large as is allowed', atLimit],
  ])('%s are relayed byte for byte', (_how, claims) => {
    expect(read({ error: 'invalid_grant', claims })).toMatchObject({ class: 'interaction', claims });
  });

  it.each([
    ['too large by one byte', atLimit.replace('y', 'yy')],
    ['too large in bytes though not in characters', JSON.stringify({ access_token: 'é'.repeat(2_100) })],
    ['no JSON', 'eyJhY2Nlc3NfdG9rZW4iOnt9fQ=='],
    ['an empty text', ''],
    ['an empty object', '{}'],
    ['JSON null', 'null'],
    ['a JSON array', '[{"access_token":{}}]'],
    ['a JSON text', '"access_token"'],
    ['an object, not a text', { access_token: {} }],
    ['a number', 1],
    ['true', true],
    ['null', null],
  ])('that are %s are none', (_what, claims) => {
    expect(read({ error: 'invalid_grant', error_codes: [50173], claims })).toMatchObject({
      class: 'reauthenticate',
      claims: undefined,
    });
  });
});

describe('both styles of Entra', () => {
  it.each([
    { style: 'v2', separator: ' ' },
    { style: 'v2', separator: '\r\n' },
    { style: 'v1', separator: ' ' },
    { style: 'v1', separator: '\r\n' },
  ] as const)('$style with $separator lead to the same challenge', async ({ style, separator }) => {
    emulator.resetSwitches();
    emulator.switches.oboErrorStyle = style;
    emulator.switches.separator = separator;
    const refused = await desk.acquire(openSession(emulator.issueAccessToken({ user: 'megan' })));
    expect(refused).toMatchObject({ code: 'insufficient_claims', claims: expect.stringContaining('capolids') });
  });
});

describe('an answer that is no well-formed refusal', () => {
  it.each([
    ['nothing', ''],
    ['HTML', '<html>'],
    ['null', 'null'],
    ['an array', '[]'],
    ['a text', '"invalid_grant"'],
    ['an empty object', '{}'],
    ['an error that is no text', '{"error":{"code":"x"}}'],
    ['an empty error', '{"error":""}'],
    ['an object with an inherited name', '{"__proto__":{"error":"invalid_grant"}}'],
  ])('%s is an outage', (_what, text) => {
    expect(readRefusal({ status: 400, headers: {}, text }, CONTEXT).class).toBe('retry');
  });

  it('names no inherited member as a suberror or error', () => {
    const odd = { error: 'constructor', suberror: 'toString', error_codes: ['__proto__'] };
    expect(read(odd)).toMatchObject({ class: 'misconfigured', suberror: 'toString', codes: [] });
  });

  it('shows a suberror only when it is a short word', () => {
    const odd = ['two words', 'a"b', 'x'.repeat(65), 'é'].map(
      (suberror) => read({ error: 'invalid_grant', suberror }).suberror,
    );
    expect(odd).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describe('Retry-After', () => {
  it.each([
    ['seconds', '7', HEARD_AT + 7_000],
    ['no seconds', '0', HEARD_AT],
    ['seconds in two lines', '60, 60', HEARD_AT + 60_000],
    ['a date', 'Thu, 01 Jan 2026 00:00:30 GMT', HEARD_AT + 30_000],
    ['a date of the past', 'Wed, 31 Dec 2025 00:00:00 GMT', HEARD_AT - 86_400_000],
    ['more than an hour', '86400', HEARD_AT + 3_600_000],
    ['a date far away', 'Fri, 01 Jan 2027 00:00:00 GMT', HEARD_AT + 3_600_000],
    ['an absurd number', '9'.repeat(400), undefined],
    ['a word', 'soon', undefined],
    ['nothing', '', undefined],
  ])('as %s', (_what, value, expected) => {
    expect(read({ error: 'x' }, 429, { 'retry-after': value }).retryAt).toBe(expected);
  });

  it('that is missing when Entra sees a loop counts as the five minutes that Entra looks back', () => {
    expect(read({ error: 'invalid_grant', error_codes: [50196] }).retryAt).toBe(HEARD_AT + 300_000);
  });

  it.each(['1.5', '-5', 'soon, 60'])('that is neither seconds nor a date says nothing: %s', (value) => {
    expect(read({ error: 'x' }, 429, { 'retry-after': value }).retryAt).toBeUndefined();
  });
});
