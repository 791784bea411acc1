import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { GATEWAY_CLIENT_ID, HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import { readProblem, startGatewayWorld } from '../support/gateway-world.ts';

const world = await startGatewayWorld();
const { emulator } = world;
const withoutUri = await startGatewayWorld({ emulator, identity: { consentRedirectUri: undefined } });
afterAll(async () => {
  await withoutUri.close();
  await world.close();
});
afterEach(() => emulator.resetSwitches());

const GRAPH_SCOPE = 'https://graph.microsoft.com/User.Read';

describe('the user never agreed that the gateway may call the downstream', () => {
  it('the problem says for what, and where to agree', async () => {
    const problem = await readProblem(await world.call('/me', { token: world.token('newcomer') }));
    const uri = new URL(problem.consentUri ?? '');
    expect(problem.scopes).toEqual([GRAPH_SCOPE]);
    expect(`${uri.origin}${uri.pathname}`).toBe(`${emulator.origin}/${HOME_TENANT_ID}/oauth2/v2.0/authorize`);
    expect(Object.fromEntries(uri.searchParams)).toEqual({
      client_id: GATEWAY_CLIENT_ID,
      redirect_uri: `${emulator.origin}/consented`,
      scope: GRAPH_SCOPE,
      response_type: 'code',
      response_mode: 'query',
      prompt: 'consent',
    });
  });

  it('an administrator is needed: the address is the administrators’', async () => {
    emulator.switches.refuse = { error: 'invalid_grant', error_codes: [90094] };
    const problem = await readProblem(await world.call('/me', { token: world.token('adele') }));
    expect(new URL(problem.consentUri ?? '').pathname).toBe(`/${HOME_TENANT_ID}/v2.0/adminconsent`);
  });

  it('without consentRedirectUri there are scopes but no address', async () => {
    const problem = await readProblem(await withoutUri.call('/me', { token: withoutUri.token('newcomer') }));
    expect([problem.scopes, problem.consentUri]).toEqual([[GRAPH_SCOPE], undefined]);
  });

  it('after consent a new token works at once, and the old one a minute later', async () => {
    const old = world.token('newcomer');
    await world.call('/me', { token: old });
    emulator.world.consents.push({
      tenant: HOME_TENANT_ID,
      user: 'everyone',
      client: GATEWAY_CLIENT_ID,
      resource: '00000003-0000-0000-c000-000000000000',
      scopes: ['User.Read'],
    });
    const statuses = [];
    statuses.push((await world.call('/me', { token: world.token('newcomer') })).status);
    statuses.push((await world.call('/me', { token: old })).status);
    world.advance(60_000);
    statuses.push((await world.call('/me', { token: old })).status);
    expect(statuses).toEqual([200, 403, 200]);
  });
});
