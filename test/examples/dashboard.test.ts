import { once } from 'node:events';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { ORDERS_APP_ID } from '../../dev/emulator/world.ts';
import { findFreePort } from '../../dev/ports.ts';
import { startWorld } from '../../dev/world.ts';
import { until } from '../support/gateway-poll.ts';
import { readClaims, readProblem } from '../support/gateway-world.ts';
import { runRecipe, startRecipe, type Finished } from './recipe.ts';

const MEGAN = { user: 'megan', mfa: 'approved' };

const world = await startWorld();
const { emulator, graph, orders } = world;
const policies = [...emulator.world.policies];
const port = await findFreePort();
const url = `http://localhost:${port}`;
const program = startRecipe('dashboard', world, {
  env: { PORT: String(port), GRAPH_URL: graph.origin, ORDERS_URL: orders.origin },
});
await once(program.stdout, 'data');
await until('the application is ready', async () => (await fetch(`${url}/readyz`)).ok);

afterEach(() => {
  emulator.world.policies = [...policies];
});
afterAll(async () => {
  const ended = once(program, 'exit');
  program.kill('SIGTERM');
  await ended;
  await world.close();
});

/** Calls it with a client that answers challenges, for a person who signs in at Entra's pages. */
function visit(person: { readonly user: string }, path = '/dashboard'): Promise<Finished> {
  return runRecipe('desktop', { ...world, gatewayUrl: url }, { args: [path], person });
}

/** One more policy: MFA for Megan at the Orders API, so that two APIs want different claims. */
function demandMfaForOrders(): void {
  const id = 'a1111111-0000-4000-8000-000000000002';
  emulator.world.policies.push({ id, name: id, on: ORDERS_APP_ID, users: ['megan'], requires: 'mfa', enabled: true });
}

describe('examples/dashboard', () => {
  it('shows what three APIs say about who signed in', async () => {
    const { code, output, asked } = await visit({ user: 'adele' });
    expect([code, asked]).toEqual([0, ['sign-in']]);
    expect(JSON.parse(output)).toEqual({
      name: 'Adele Vance',
      subjects: [expect.any(String), expect.any(String), expect.any(String)],
      customers: ['Northwind', 'Adventure Works'],
    });
  });

  it('asks once for the proofs that two of the APIs want', async () => {
    demandMfaForOrders();
    const authorization = `Bearer ${emulator.issueAccessToken({ user: 'megan' })}`;
    const refused = await fetch(`${url}/dashboard`, { headers: { authorization } });
    const claims = readClaims(refused);
    expect([refused.status, (await readProblem(refused)).code]).toEqual([401, 'insufficient_claims']);
    for (const { id } of emulator.world.policies.filter(({ enabled }) => enabled)) {
      expect(claims).toContain(id);
    }
  });

  it('shows it after one step-up', async () => {
    demandMfaForOrders();
    const { code, output, asked } = await visit(MEGAN);
    expect([code, asked]).toEqual([0, ['sign-in', 'sign-in']]);
    expect(JSON.parse(output)).toMatchObject({ name: 'Megan Bowen' });
  });

  it('asks for the authentication context of a page', async () => {
    const { code, output, asked } = await visit(MEGAN, '/payroll');
    expect([code, asked]).toEqual([0, ['sign-in', 'sign-in']]);
    expect(JSON.parse(output)).toMatchObject({ contexts: ['c1'] });
  });
});
