import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findApp } from '../../dev/emulator/world-model.ts';
import { DAEMON_CLIENT_ID, GATEWAY_CLIENT_ID } from '../../dev/emulator/world.ts';
import { startWorld, type DemoWorld } from '../../dev/world.ts';
import { runRecipe, throttleGateway } from './recipe.ts';

let world: DemoWorld;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

/** Does something once the daemon has its token. */
function afterItsToken(act: () => void): void {
  world.emulator.onRequest(({ exchange }) => {
    if (exchange?.clientId === DAEMON_CLIENT_ID) {
      act();
    }
  });
}

describe('examples/daemon', () => {
  it('prints the orders, which its app role allows', async () => {
    const { code, output, told } = await runRecipe('daemon', world);
    expect([code, told]).toEqual([0, []]);
    expect(JSON.parse(output)).toMatchObject({ value: expect.any(Array) });
  });

  it('gets another token past its cache when the gateway does not take the first', async () => {
    world.emulator.switches.tokenLifetimeSeconds = -120;
    afterItsToken(() => {
      world.emulator.switches.tokenLifetimeSeconds = 3600;
    });
    const { code } = await runRecipe('daemon', world);
    const own = world.emulator.exchanges.filter(({ clientId }) => clientId === DAEMON_CLIENT_ID);
    expect([code, own.length]).toEqual([0, 2]);
  });

  it.each([
    { path: '/me', why: 'the operation is for people' },
    { path: '/orders/export', why: 'its app role is not for the operation' },
  ])('fails with the reason when $why', async ({ path }) => {
    const { code, told } = await runRecipe('daemon', world, { args: [path] });
    expect([code, told]).toEqual([1, [expect.stringMatching(/^Refused with 403: \w+/)]]);
  });

  it('sends the reader to its registration when nobody granted it a role', async () => {
    const daemon = findApp(world.emulator.world, DAEMON_CLIENT_ID);
    const roles = daemon?.grantedAppRoles[GATEWAY_CLIENT_ID] ?? [];
    roles.splice(0);
    const { code, told } = await runRecipe('daemon', world);
    expect([code, told]).toEqual([1, [expect.stringContaining('check its registration')]]);
  });

  it('is told of no challenge, as nobody could satisfy it: what Entra asks of the gateway is for its operator', async () => {
    afterItsToken(() => {
      const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
      world.emulator.switches.refuse = { error: 'interaction_required', error_codes: [50076], claims };
    });
    const { code, told } = await runRecipe('daemon', world);
    expect([code, told]).toEqual([1, [expect.stringMatching(/^Refused with 500: \w+/)]]);
  });

  it('waits as the 503 says, and calls again', async () => {
    throttleGateway(world);
    const { code, told } = await runRecipe('daemon', world);
    expect([code, told]).toEqual([0, ['The API is busy; trying again in 1 s.']]);
  });

  it('leaves it to a later run when the API stays busy', async () => {
    world.emulator.switches.retryAfter = '1';
    afterItsToken(() => {
      world.emulator.switches.entra = 'throttled';
    });
    const { code, told } = await runRecipe('daemon', world);
    expect([code, told.at(-1)]).toEqual([75, expect.stringMatching(/run this again in \d s\.$/)]);
  });
});
