import { afterAll, describe, expect, it } from '@jest/globals';
import { GATEWAY_CLIENT_ID } from '../../dev/emulator/world.ts';
import { startWorld } from '../../dev/world.ts';
import { runRecipe, throttleGateway, type RecipeOptions } from './recipe.ts';

const world = await startWorld();
world.emulator.switches.deviceCodeInterval = 0.05;
afterAll(() => world.close());

function as(alias: string): Required<Pick<RecipeOptions, 'env' | 'person'>> {
  return {
    env: { SIGN_IN_NAME: `${alias}@contoso.com`, SIGN_IN_PASSWORD: `demo-password-of-${alias}` },
    person: { user: alias, mfa: 'approved', consent: 'granted' },
  };
}

describe('examples/password', () => {
  it('needs no page where one factor is enough', async () => {
    const { code, output, asked } = await runRecipe('password', world, as('adele'));
    expect([code, asked]).toEqual([0, []]);
    expect(JSON.parse(output)).toMatchObject({ displayName: 'Adele Vance' });
  });

  it('cannot satisfy a claims challenge of the gateway, says so and moves on to a device code', async () => {
    const { code, output, told, asked } = await runRecipe('password', world, as('megan'));
    expect([code, told[0], asked]).toEqual([0, 'Entra wants more than a password (AADSTS50076).', ['code']]);
    expect(JSON.parse(output)).toMatchObject({ displayName: 'Megan Bowen' });
  });

  it('cannot even sign in where a policy asks for MFA on the gateway, says so and moves on', async () => {
    const policy = {
      id: '5b0c3d12-7e4f-4a69-b8d1-2c6f9e0a7b34',
      name: 'MFA for Megan on the gateway',
      on: GATEWAY_CLIENT_ID,
      users: ['megan'],
      requires: 'mfa' as const,
      enabled: true,
    };
    world.emulator.world.policies.push(policy);
    const seen = world.emulator.exchanges.length;
    const { code, told, asked } = await runRecipe('password', world, as('megan'));
    policy.enabled = false;
    expect([code, told[0], asked]).toEqual([0, 'Entra wants more than a password (AADSTS50076).', ['code']]);
    expect(world.emulator.exchanges[seen]).toMatchObject({ grantType: 'password', status: 400, errorCode: 50076 });
  });

  it('lets the user sign in on a page when the password is wrong', async () => {
    const { env, person } = as('adele');
    const wrong = { env: { ...env, SIGN_IN_PASSWORD: 'wrong' }, person };
    const { code, told, asked } = await runRecipe('password', world, wrong);
    expect([code, told[0], asked]).toEqual([0, 'Entra wants more than a password (AADSTS50126).', ['code']]);
  });

  it('shows the consent page, and calls again when the user is back', async () => {
    const { code, asked } = await runRecipe('password', world, as('newcomer'));
    expect([code, asked]).toEqual([0, ['consent']]);
  });

  it('waits as the 503 says, and calls again', async () => {
    const stop = throttleGateway(world);
    const { code, told } = await runRecipe('password', world, as('adele'));
    stop();
    expect([code, told]).toEqual([0, ['The API is busy; trying again in 1 s.']]);
  });
});
