import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DAEMON_CLIENT_ID, GATEWAY_CLIENT_ID, HOME_TENANT_ID, PARTNER_TENANT_ID } from '../../dev/emulator/world.ts';
import { valuesOf } from '../support/gateway-downstream.ts';
import { readProblem, startGatewayWorld, type GatewayWorld } from '../support/gateway-world.ts';
import { claimsOf } from '../dev/token-requests.ts';

const home = await startGatewayWorld();
const many = await startGatewayWorld({ identity: { tenant: 'organizations', allowedTenants: [PARTNER_TENANT_ID] } });
afterAll(() => Promise.all([home.close(), many.close()]));
beforeEach(() => {
  for (const { emulator, downstream } of [home, many]) {
    emulator.exchanges.length = 0;
    downstream.reset();
  }
});

/** The claims of the token that the downstream got. */
function downstreamClaims({ downstream }: GatewayWorld): Record<string, unknown> {
  const [authorization = ''] = valuesOf(downstream.last.rawHeaders, 'authorization');
  return claimsOf(authorization.replace('Bearer ', ''));
}

describe('a program calls as itself', () => {
  it('with its role: the gateway calls the downstream as itself, not on behalf of', async () => {
    const response = await home.call('/orders', { token: home.emulator.issueAccessToken({ app: 'daemon' }) });
    expect(response.status).toBe(200);
    expect(home.emulator.exchanges).toEqual([
      expect.objectContaining({
        grantType: 'client_credentials',
        scope: expect.stringContaining('api://orders/.default'),
      }),
    ]);
    expect(downstreamClaims(home)).toMatchObject({ azp: GATEWAY_CLIENT_ID, roles: ['Orders.Read.All'] });
  });

  it('all programs share one token of the gateway', async () => {
    const call = (app: string): Promise<Response> =>
      home.call('/orders', { token: home.emulator.issueAccessToken({ app, roles: ['Orders.Read.All'] }) });
    const statuses = [(await call('daemon')).status, (await call('desktop')).status];
    expect([statuses, home.emulator.exchanges.length]).toEqual([[200, 200], 0]);
  });

  it('a user who has such a role but not the scope does not pass as a program', async () => {
    const token = home.token('adele', { scopes: ['Profile.Read'], roles: ['Orders.Read.All'] });
    expect((await home.call('/orders', { token })).status).toBe(403);
  });
});

describe('whose token does the downstream get', () => {
  it.each([1, 2] as const)('the caller’s own, for the downstream (v%d tokens)', async (version) => {
    const token = home.token('adele', { version });
    expect((await home.call('/me', { token })).status).toBe(200);
    expect(downstreamClaims(home)).toMatchObject({ oid: claimsOf(token)['oid'], aud: 'https://graph.microsoft.com' });
    expect(valuesOf(home.downstream.last.rawHeaders, 'authorization')).not.toContain(`Bearer ${token}`);
  });

  it('twenty people at once: each their own', async () => {
    const users = ['adele', 'guest', 'adele', 'guest'];
    const tokens = Array.from({ length: 20 }, (_, index) => home.token(users[index % 4] ?? ''));
    home.downstream.answer = (req, res) => res.end(String(claimsOf(req.headers.authorization?.slice(7))['oid']));
    const answers = await Promise.all(tokens.map(async (token) => (await home.call('/me', { token })).text()));
    expect(answers).toEqual(tokens.map((token) => claimsOf(token)['oid']));
  });

  it('none, for an anonymous operation, even when the caller sends one', async () => {
    await home.call('/open', { token: home.token('adele') });
    expect([valuesOf(home.downstream.last.rawHeaders, 'authorization'), home.emulator.exchanges]).toEqual([[], []]);
  });

  it('the client can take claims challenges: Entra is told so', async () => {
    await home.call('/me', { token: home.token('adele', { capabilities: ['CP1'] }) });
    await home.call('/me', { token: home.token('adele') });
    expect(home.emulator.exchanges.map(({ claims }) => claims?.includes('cp1') ?? false)).toEqual([true, false]);
  });
});

describe('people of several tenants', () => {
  it('a guest is exchanged where the token was issued', async () => {
    const atHome = await home.call('/me', { token: home.token('guest') });
    const away = await many.call('/me', { token: many.token('guest', { tenant: PARTNER_TENANT_ID }) });
    expect([atHome.status, home.emulator.exchanges.map(({ tenant }) => tenant)]).toEqual([200, [HOME_TENANT_ID]]);
    expect([away.status, many.emulator.exchanges.map(({ tenant }) => tenant)]).toEqual([200, [PARTNER_TENANT_ID]]);
  });

  it('a tenant that is not on the list is denied, without a challenge', async () => {
    const response = await many.call('/me', { token: many.token('adele') });
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([403, null]);
    expect(await readProblem(response)).toMatchObject({ code: 'access_denied' });
  });

  it('a token whose issuer is one tenant and whose tid another is refused', async () => {
    const foreign = claimsOf(many.token('adele'));
    const token = many.token('guest', { tenant: PARTNER_TENANT_ID, claims: { iss: foreign['iss'] } });
    expect((await many.call('/me', { token })).status).toBe(401);
  });

  it('a v1 token of an allowed tenant passes', async () => {
    const token = many.token('guest', { tenant: PARTNER_TENANT_ID, version: 1 });
    expect((await many.call('/me', { token })).status).toBe(200);
  });
});

describe('only some clients may call', () => {
  it('the client on the list passes, whatever the case of its id', async () => {
    const strict = await startGatewayWorld({
      emulator: home.emulator,
      identity: { allowedClients: [DAEMON_CLIENT_ID.toUpperCase()] },
    });
    try {
      const call = (client: string): Promise<Response> =>
        strict.call('/me', { token: strict.token('adele', { client }) });
      expect([(await call('daemon')).status, (await call('desktop')).status]).toEqual([200, 403]);
    } finally {
      await strict.close();
    }
  });
});

describe('what Entra asks of the gateway’s own token', () => {
  it.each([
    { error_codes: [53003], claims: '{"access_token":{"capolids":{"essential":true,"values":["a"]}}}' },
    { error_codes: [50173], suberror: 'bad_token' },
    { error_codes: [65001], suberror: 'consent_required' },
  ])('is for the operator, because no daemon can give it: $error_codes', async (refusal) => {
    const own = await startGatewayWorld();
    own.emulator.switches.refuse = { error: 'invalid_grant', ...refusal };
    const response = await own.call('/orders', { token: own.emulator.issueAccessToken({ app: 'daemon' }) });
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([500, null]);
    await own.close();
  });
});
