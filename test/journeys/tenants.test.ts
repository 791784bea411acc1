import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { GATEWAY_CLIENT_ID, HOME_TENANT_ID, PARTNER_TENANT_ID } from '../../dev/emulator/world.ts';
import { readProblem, startGatewayWorld, type GatewayWorld } from '../support/gateway-world.ts';

const home = await startGatewayWorld();
const { emulator } = home;
const many = await startGatewayWorld({
  emulator,
  identity: { tenant: 'organizations', allowedTenants: [HOME_TENANT_ID, PARTNER_TENANT_ID] },
});
afterAll(async () => {
  await many.close();
  await home.close();
});
afterEach(() => {
  emulator.resetSwitches();
  for (const world of [home, many]) {
    world.advance(10 * 60_000);
  }
});

/** A call of somebody of the home tenant with a new token. */
function callFromHome(user: string, world = many): Promise<Response> {
  return world.call('/me', { token: world.token(user, { lifetimeSeconds: 24 * 3_600 }) });
}

/** A call of somebody of the other tenant with a new token. */
function callFromPartner(): Promise<Response> {
  const token = many.token('guest', { tenant: PARTNER_TENANT_ID, lifetimeSeconds: 24 * 3_600 });
  return many.call('/me', { token });
}

/** Everybody of the home tenant calls, often enough to open a circuit. */
async function crowdFromHome(): Promise<void> {
  const users = ['adele', 'megan', 'blocked'];
  await Promise.all(Array.from({ length: 12 }, (_, index) => callFromHome(users[index % users.length] ?? '')));
}

async function readiness({ managementUrl }: GatewayWorld): Promise<number> {
  return (await fetch(`${managementUrl}/readyz`)).status;
}

describe('one tenant that Entra', () => {
  it.each([
    {
      what: 'throttles',
      refusal: { error: 'temporarily_unavailable', error_codes: [90055], status: 429, retryAfter: '300' },
    },
    { what: 'calls throttled in another way', refusal: { error: 'invalid_grant', error_codes: [90055] } },
    { what: 'says to be throttled with 503', refusal: { error: 'server_error', error_codes: [90055], status: 503 } },
    { what: 'fails', refusal: { error: 'server_error', error_codes: [90033], status: 500 } },
  ])('$what waits alone: the others are served meanwhile', async ({ refusal }) => {
    emulator.switches.refuse = refusal;
    await crowdFromHome();
    emulator.resetSwitches();
    const before = emulator.exchanges.length;
    const alone = await callFromHome('adele');
    const asked = emulator.exchanges.length - before;
    expect([alone.status, asked, (await callFromPartner()).status]).toEqual([503, 0, 200]);
  });

  it('throttles with a page of text waits alone, too', async () => {
    Object.assign(emulator.switches, { entra: 'throttled', retryAfter: '300' });
    await crowdFromHome();
    emulator.resetSwitches();
    expect([(await callFromHome('adele')).status, (await callFromPartner()).status]).toEqual([503, 200]);
  });

  it('sees in a loop loses nothing: that is about one user', async () => {
    emulator.switches.refuse = { error: 'invalid_grant', error_codes: [50196], retryAfter: '300' };
    await crowdFromHome();
    emulator.resetSwitches();
    expect((await callFromHome('adele')).status).toBe(200);
  });
});

describe('what if Entra fails everyone', () => {
  it('after failures of two tenants nobody asks it until one exchange is let through', async () => {
    emulator.switches.entra = 'empty200';
    const sixTimes = [0, 1, 2, 3, 4, 5];
    await Promise.all([
      ...sixTimes.map(callFromPartner),
      ...sixTimes.map((time) => callFromHome(time % 2 === 0 ? 'adele' : 'megan')),
    ]);
    emulator.resetSwitches();
    const before = emulator.exchanges.length;
    const refused = await Promise.all([callFromPartner(), callFromHome('blocked')]);
    const asked = emulator.exchanges.length - before;
    many.advance(5_000);
    expect([refused.map(({ status }) => status), asked, (await callFromPartner()).status]).toEqual([
      [503, 503],
      0,
      200,
    ]);
  });
});

/** A refusal, and what it says about the readiness with one tenant and with several. */
const REFUSALS: readonly [what: string, error: string, codes: number[], alone: number, together: number][] = [
  ['the secret is wrong', 'invalid_client', [7000215], 503, 503],
  ['the secret is wrong, in the old words', 'invalid_client', [70002, 7000215], 503, 503],
  ['the secret expired', 'invalid_client', [7000222], 503, 503],
  ['the secret expired, whatever the error', 'invalid_request', [7000222], 503, 503],
  ['the certificate is unknown', 'invalid_client', [700027], 503, 503],
  ['the certificate was revoked', 'invalid_client', [7000214], 503, 503],
  ['the assertion is out of its time', 'invalid_client', [700024], 503, 503],
  ['no federated credential fits', 'invalid_client', [70021], 503, 503],
  ['no federated credential has the issuer', 'invalid_client', [700211], 503, 503],
  ['no federated credential has the subject', 'invalid_request', [700213], 503, 503],
  ['the client is refused without a code', 'invalid_client', [], 503, 503],
  ['the app is not in the tenant', 'unauthorized_client', [700016], 503, 200],
  ['the app is disabled in the tenant', 'unauthorized_client', [7000112], 503, 200],
  ['the tenant does not exist', 'invalid_request', [90002], 503, 200],
  ['one permission is missing', 'invalid_client', [650057], 200, 200],
  ['one permission is missing, in another way', 'unauthorized_client', [650057], 200, 200],
  ['one permission is missing, among old words', 'invalid_client', [70002, 650057], 200, 200],
  ['the tenant has no subscription', 'invalid_client', [650052], 200, 200],
  ['the tenant has no subscription, in another way', 'unauthorized_client', [650052], 200, 200],
  ['permissions are disabled', 'invalid_client', [650054], 200, 200],
  ['permissions are badly listed', 'unauthorized_client', [650056], 200, 200],
  ['the downstream is not in the tenant', 'invalid_resource', [500011], 200, 200],
  ['the app may not act for this user', 'invalid_client', [7000114], 200, 200],
  ['the user is not assigned', 'unauthorized_client', [50105], 200, 200],
  ['something that nobody knows', 'invalid_client', [7999999], 200, 200],
  ['something that nobody knows of the client', 'unauthorized_client', [7999999], 200, 200],
];

describe('the readiness', () => {
  it.each(REFUSALS)('after "%s" (%s, %j): %i with one tenant, %i with several', async (...row) => {
    const [, error, error_codes, alone, together] = row;
    emulator.switches.refuse = { error, error_codes, status: 401 };
    await Promise.all([callFromHome('adele', home), callFromHome('adele', many)]);
    expect([await readiness(home), await readiness(many)]).toEqual([alone, together]);
  });
});

describe.each([
  { code: 650052, error: 'invalid_client', status: 401 },
  { code: 500011, error: 'invalid_resource', status: 400 },
])('a tenant without the downstream API ($code)', ({ code, error, status }) => {
  const refusal = { error, error_codes: [code], status };

  it('gets the address where its own administrator lets the API in', async () => {
    emulator.switches.refuse = refusal;
    const response = await callFromPartner();
    const problem = await readProblem(response);
    const uri = new URL(problem.consentUri ?? '');
    expect([response.status, problem.code, problem.scopes, uri.origin + uri.pathname]).toEqual([
      403,
      'consent_required',
      ['https://graph.microsoft.com/User.Read'],
      `${emulator.origin}/${PARTNER_TENANT_ID}/v2.0/adminconsent`,
    ]);
    expect(Object.fromEntries(uri.searchParams)).toEqual({
      client_id: GATEWAY_CLIENT_ID,
      redirect_uri: `${emulator.origin}/consented`,
      scope: 'https://graph.microsoft.com/User.Read',
    });
    expect(response.headers.get('www-authenticate')).toContain('error="consent_required", scope="');
  });

  it('gets it for its applications, too', async () => {
    emulator.switches.refuse = refusal;
    const token = emulator.issueAccessToken({ app: 'daemon', lifetimeSeconds: 24 * 3_600 });
    const problem = await readProblem(await many.call('/orders', { token }));
    expect([problem.code, problem.scopes, new URL(problem.consentUri ?? '').pathname]).toEqual([
      'consent_required',
      ['api://orders/.default'],
      `/${HOME_TENANT_ID}/v2.0/adminconsent`,
    ]);
  });

  it('is told apart in the log: it is nothing that the operator has to put right', async () => {
    emulator.switches.refuse = refusal;
    const response = await callFromPartner();
    expect(await many.log.of(response.headers.get('x-request-id'))).toMatchObject({
      level: 'info',
      code: 'consent_required',
      entra: { codes: [`AADSTS${code}`] },
      remedy: expect.stringContaining('administrator of that tenant'),
    });
  });

  it('is the gateway’s own fault where it serves that tenant alone', async () => {
    emulator.switches.refuse = refusal;
    const response = await callFromHome('adele', home);
    expect([response.status, (await readProblem(response)).code]).toEqual([500, 'gateway_misconfigured']);
  });
});
