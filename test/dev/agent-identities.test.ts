import { afterAll, describe, expect, it } from '@jest/globals';
import { MAIL_AGENT_ID, ORDERS_AGENT_ID } from '../../dev/emulator/demo-agents.ts';
import { startEmulator } from '../../dev/emulator/emulator.ts';
import { findApp, type App } from '../../dev/emulator/world-model.ts';
import {
  DAEMON_CLIENT_ID,
  DAEMON_CLIENT_SECRET,
  GATEWAY_CLIENT_ID,
  GATEWAY_CLIENT_SECRET,
  HOME_TENANT_ID,
  PARTNER_TENANT_ID,
} from '../../dev/emulator/world.ts';
import { claimsOf, onBehalfOf, postToken, type Form } from './token-requests.ts';

const emulator = await startEmulator();
afterAll(() => emulator.close());

const OTHER_BLUEPRINT = '0b9c1f62-3d4e-4f5a-8b6c-7d8e9f0a1b2c';
const FOREIGN_AGENT = 'a6e1c2d3-4b5f-4e60-9a71-0c8d2f3b4a09';
const gateway = appOf('gateway');
const { world } = emulator;
world.apps.push(
  { ...gateway, alias: 'other-blueprint', clientId: OTHER_BLUEPRINT, identifierUris: [], secrets: ['other'] },
  {
    ...appOf('mail-agent'),
    alias: 'foreign-agent',
    clientId: FOREIGN_AGENT,
    agent: { blueprint: OTHER_BLUEPRINT, isEnabled: true },
  },
);
// So that an assertion of the other tenant can be asked for.
appOf('mail-agent').tenants.push(PARTNER_TENANT_ID);

const user = emulator.issueAccessToken({ user: 'adele' });

function appOf(name: string): App {
  const app = findApp(emulator.world, name);
  if (app === undefined) {
    throw new Error(`no app ${name}`);
  }
  return app;
}

/** A blueprint's request for the client assertion of an agent. */
function assertionFor(agent: string, changes: Form = {}): Form {
  return {
    client_id: GATEWAY_CLIENT_ID,
    client_secret: GATEWAY_CLIENT_SECRET,
    grant_type: 'client_credentials',
    scope: 'api://AzureADTokenExchange/.default',
    fmi_path: agent,
    ...changes,
  };
}

async function assertionOf(agent: string, changes: Form = {}, tenant = HOME_TENANT_ID): Promise<string> {
  const { body } = await postToken(emulator, assertionFor(agent, changes), { tenant });
  return String(body['access_token']);
}

/** An agent's request with that assertion, on behalf of Adele unless the changes say otherwise. */
function asAgent(agent: string, assertion: string, changes: Form = {}): Form {
  return onBehalfOf(user, { client_id: agent, client_secret: undefined, client_assertion: assertion, ...changes });
}

const APP_ONLY = {
  grant_type: 'client_credentials',
  requested_token_use: undefined,
  assertion: undefined,
  scope: 'api://orders/.default',
};

const other = { client_id: OTHER_BLUEPRINT, client_secret: 'other' };
const assertion = await assertionOf(MAIL_AGENT_ID);
const ofOrdersAgent = await assertionOf(ORDERS_AGENT_ID);
const ofForeignAgent = await assertionOf(FOREIGN_AGENT, other);
const ofOtherTenant = await assertionOf(MAIL_AGENT_ID, {}, PARTNER_TENANT_ID);

/** A client assertion that says something else, and is signed well. */
function signed(changes: object): string {
  return emulator.signToken({ ...claimsOf(assertion), ...changes });
}

describe('a blueprint', () => {
  it('gets a client assertion that names itself, the agent and the token exchange', async () => {
    expect(claimsOf(await assertionOf(MAIL_AGENT_ID))).toMatchObject({
      aud: 'fb60f99c-7a34-4190-8149-302f77469936',
      azp: GATEWAY_CLIENT_ID,
      oid: gateway.servicePrincipalId,
      sub: expect.stringMatching(/^\/eid1\/c\/pub\/t\/v4j5cvGGr0GRqy180BHbRw\/a\/[\w-]{22}\/a6e1c2d3-/),
      idtyp: 'app',
    });
  });

  it.each([
    { when: 'the agent is another blueprint’s', form: assertionFor(FOREIGN_AGENT), code: 90013 },
    { when: 'there is no such agent', form: assertionFor(OTHER_BLUEPRINT), code: 90013 },
    { when: 'the path is empty', form: assertionFor(''), code: 900144 },
    {
      when: 'the scope is another',
      form: assertionFor(MAIL_AGENT_ID, { scope: 'api://orders/.default' }),
      code: 70011,
    },
    { when: 'its secret is wrong', form: assertionFor(MAIL_AGENT_ID, { client_secret: 'x' }), code: 7000215 },
    {
      when: 'it is no blueprint',
      form: assertionFor(MAIL_AGENT_ID, { client_id: DAEMON_CLIENT_ID, client_secret: DAEMON_CLIENT_SECRET }),
      code: 90013,
    },
  ])('gets none when $when', async ({ form, code }) => {
    expect((await postToken(emulator, form)).body['error_codes']).toEqual([code]);
  });

  it('gets no tokens of its own when it is strict, as Entra is reported to be', async () => {
    gateway.blueprint = { getsOwnTokens: false };
    const refusals = await Promise.all([
      postToken(emulator, onBehalfOf(user)),
      postToken(emulator, assertionFor(MAIL_AGENT_ID, { ...APP_ONLY, fmi_path: undefined })),
    ]);
    gateway.blueprint = { getsOwnTokens: true };
    expect(refusals.map(({ body }) => body['error_codes'])).toEqual([[82002], [82001]]);
  });
});

describe('an agent identity', () => {
  it('exchanges a token that is for its blueprint', async () => {
    const { body } = await postToken(emulator, asAgent(MAIL_AGENT_ID, await assertionOf(MAIL_AGENT_ID)));
    expect(claimsOf(body['access_token'])).toMatchObject({
      appid: MAIL_AGENT_ID,
      appidacr: '2',
      oid: claimsOf(user)['oid'],
      scp: 'User.Read',
      xms_act_fct: '3 9 11',
      xms_par_app_azp: GATEWAY_CLIENT_ID,
    });
    expect(claimsOf(body['access_token'])).not.toHaveProperty('xms_sub_fct');
  });

  it('gets tokens of its own', async () => {
    const form = asAgent(ORDERS_AGENT_ID, await assertionOf(ORDERS_AGENT_ID), APP_ONLY);
    expect(claimsOf((await postToken(emulator, form)).body['access_token'])).toMatchObject({
      azp: ORDERS_AGENT_ID,
      oid: ORDERS_AGENT_ID,
      sub: ORDERS_AGENT_ID,
      roles: ['Orders.Read.All'],
      idtyp: 'app',
      xms_act_fct: '3 9 11',
      xms_sub_fct: '3 9 11',
      xms_par_app_azp: GATEWAY_CLIENT_ID,
    });
  });

  it.each([
    { when: 'the assertion is another agent’s', given: ofOrdersAgent, code: 700213 },
    { when: 'the assertion is another blueprint’s', given: ofForeignAgent, code: 700213 },
    {
      when: 'the assertion is of another tenant',
      given: ofOtherTenant,
      code: 700211,
    },
    { when: 'the assertion is for something else', given: signed({ aud: 'api://orders' }), code: 700212 },
    { when: 'the assertion is a person’s', given: signed({ idtyp: 'user' }), code: 700229 },
    { when: 'the assertion is over', given: signed({ exp: 1 }), code: 700024 },
    { when: 'the assertion was changed', given: `${assertion.slice(0, -4)}AAAA`, code: 700027 },
    { when: 'the assertion is no token', given: 'x', code: 700027 },
    { when: 'the user’s token is in its place', given: user, code: 700212 },
  ])('gets nothing when $when', async ({ given, code }) => {
    const answers = await Promise.all([
      postToken(emulator, asAgent(MAIL_AGENT_ID, given)),
      postToken(emulator, asAgent(MAIL_AGENT_ID, given, APP_ONLY)),
    ]);
    expect(answers.map(({ body }) => body['error_codes'])).toEqual([[code], [code]]);
  });

  it.each([
    { when: 'it has a secret instead', form: { client_assertion: undefined, client_secret: 'x' }, code: 7000215 },
    { when: 'it has no credential', form: { client_assertion: undefined }, code: 7000218 },
    {
      when: 'the user’s token is for the agent itself',
      form: { assertion: emulator.issueAccessToken({ user: 'adele', resource: 'mail-agent' }) },
      code: 50013,
    },
    {
      when: 'the user’s token is for another API',
      form: { assertion: emulator.issueAccessToken({ user: 'adele', resource: 'orders' }) },
      code: 50013,
    },
  ])('gets nothing when $when', async ({ form, code }) => {
    const { body } = await postToken(emulator, asAgent(MAIL_AGENT_ID, assertion, form));
    expect(body['error_codes']).toEqual([code]);
  });

  it('gets nothing once it is disabled, with the assertion from before', async () => {
    const agent = appOf('orders-agent');
    const before = await assertionOf(ORDERS_AGENT_ID);
    agent.agent = { blueprint: GATEWAY_CLIENT_ID, isEnabled: false };
    const { body } = await postToken(emulator, asAgent(ORDERS_AGENT_ID, before));
    expect(body['error_codes']).toEqual([7000112]);
  });
});
