import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DAEMON_CLIENT_ID, GATEWAY_CLIENT_ID, HOME_TENANT_ID, PARTNER_TENANT_ID } from '../../dev/emulator/world.ts';
import { valuesOf } from '../support/gateway-downstream.ts';
import { scope } from '../support/gateway-contract.ts';
import { readChallenge, readProblem, startGatewayWorld, type GatewayWorld } from '../support/gateway-world.ts';
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

describe('a scope without a resource', () => {
  it('is asked for by its whole name, because the cloud decides which API it is of', async () => {
    const bare = await startGatewayWorld({ scopes: ['User.Read', 'Mail.Read'] });
    const [served, refused] = [
      await bare.call('/me', { token: bare.token('adele') }),
      await bare.call('/me', { token: bare.token('newcomer') }),
    ];
    const [exchange] = bare.emulator.exchanges;
    const problem = await readProblem(refused);
    await bare.close();
    const whole = ['https://graph.microsoft.com/User.Read', 'https://graph.microsoft.com/Mail.Read'];
    expect([served.status, refused.status, problem.scopes]).toEqual([200, 403, whole]);
    expect(exchange?.scope?.split(' ')).toEqual(expect.arrayContaining(whole));
  });
});

/** The scopes that a challenge names. */
function asked(response: Response): string | undefined {
  return new Map(readChallenge(response)).get('scope');
}

describe('what a client learns of the scopes before it has a token', () => {
  it.each([
    { path: '/me', scopes: scope('Profile.Read') },
    { path: '/orders', scopes: scope('Orders.Read') },
    { path: '/payouts', method: 'POST', scopes: scope('Orders.ReadWrite') },
  ])('$path names what it asks of a user, without a token and with a bad one', async ({ path, method, scopes }) => {
    const init = method === undefined ? {} : { method };
    const answers = await Promise.all([
      home.call(path, init),
      home.call(path, { ...init, headers: { authorization: 'Basic x' } }),
      home.call(path, { ...init, token: 'bad' }),
      home.call(path, { ...init, token: home.token('adele', { claims: { aud: 'api://other' } }) }),
    ]);
    expect(answers.map((answer) => [answer.status, asked(answer)])).toEqual(answers.map(() => [401, scopes]));
  });

  it('also when it is Entra that takes the token no more', async () => {
    const own = await startGatewayWorld();
    own.emulator.switches.refuse = { error: 'invalid_grant', error_codes: [50173], suberror: 'bad_token' };
    const response = await own.call('/me', { token: own.token('adele') });
    const { code } = await readProblem(response);
    await own.close();
    expect([response.status, code, asked(response)]).toEqual([401, 'invalid_token', scope('Profile.Read')]);
  });

  it('nothing of a path that does not exist, or of a request that nobody can read', async () => {
    const [missing, malformed] = await Promise.all([home.call('/nothing'), home.call('/me', { token: 'two tokens' })]);
    expect([missing.status, asked(missing), malformed.status, asked(malformed)]).toEqual([
      404,
      undefined,
      400,
      undefined,
    ]);
  });
});

describe('a person whose token looks like an application’s', () => {
  it.each([
    { what: 'roles and neither scp nor idtyp', claims: { idtyp: undefined } },
    { what: 'roles and an empty scp', claims: { scp: '', idtyp: undefined } },
    { what: 'roles, and its own object as its subject', claims: { idtyp: undefined, sub: 'same', oid: 'same' } },
  ])('is refused with $what: the downstream is never called as the gateway itself', async ({ claims }) => {
    const token = home.token('adele', { roles: ['Orders.Read.All'], claims: { scp: undefined, ...claims } });
    const response = await home.call('/orders', { token });
    expect([response.status, (await readProblem(response)).code]).toEqual([401, 'invalid_token']);
    expect([home.emulator.exchanges, home.downstream.requests]).toEqual([[], []]);
  });
});

describe('a token that is bound to a key', () => {
  it('is accepted by default, and the line of the request says so', async () => {
    const [bound, plain] = [{ cnf: { jkt: 'x' } }, {}].map((claims) => home.token('adele', { claims }));
    const lines = await Promise.all(
      [bound, plain].map(async (token) => {
        const response = await home.call('/me', { token: token ?? '' });
        return home.log.of(response.headers.get('x-request-id'));
      }),
    );
    expect(lines.map(({ status, boundToken }) => [status, boundToken])).toEqual([
      [200, true],
      [200, undefined],
    ]);
  });

  it('is refused where gateway.yaml says so', async () => {
    const strict = await startGatewayWorld({ emulator: home.emulator, identity: { boundTokens: 'refuse' } });
    const response = await strict.call('/me', { token: strict.token('adele', { claims: { cnf: { jkt: 'x' } } }) });
    const line = await strict.log.of(response.headers.get('x-request-id'));
    await strict.close();
    expect([response.status, line['code'], line['reason']]).toEqual([
      401,
      'invalid_token',
      expect.stringContaining('identity.boundTokens'),
    ]);
  });
});

describe('what the log says of a token for another API', () => {
  it('is the audience that came', async () => {
    const response = await home.call('/me', { token: home.token('adele', { claims: { aud: 'api://other' } }) });
    expect(await home.log.of(response.headers.get('x-request-id'))).toMatchObject({
      code: 'invalid_token',
      reason: expect.stringContaining('identity.audiences'),
      aud: 'api://other',
    });
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
