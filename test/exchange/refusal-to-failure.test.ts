import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startEmulator, type Emulator } from '../../dev/emulator/emulator.ts';
import {
  GATEWAY_CLIENT_ID,
  GATEWAY_CLIENT_SECRET,
  HOME_TENANT_ID,
  PARTNER_TENANT_ID,
} from '../../dev/emulator/world.ts';
import { ExchangeRefused } from '../../src/exchange/exchange-refused.ts';
import { openDesk, openSession, GRAPH, type Desk } from '../support/token-exchange.ts';

const REDIRECT = 'https://api.contoso.com/consented';

const emulator = await startEmulator();
const desk = openDesk({ origin: emulator.origin, consentRedirectUri: REDIRECT });
const plainDesk = openDesk({ origin: emulator.origin });
beforeEach(() => emulator.resetSwitches());
afterAll(async () => {
  desk.close();
  plainDesk.close();
  await emulator.close();
});

/** The refusal of an exchange with that error body, for a user of a tenant. */
async function refuse(
  refusal: NonNullable<Emulator['switches']['refuse']>,
  at: Desk = desk,
  token = emulator.issueAccessToken({ user: 'adele' }),
): Promise<unknown> {
  emulator.switches.refuse = refusal;
  return at.acquire(openSession(token));
}

const CLAIMS = '{"access_token":{"capolids":{"essential":true, "values":["9d4e6f10"]}}}';

describe('what a refusal turns into', () => {
  it.each([
    {
      what: 'claims, byte for byte, with the suberror',
      refusal: { error: 'invalid_grant', error_codes: [50076], suberror: 'basic_action', claims: CLAIMS },
      expected: { code: 'insufficient_claims', claims: CLAIMS, suberror: 'basic_action' },
    },
    {
      what: 'claims without a suberror',
      refusal: { error: 'invalid_grant', error_codes: [50079], claims: CLAIMS },
      expected: { code: 'insufficient_claims', claims: CLAIMS },
    },
    {
      what: 'a new sign-in that Entra gave claims for',
      refusal: { error: 'invalid_grant', error_codes: [50173], suberror: 'bad_token', claims: CLAIMS },
      expected: { code: 'insufficient_claims', claims: CLAIMS, suberror: 'bad_token' },
    },
    {
      what: 'an interaction without claims, which names the suberror',
      refusal: { error: 'invalid_grant', error_codes: [53000], suberror: 'additional_action' },
      expected: { code: 'interaction_required', suberror: 'additional_action' },
    },
    {
      what: 'a message without claims',
      refusal: { error: 'invalid_grant', error_codes: [53003], suberror: 'message_only' },
      expected: { code: 'access_denied' },
    },
    {
      what: 'a new sign-in',
      refusal: { error: 'invalid_grant', error_codes: [500133] },
      expected: { code: 'invalid_token' },
    },
    {
      what: 'our own fault',
      refusal: { error: 'invalid_client', error_codes: [7000222], status: 401 },
      expected: { code: 'gateway_misconfigured' },
    },
  ])('$what', async ({ refusal, expected }) => {
    const { log, loop, ...shown } = (await refuse(refusal)) as Record<string, unknown>;
    expect(loop === undefined).toBe(!['interaction_required', 'invalid_token'].includes(expected.code));
    expect([shown, log]).toEqual([expected, expect.objectContaining({ remedy: expect.any(String) })]);
  });

  it('comes with what an operator needs to find the case at Entra', async () => {
    const answer = await refuse({ error: 'invalid_client', error_codes: [7000222], status: 401 });
    expect(answer).toMatchObject({
      log: {
        correlationId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        entra: {
          class: 'misconfigured',
          status: 401,
          error: 'invalid_client',
          codes: ['AADSTS7000222'],
          meaning: 'the client secret expired',
          traceId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        },
      },
    });
  });
});

describe('an assertion that Entra does not accept though the gateway does (AADSTS50013)', () => {
  it('names the signing key in the log from the first time on', async () => {
    const answer = await refuse({ error: 'invalid_grant', error_codes: [50013] });
    expect(answer).toMatchObject({ code: 'invalid_token', log: { remedy: expect.stringContaining('signing key') } });
  });
});

describe('missing consent', () => {
  const missing = { error: 'invalid_grant', error_codes: [65001], suberror: 'consent_required' };

  /** The scopes and the parts of the consent address. */
  async function consentFor(entraCode: number, at = desk, token?: string): Promise<Record<string, unknown>> {
    const refusal = { ...missing, error_codes: [entraCode] };
    const { code, scopes, consentUri } = (await refuse(refusal, at, token)) as Record<string, unknown>;
    if (typeof consentUri !== 'string') {
      return { code, scopes, consentUri };
    }
    const { origin, pathname, searchParams } = new URL(consentUri);
    return { code, scopes, address: origin + pathname, query: Object.fromEntries(searchParams) };
  }

  it('of the user: names the scopes and the address where the user can consent', async () => {
    expect(await consentFor(65001)).toEqual({
      code: 'consent_required',
      scopes: GRAPH.scopes,
      address: `${emulator.origin}/${HOME_TENANT_ID}/oauth2/v2.0/authorize`,
      query: {
        client_id: GATEWAY_CLIENT_ID,
        redirect_uri: REDIRECT,
        scope: GRAPH.scopes.join(' '),
        response_type: 'code',
        response_mode: 'query',
        prompt: 'consent',
      },
    });
  });

  it.each([90094, 90095])('of an administrator (%i): names the address of admin consent', async (code) => {
    expect(await consentFor(code)).toEqual({
      code: 'consent_required',
      scopes: GRAPH.scopes,
      address: `${emulator.origin}/${HOME_TENANT_ID}/v2.0/adminconsent`,
      query: { client_id: GATEWAY_CLIENT_ID, redirect_uri: REDIRECT, scope: GRAPH.scopes.join(' ') },
    });
  });

  it('is asked for in the tenant of the assertion', async () => {
    const token = emulator.issueAccessToken({ user: 'guest', tenant: 'fabrikam.com' });
    expect(await consentFor(65001, desk, token)).toMatchObject({
      address: `${emulator.origin}/${PARTNER_TENANT_ID}/oauth2/v2.0/authorize`,
    });
  });

  it.each([65001, 90094])('names no address without identity.consentRedirectUri (%i)', async (code) => {
    expect(await consentFor(code, plainDesk)).toEqual({
      code: 'consent_required',
      scopes: GRAPH.scopes,
      consentUri: undefined,
    });
  });

  it('is what the emulator answers as well', async () => {
    const token = emulator.issueAccessToken({ user: 'newcomer' });
    expect(await desk.acquire(openSession(token))).toMatchObject({ code: 'consent_required' });
  });
});

/** Everything that a careless log line could print of an error. */
function printed(error: Error): string {
  const members = Object.getOwnPropertyNames(error).map((name) => [name, Reflect.get(error, name)]);
  return [
    String(error),
    error.stack,
    JSON.stringify(error),
    JSON.stringify(members),
    inspect(error, { depth: 20, showHidden: true }),
  ].join('\n');
}

describe('no error shows', () => {
  const assertion = emulator.issueAccessToken({ user: 'adele' });
  const signature = assertion.split('.')[2] ?? '';
  const prose = `AADSTS50076: Due to a change made by your administrator ${assertion} ${GATEWAY_CLIENT_SECRET}`;
  const secrets = [assertion, signature, GATEWAY_CLIENT_SECRET, 'Due to a change', 'access_tok"'];

  const cases: { what: string; switches: Partial<Emulator['switches']> }[] = [
    ...[50076, 50013, 65001, 50057, 7000215, 90033].map((code) => ({
      what: `a refusal with ${code}`,
      switches: { refuse: { error: 'invalid_grant', error_codes: [code], description: prose } },
    })),
    ...(['throttled', 'html503', 'json500', 'empty200', 'garbage', 'hang', 'reset'] as const).map((entra) => ({
      what: `an Entra that is ${entra}`,
      switches: { entra },
    })),
    {
      what: 'a token that cannot be used',
      switches: { body: { status: 200, headers: {}, body: JSON.stringify({ access_token: `${assertion} x` }) } },
    },
  ];

  it.each(cases)('a token, a secret or a text of Entra: $what', async ({ switches }) => {
    const at = openDesk({ origin: emulator.origin, deadline: 100 });
    Object.assign(emulator.switches, switches);
    const failure = await at.failOn(openSession(assertion));
    const request = { assertion, tenantId: HOME_TENANT_ID, scopes: GRAPH.scopes, claims: '', handlesClaims: false };
    const refused = await at.client
      .onBehalfOf({ ...request, correlationId: randomUUID() })
      .catch((error: unknown) => error);
    at.close();
    const text = printed(failure) + printed(refused as Error);
    expect([refused instanceof ExchangeRefused, secrets.filter((secret) => text.includes(secret))]).toEqual([true, []]);
  });
});
