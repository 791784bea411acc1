import { afterAll, describe, expect, it } from '@jest/globals';
import { startWorld } from '../../dev/world.ts';
import { runRecipe, throttleGateway } from './recipe.ts';

const world = await startWorld();
afterAll(() => world.close());

describe('examples/desktop', () => {
  it('prints the answer after a sign-in in the browser', async () => {
    const { code, output, asked } = await runRecipe('desktop', world, { person: { user: 'adele' } });
    expect([code, asked]).toEqual([0, ['sign-in']]);
    expect(JSON.parse(output)).toMatchObject({ displayName: 'Adele Vance' });
  });

  it('takes the claims of a challenge to the browser and calls again', async () => {
    const person = { user: 'megan', mfa: 'approved' };
    const { code, output, asked } = await runRecipe('desktop', world, { person });
    expect([code, asked]).toEqual([0, ['sign-in', 'sign-in']]);
    expect(JSON.parse(output)).toMatchObject({ displayName: 'Megan Bowen' });
  });

  it('shows the consent page, and calls again when the user is back', async () => {
    const person = { user: 'newcomer', consent: 'granted' };
    const { code, output, asked } = await runRecipe('desktop', world, { person });
    expect([code, asked]).toEqual([0, ['sign-in', 'consent']]);
    expect(JSON.parse(output)).toMatchObject({ displayName: 'Nestor Newcomer' });
  });

  it('waits as the 503 says, and calls again', async () => {
    const stop = throttleGateway(world);
    const { code, told } = await runRecipe('desktop', world, { person: { user: 'adele' } });
    stop();
    expect([code, told]).toEqual([0, expect.arrayContaining(['The API is busy; trying again in 1 s.'])]);
  });

  it('says why when nothing helps, and fails', async () => {
    const { code, told } = await runRecipe('desktop', world, { args: ['/orders'], person: { user: 'adele' } });
    expect([code, told.at(-1)]).toEqual([1, expect.stringMatching(/^Refused with 403: \w+/)]);
  });
});
