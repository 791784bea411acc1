import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import express from 'express';
import { GRAPH_APP_ID, ORDERS_APP_ID } from '../../dev/emulator/world.ts';
import { Browser } from '../../dev/tour/browser.ts';
import { CLIENT_PARSERS } from '../support/client-parsers.ts';
import { startApplicationWorld } from '../support/application-world.ts';
import { answerChallenge, answerPlainly, answerWith } from '../support/gateway-downstream.ts';
import { readClaims, readProblem } from '../support/gateway-world.ts';

const world = await startApplicationWorld();
const { obo, emulator, graph, orders } = world;
const { policies, consents } = emulator.world;
const atRest = { policies: [...policies], consents: [...consents] };
let url: string;
const unhandled: unknown[] = [];
const keep = (reason: unknown): unknown => unhandled.push(reason);

beforeAll(async () => {
  process.on('unhandledRejection', keep);
  const app = express();
  app.get('/dashboard', obo.protect(), async (req, res) => {
    const [me, mail, open] = await Promise.all([
      obo.downstream(req, 'graph').get<unknown>('/me'),
      obo.downstream(req, 'mail').get<unknown>('/messages'),
      obo.downstream(req, 'orders').get<unknown>('/orders'),
    ]);
    res.json([me.status, mail.status, open.status]);
  });
  app.get('/one-by-one', obo.protect(), async (req, res) => {
    const me = obo.downstream(req, 'graph').get<unknown>('/me');
    const open = obo.downstream(req, 'orders').fetch('/orders');
    await me;
    await open;
    res.end();
  });
  app.use(obo.answerErrors());
  url = await world.listen(app);
});
afterAll(async () => {
  process.off('unhandledRejection', keep);
  await world.close();
});
afterEach(() => {
  emulator.resetSwitches();
  emulator.world.policies = [...atRest.policies];
  emulator.world.consents = [...atRest.consents];
  graph.reset();
  orders.reset();
});

/** A user token that no other test has. */
let serial = 0;
function token(user: string, more: Parameters<typeof world.token>[1] = {}): string {
  serial += 1;
  return world.token(user, { ...more, claims: { uti: `token ${serial}` } });
}

function call(path: string, bearer: string): Promise<Response> {
  return fetch(`${url}${path}`, { headers: { authorization: `Bearer ${bearer}` } });
}

function demandMfa(id: string, on: string): void {
  emulator.world.policies.push({ id, name: id, on, users: ['guest'], requires: 'mfa', enabled: true });
}

function challenge(claims: object): ReturnType<typeof answerChallenge> {
  const encoded = Buffer.from(JSON.stringify({ access_token: claims })).toString('base64');
  return answerChallenge(`Bearer realm="", error="insufficient_claims", claims="${encoded}"`);
}

describe('two of three downstreams want something of the user', () => {
  it('one challenge asks for both, and one step-up is enough', async () => {
    demandMfa('a1111111-0000-4000-8000-000000000001', GRAPH_APP_ID);
    demandMfa('a1111111-0000-4000-8000-000000000002', ORDERS_APP_ID);
    const refused = await call('/dashboard', token('guest'));
    const claims = JSON.parse(readClaims(refused) ?? '') as { access_token: { capolids: { values: string[] } } };
    expect([refused.status, claims.access_token.capolids.values.toSorted()]).toEqual([
      401,
      ['a1111111-0000-4000-8000-000000000001', 'a1111111-0000-4000-8000-000000000002'],
    ]);
    expect(JSON.parse((await readProblem(refused)).claims ?? '')).toEqual(claims);
    const accepted = await call('/dashboard', token('guest', { amr: ['pwd', 'mfa'] }));
    expect([accepted.status, await accepted.json()]).toEqual([200, [200, 200, 200]]);
  });

  it('two authentication contexts are both in one list', async () => {
    graph.answer = challenge({ acrs: { essential: true, value: 'c1' } });
    orders.answer = challenge({ acrs: { essential: true, value: 'c2' } });
    const response = await call('/dashboard', token('guest'));
    const { access_token: wanted } = JSON.parse(readClaims(response) ?? '') as {
      access_token: { acrs: { essential: boolean; values: string[] } };
    };
    expect([wanted.acrs.essential, wanted.acrs.values.toSorted()]).toEqual([true, ['c1', 'c2']]);
  });

  it.each(CLIENT_PARSERS)('%s reads the joined claims', async (_name, parse) => {
    demandMfa('a1111111-0000-4000-8000-000000000001', GRAPH_APP_ID);
    demandMfa('a1111111-0000-4000-8000-000000000002', ORDERS_APP_ID);
    const joined = await call('/dashboard', token('guest'));
    expect(parse(joined.headers.get('www-authenticate') ?? '')).toBe((await readProblem(joined)).claims);
  });

  it('scopes that lack consent are joined with their page', async () => {
    emulator.world.consents = emulator.world.consents.filter(({ user }) => !user.endsWith('1003'));
    const response = await call('/dashboard', token('guest'));
    const { code, scopes, consentUri } = await readProblem(response);
    expect([response.status, code, scopes?.toSorted()]).toEqual([
      403,
      'consent_required',
      [
        'api://orders/user_impersonation',
        'https://graph.microsoft.com/Mail.Read',
        'https://graph.microsoft.com/User.Read',
      ],
    ]);
    expect(new URL(consentUri ?? '').searchParams.get('scope')?.split(' ').toSorted()).toEqual(scopes?.toSorted());
    await new Browser(emulator.origin).visit(consentUri ?? '', { user: 'guest', consent: 'granted' });
    expect((await call('/dashboard', token('guest'))).status).toBe(200);
  });

  it('a call that is still under way is waited for, and no rejection is left unhandled', async () => {
    emulator.switches.entra = 'slow';
    emulator.switches.delayMs = 100;
    demandMfa('a1111111-0000-4000-8000-000000000001', GRAPH_APP_ID);
    demandMfa('a1111111-0000-4000-8000-000000000002', ORDERS_APP_ID);
    const response = await call('/one-by-one', token('guest'));
    expect(readClaims(response)).toContain('0001');
    expect(readClaims(response)).toContain('0002');
    expect(unhandled).toEqual([]);
  });

  it('what cannot be joined leaves the first as it is', async () => {
    demandMfa('a1111111-0000-4000-8000-000000000001', GRAPH_APP_ID);
    orders.answer = answerWith(500);
    const response = await call('/one-by-one', token('guest'));
    expect([response.status, readClaims(response)]).toEqual([401, expect.stringContaining('0001')]);
    expect(unhandled).toEqual([]);
  });

  it('an answer of a downstream decides where the handler throws it', async () => {
    graph.answer = answerWith(404);
    orders.answer = answerPlainly;
    const response = await call('/one-by-one', token('guest'));
    expect([response.status, response.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
  });
});
