import { afterAll, describe, expect, it } from '@jest/globals';
import { startWorld } from '../../dev/world.ts';
import { runRecipe } from './recipe.ts';

const world = await startWorld();
afterAll(() => world.close());

/** The address that the metadata has; a client refuses those of another. */
const env = { GATEWAY_URL: `http://localhost:${new URL(world.gatewayUrl).port}` };
const MEGAN = { user: 'megan', mfa: 'approved' };

describe('examples/mcp-client', () => {
  it('signs its user in and calls a tool, which asks Graph on behalf of the user', async () => {
    const { code, output, asked } = await runRecipe('mcp-client', world, { person: { user: 'adele' }, env });
    expect([code, asked]).toEqual([0, ['sign-in']]);
    expect(JSON.parse(output)).toMatchObject({ displayName: 'Adele Vance' });
  });

  it('takes to the browser what a policy wants that only the second exchange meets', async () => {
    const { code, output, asked } = await runRecipe('mcp-client', world, {
      args: ['list_messages'],
      person: MEGAN,
      env,
    });
    expect([code, asked]).toEqual([0, ['sign-in', 'sign-in']]);
    expect(JSON.parse(output)).toMatchObject({ value: expect.any(Array) });
  });

  it('steps up for a tool with an authentication context, and for the policy behind it', async () => {
    const { code, output, asked } = await runRecipe('mcp-client', world, {
      args: ['export_mailbox'],
      person: MEGAN,
      env,
    });
    expect([code, asked]).toEqual([0, ['sign-in', 'sign-in']]);
    expect(JSON.parse(output)).toMatchObject({ value: expect.any(Array) });
  });

  it('says why when nothing helps, and fails', async () => {
    await world.mailbox.pause();
    const { code, told } = await runRecipe('mcp-client', world, { person: { user: 'adele' }, env });
    await world.mailbox.resume();
    expect([code, told.at(-1)]).toEqual([1, expect.stringContaining('downstream_unreachable')]);
  });
});
