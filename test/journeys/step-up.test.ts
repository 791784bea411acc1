import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { readChallenge, readClaims, readProblem, startGatewayWorld } from '../support/gateway-world.ts';

const world = await startGatewayWorld();
const { emulator, downstream } = world;
afterAll(() => world.close());
afterEach(() => {
  emulator.resetSwitches();
  downstream.reset();
});

const C1 = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
let issued = Math.floor(Date.now() / 1_000) - 1_000;

/** A token that is newer than all before. */
function newerToken(user: string, more: { acrs?: string[]; client?: string } = {}): string {
  issued += 1;
  return world.token(user, { ...more, claims: { iat: issued } });
}

function payOut(token: string): Promise<Response> {
  return world.call('/payouts', { method: 'POST', token, body: '{}' });
}

function payOutAsAdele(): Promise<Response> {
  return payOut(newerToken('adele'));
}

function callAsAdele(): Promise<Response> {
  return world.call('/me', { token: newerToken('adele') });
}

function callAsMegan(): Promise<Response> {
  return world.call('/me', { token: newerToken('megan') });
}

/** Makes calls one after another. */
async function statusesOf(calls: readonly (() => Promise<Response>)[]): Promise<number[]> {
  const statuses: number[] = [];
  for (const call of calls) {
    statuses.push((await call()).status);
  }
  return statuses;
}

describe('an operation needs an authentication context', () => {
  it('the gateway asks for it itself, in Microsoft’s form and without asking Entra', async () => {
    const before = emulator.exchanges.length;
    const response = await payOut(newerToken('guest'));
    expect([response.status, (await readProblem(response)).code, readClaims(response)]).toEqual([
      401,
      'insufficient_claims',
      C1,
    ]);
    expect(readChallenge(response).map(([name]) => name)).toEqual([
      'realm',
      'authorization_uri',
      'client_id',
      'error',
      'cc_type',
      'resource_metadata',
      'claims',
    ]);
    expect(new Map(readChallenge(response)).get('cc_type')).toBe('authcontext');
    expect(emulator.exchanges).toHaveLength(before);
  });

  it('a token that has it passes', async () => {
    expect((await payOut(newerToken('guest', { acrs: ['c1'] }))).status).toBe(200);
  });

  it('another context does not do', async () => {
    expect((await payOut(newerToken('blocked', { acrs: ['c2', 'c10'] }))).status).toBe(401);
  });

  it('other operations do not ask for it', async () => {
    expect((await world.call('/me', { token: newerToken('guest') })).status).toBe(200);
  });
});

describe('a step-up that leads nowhere', () => {
  it('is refused the third time that a newer token meets the same challenge', async () => {
    expect(await statusesOf([payOutAsAdele, payOutAsAdele])).toEqual([401, 401]);
    const third = await payOutAsAdele();
    expect([third.status, third.headers.get('www-authenticate')]).toEqual([403, null]);
    expect(await readProblem(third)).toMatchObject({ code: 'step_up_unsatisfiable' });
  });

  it('is not counted while the client comes back with the same token', async () => {
    const token = newerToken('megan');
    const call = (): Promise<Response> => payOut(token);
    expect(await statusesOf([call, call, call, call])).toEqual([401, 401, 401, 401]);
  });

  it('is not counted across users or clients', async () => {
    expect(
      await statusesOf([
        () => payOut(newerToken('revoked')),
        () => payOut(newerToken('revoked', { client: 'daemon' })),
        () => payOut(newerToken('newcomer')),
        () => payOut(newerToken('revoked')),
      ]),
    ).toEqual([401, 401, 401, 401]);
  });

  it('is forgotten after ten minutes', async () => {
    expect(await statusesOf([payOutAsAdele])).toEqual([403]);
    world.advance(10 * 60_000);
    expect(await statusesOf([payOutAsAdele])).toEqual([401]);
  });

  it('is noticed too when Entra is the one who asks, as location policies do', async () => {
    emulator.switches.refuse = {
      error: 'interaction_required',
      error_codes: [53003],
      claims: '{"access_token":{"capolids":{"essential":true,"values":["location"]}}}',
    };
    expect(await statusesOf([callAsMegan, callAsMegan, callAsMegan])).toEqual([401, 401, 403]);
  });
});

function callAsNewcomer(): Promise<Response> {
  return world.call('/me', { token: newerToken('newcomer') });
}

/** Entra refuses the call. */
function refused(): Promise<Response> {
  emulator.switches.refuse = { error: 'invalid_grant', error_codes: [50173] };
  return callAsAdele();
}

/** Entra has nothing against the call. */
function served(): Promise<Response> {
  emulator.resetSwitches();
  return callAsAdele();
}

describe('a new sign-in that leads nowhere', () => {
  it.each([
    { what: 'an interaction', refusal: { error: 'invalid_grant', error_codes: [53000] } },
    { what: 'an interaction with a suberror', refusal: { error: 'interaction_required', suberror: 'basic_action' } },
    { what: 'a new token', refusal: { error: 'invalid_grant', error_codes: [50173], suberror: 'bad_token' } },
    { what: 'what nobody knows', refusal: { error: 'invalid_grant', error_codes: [7_999_999] } },
  ])('is refused the third time that Entra asks for $what', async ({ refusal }) => {
    emulator.switches.refuse = { error_codes: [], ...refusal };
    expect(await statusesOf([callAsNewcomer, callAsNewcomer])).toEqual([401, 401]);
    const third = await callAsNewcomer();
    expect([third.status, third.headers.get('www-authenticate')]).toEqual([403, null]);
    expect(await readProblem(third)).toMatchObject({ code: 'step_up_unsatisfiable' });
  });

  it('is refused, too, when a downstream asks in a way that nobody can read', async () => {
    downstream.answer = (_req, res) => res.writeHead(401, { 'www-authenticate': 'Bearer claims="e30"' }).end();
    expect(await statusesOf([callAsMegan, callAsMegan, callAsMegan])).toEqual([401, 401, 403]);
  });

  it('is no loop for a user whose next call goes well', async () => {
    expect(await statusesOf([refused, served, refused, served, refused, served])).toEqual([
      401, 200, 401, 200, 401, 200,
    ]);
  });
});

describe('tokens that the gateway finds good and Entra does not (AADSTS50013)', () => {
  it('are the operator’s matter from the third on, and the log names the signing key', async () => {
    emulator.switches.refuse = { error: 'invalid_grant', error_codes: [50013] };
    const call = (): Promise<Response> => world.call('/me', { token: newerToken('blocked') });
    expect(await statusesOf([call, call])).toEqual([401, 401]);
    const third = await call();
    expect([third.status, (await readProblem(third)).code]).toEqual([500, 'gateway_misconfigured']);
    expect(await world.log.of(third.headers.get('x-request-id'))).toMatchObject({
      level: 'error',
      entra: { codes: ['AADSTS50013'] },
      remedy: expect.stringMatching(/signing key.*claims mapping.*SAML.*acceptMappedClaims/),
    });
    expect((await fetch(`${world.managementUrl}/readyz`)).status).toBe(200);
  });
});

/** A tab whose token lacks the context. */
function asked(): Promise<Response> {
  return payOut(newerToken('guest', { client: 'desktop' }));
}

/** The same tab after the step-up. */
function answered(): Promise<Response> {
  return payOut(newerToken('guest', { client: 'desktop', acrs: ['c1'] }));
}

describe('a user with many tabs', () => {
  it('may be asked in each of them, as long as the answers are good', async () => {
    expect(await statusesOf([asked, answered, asked, answered, asked, answered])).toEqual([
      401, 200, 401, 200, 401, 200,
    ]);
  });
});

describe('a challenge that names another time in each round', () => {
  it('is the same challenge all the same', async () => {
    const statuses = [];
    for (let round = 0; round < 3; round += 1) {
      const claims = `{"access_token":{"nbf":{"essential":true,"value":"${round}"},"xms_rp_ipaddr":{"value":"1.2.3.4"}}}`;
      emulator.switches.refuse = { error: 'invalid_grant', error_codes: [50076], claims };
      statuses.push((await callAsMegan()).status);
    }
    expect(statuses).toEqual([401, 401, 403]);
  });
});
