import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { MAIL_AGENT_ID, ORDERS_AGENT_ID } from '../../dev/emulator/demo-agents.ts';
import { findApp, type App } from '../../dev/emulator/world-model.ts';
import { GATEWAY_CLIENT_ID, HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import type { Row } from '../../src/check/row.ts';
import { rowOf, startCheckWorld } from './check-world.ts';

const world = await startCheckWorld();
const { emulator } = world;
const agent = findApp(emulator.world, 'mail-agent') as App;
afterEach(() => {
  emulator.resetSwitches();
  world.registration.blueprint = { getsOwnTokens: true };
  agent.agent = { blueprint: GATEWAY_CLIENT_ID, isEnabled: true };
});
afterAll(() => world.close());

const scopes = ['https://graph.microsoft.com/User.Read'];
const baseUrl = 'http://127.0.0.1:1';
const credential = new Set(['credential'] as const);
const ONE = { graph: { baseUrl, scopes, agent: MAIL_AGENT_ID } };
const CHECK = 'downstream graph: agent';

async function checkAgent(): Promise<Row | undefined> {
  return rowOf(await world.rowsOf({ downstreams: ONE }, { only: credential }), CHECK);
}

describe('the agent identity of a downstream', () => {
  it('is tried: its client assertion, and a token of its own', async () => {
    emulator.exchanges.length = 0;
    expect(await checkAgent()).toEqual({
      status: 'ok',
      check: CHECK,
      found: `${MAIL_AGENT_ID} is accepted in tenant ${HOME_TENANT_ID}`,
    });
    expect(emulator.exchanges.slice(1).map(({ clientId, form }) => [clientId, form['fmi_path']])).toEqual([
      [GATEWAY_CLIENT_ID, MAIL_AGENT_ID],
      [MAIL_AGENT_ID, undefined],
    ]);
  });

  it('is tried once more for each downstream, with one assertion', async () => {
    emulator.exchanges.length = 0;
    const downstreams = { ...ONE, mail: ONE.graph, orders: { ...ONE.graph, agent: ORDERS_AGENT_ID } };
    const rows = await world.rowsOf({ downstreams }, { only: credential });
    expect(rows.filter(({ check }) => check.endsWith(': agent')).map(({ status }) => status)).toEqual([
      'ok',
      'ok',
      'ok',
    ]);
    expect(emulator.exchanges.filter(({ form }) => form['fmi_path'] === MAIL_AGENT_ID)).toHaveLength(1);
  });

  it.each([
    {
      what: 'of another blueprint',
      state: { blueprint: ORDERS_AGENT_ID, isEnabled: true },
      found: 'no client assertion for',
    },
    { what: 'disabled', state: { blueprint: GATEWAY_CLIENT_ID, isEnabled: false }, found: 'AADSTS7000112' },
  ])('fails when it is $what, and the remedy names its key', async ({ state, found }) => {
    agent.agent = state;
    expect(await checkAgent()).toMatchObject({
      status: 'fail',
      found: expect.stringContaining(found),
      remedy: expect.stringContaining('identity.clientId'),
      key: 'downstreams.graph.agent',
    });
  });

  it('fails when Entra refuses the credential of the blueprint', async () => {
    emulator.switches.secretExpired = true;
    expect(await checkAgent()).toMatchObject({
      status: 'fail',
      found: expect.stringContaining('AADSTS7000222'),
    });
  });

  it('has no verdict while Entra throttles', async () => {
    emulator.switches.entra = 'throttled';
    expect(await checkAgent()).toMatchObject({ status: 'warn', found: 'not tried: Entra throttles the gateway' });
  });

  it('is not missed where no downstream has one', async () => {
    const rows = await world.rowsOf({}, { offline: true });
    expect(rows.filter(({ check }) => check.endsWith(': agent'))).toEqual([]);
  });
});

describe('a blueprint', () => {
  it('that gets no tokens of its own has proved itself by that', async () => {
    world.registration.blueprint = { getsOwnTokens: false };
    const rows = await world.rowsOf({ downstreams: ONE }, { only: credential });
    expect([rowOf(rows, 'Entra: credential'), rowOf(rows, CHECK)]).toMatchObject([
      { status: 'ok', found: expect.stringContaining('AADSTS82001') },
      { status: 'ok' },
    ]);
  });

  it('is warned of a downstream without an agent, also without the network', async () => {
    const downstreams = { ...ONE, plain: { baseUrl, scopes } };
    const rows = await world.rowsOf({ downstreams }, { offline: true });
    expect(rows.filter(({ check }) => check.endsWith(': agent'))).toMatchObject([
      { status: 'warn', check: 'downstream plain: agent', key: 'downstreams.plain.agent' },
    ]);
  });
});
