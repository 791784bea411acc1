import { afterAll, describe, expect, it } from '@jest/globals';
import { startWorld } from '../../dev/world.ts';
import { runRecipe, throttleGateway } from './recipe.ts';

const world = await startWorld();
world.emulator.switches.deviceCodeInterval = 0.05;
afterAll(() => world.close());

describe('examples/command-line', () => {
  it('prints the answer after a sign-in with a device code', async () => {
    const { code, output, asked } = await runRecipe('command-line', world, { person: { user: 'adele' } });
    expect([code, asked]).toEqual([0, ['code']]);
    expect(JSON.parse(output)).toMatchObject({ displayName: 'Adele Vance' });
  });

  it('shows a second code for the claims of a challenge, and calls again', async () => {
    const person = { user: 'megan', mfa: 'approved' };
    const { code, output, asked } = await runRecipe('command-line', world, { args: ['/me/messages'], person });
    expect([code, asked]).toEqual([0, ['code', 'code']]);
    expect(JSON.parse(output)).toMatchObject({ value: expect.any(Array) });
  });

  it('shows the consent page, and calls again when the user is back', async () => {
    const person = { user: 'newcomer', consent: 'granted' };
    const { code, output, asked } = await runRecipe('command-line', world, { person });
    expect([code, asked]).toEqual([0, ['code', 'consent']]);
    expect(JSON.parse(output)).toMatchObject({ displayName: 'Nestor Newcomer' });
  });

  it('waits as the 503 says, and calls again', async () => {
    const stop = throttleGateway(world);
    const { code, told } = await runRecipe('command-line', world, { person: { user: 'adele' } });
    stop();
    expect([code, told.at(-1)]).toEqual([0, 'The API is busy; trying again in 1 s.']);
  });

  it('says why when nothing helps, and fails', async () => {
    const { code, told } = await runRecipe('command-line', world, { args: ['/orders'], person: { user: 'adele' } });
    expect([code, told.at(-1)]).toEqual([1, expect.stringMatching(/^Refused with 403: \w+/)]);
  });
});
