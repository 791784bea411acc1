import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { FIRST_ORDER_ID } from '../../dev/demo-apis/order-book.ts';
import { ACTIONS, SWITCHES } from '../../dev/playground/switches.ts';
import { WorldControls, type WorldState } from '../../dev/playground/world-controls.ts';
import { Browser } from '../../dev/tour/browser.ts';
import { SignInClient } from '../../dev/tour/sign-in-client.ts';
import { startWorld } from '../../dev/world.ts';
import { until } from '../support/gateway-poll.ts';

const world = await startWorld();
const { emulator, playground } = world;
afterAll(() => world.close());
afterEach(() => change('POST', '/world/reset'));

/** Longer than the gateway waits for an Entra or a Graph that hangs. */
const PATIENCE = 20_000;

const PAYOUT = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ orderId: FIRST_ORDER_ID, amount: 5 }),
};

/** What the page sends for one of its buttons. */
async function change(method: string, path: string, body: object = {}): Promise<WorldState> {
  const headers = { 'content-type': 'application/json', origin: playground.origin };
  const response = await fetch(playground.origin + path, { method, headers, body: JSON.stringify(body) });
  expect(response.status).toBe(200);
  return (await response.json()) as WorldState;
}

/** Status and problem code of a call with a new token; a claim given replaces the token's own. */
function call(user: string, path: string, claims: Record<string, unknown> = {}): Promise<string> {
  return callWith(emulator.issueAccessToken({ user, claims }), path);
}

async function callWith(token: string, path: string): Promise<string> {
  const init = path === '/payouts' ? PAYOUT : {};
  const headers = { ...(path === '/payouts' && PAYOUT.headers), authorization: `Bearer ${token}` };
  const response = await fetch(world.gatewayUrl + path, { ...init, headers });
  const { code } = (await response.json()) as { code?: string };
  return [response.status, code].filter(Boolean).join(' ');
}

const POSITIONS = [
  ['graph-mfa', 'megan', 'megan', '/me', '401 insufficient_claims'],
  ['graph-mfa', 'everyone', 'adele', '/me', '401 insufficient_claims'],
  ['graph-mfa', 'off', 'megan', '/me', '200'],
  ['payout-context', 'mfa', 'megan', '/payouts', '401 insufficient_claims'],
  ['payout-context', 'free', 'megan', '/payouts', '401 insufficient_claims'],
  ['consent', 'given', 'adele', '/me', '200'],
  ['consent', 'missing', 'adele', '/me', '403 consent_required'],
  ['entra', 'up', 'adele', '/orders', '200'],
  ['entra', 'throttled', 'adele', '/orders', '503 identity_unavailable'],
  ['entra', 'down', 'adele', '/orders', '503 identity_unavailable'],
  ['entra', 'slow', 'adele', '/orders', '200'],
  ['entra', 'hang', 'adele', '/orders', '503 identity_unavailable'],
  ['exchange', 'normal', 'adele', '/orders', '200'],
  ['exchange', 'device', 'adele', '/orders', '401 insufficient_claims'],
  ['exchange', 'no-claims', 'adele', '/orders', '401 interaction_required'],
  ['exchange', 'blocked', 'adele', '/orders', '403 access_denied'],
  ['exchange', 'not-assigned', 'adele', '/orders', '403 access_denied'],
  ['exchange', 'grant-revoked', 'adele', '/orders', '401 invalid_token'],
  ['exchange', 'secret-expired', 'adele', '/orders', '500 gateway_misconfigured'],
  ['graph', 'well', 'adele', '/me', '200'],
  ['graph', 'slow', 'adele', '/me', '200'],
  ['graph', 'hang', 'adele', '/me', '504 downstream_timeout'],
  ['graph', 'broken', 'adele', '/me', '502 downstream_unreachable'],
  ['graph', 'gone', 'adele', '/me', '502 downstream_unreachable'],
  ['graph', 'rejects', 'adele', '/me', '502 downstream_rejected_token'],
  ['graph', 'insatiable', 'adele', '/me', '401 insufficient_claims'],
] as const;

describe('does a call meet what each position of a switch tells', () => {
  it.each(POSITIONS)(
    '%s at %s: %s calls %s and gets %s; at rest the next token gets through at once',
    async (id, position, user, path, expected) => {
      const { switches } = await change('PUT', `/world/switches/${id}`, { position });
      const turned = switches.find((row) => row.id === id);
      expect(turned?.position).toBe(position);
      expect(await call(user, path)).toBe(expected);
      const effect = turned?.positions.find((row) => row.id === position)?.effect;
      for (const word of expected.split(' ')) {
        if (word !== '200') {
          expect(effect).toContain(word);
        }
      }
      await change('POST', '/world/reset');
      expect(await call('adele', '/me')).toBe('200');
    },
    PATIENCE,
  );

  it('every position is called above', () => {
    const all = SWITCHES.flatMap(({ id, positions }) => positions.map((position) => `${id} ${position.id}`));
    expect(POSITIONS.map(([id, position]) => `${id} ${position}`)).toEqual(all);
  });

  it('an insatiable Graph makes a loop, which ends at the third token', async () => {
    await change('PUT', '/world/switches/graph', { position: 'insatiable' });
    const now = Math.floor(Date.now() / 1_000);
    const answers = [];
    for (const age of [30, 20, 10]) {
      answers.push(await call('megan', '/me', { amr: ['mfa'], iat: now - age }));
    }
    expect(answers).toEqual(['401 insufficient_claims', '401 insufficient_claims', '403 step_up_unsatisfiable']);
  });

  it(
    'a Graph that is gone is not asked any more after 50 calls, and is asked again once it is back',
    async () => {
      await change('PUT', '/world/switches/graph', { position: 'gone' });
      const answers = new Set<string>();
      for (let calls = 0; calls < 50; calls += 1) {
        answers.add(await call('adele', '/me'));
      }
      expect([...answers]).toEqual(['502 downstream_unreachable']);
      expect(await call('adele', '/me')).toBe('503 downstream_unavailable');
      await change('POST', '/world/reset');
      await until('Graph answers', async () => (await call('adele', '/me')) === '200', PATIENCE);
    },
    PATIENCE,
  );

  it('whoever turns a switch twice gets what they turned last', async () => {
    const controls = new WorldControls(world);
    await Promise.all(['gone', 'well', 'gone'].map((position) => controls.turn('graph', position)));
    expect(await call('adele', '/me')).toBe('502 downstream_unreachable');
    await Promise.all(['well', 'gone', 'slow', 'well'].map((position) => controls.turn('graph', position)));
    expect(await call('adele', '/me')).toBe('200');
  });

  it('a free authentication context is had without MFA', async () => {
    await change('PUT', '/world/switches/payout-context', { position: 'free' });
    const claims = JSON.stringify({ access_token: { acrs: { essential: true, value: 'c1' } } });
    const { accessToken } = await new SignInClient(emulator).signIn({ user: 'adele' }, claims);
    expect(await callWith(accessToken, '/payouts')).toBe('202');
  });

  it('a person can give missing consent on the page that the problem names', async () => {
    await change('PUT', '/world/switches/consent', { position: 'missing' });
    const headers = { authorization: `Bearer ${emulator.issueAccessToken({ user: 'adele' })}` };
    const refusal = await fetch(`${world.gatewayUrl}/me`, { headers });
    const { consentUri } = (await refusal.json()) as { consentUri: string };
    await new Browser(emulator.origin).visit(consentUri, { user: 'adele', consent: 'granted' });
    expect(await call('adele', '/me')).toBe('200');
  });
});

describe('do the actions do what they tell', () => {
  it.each(['/world/actions/restart-gateway', '/world/reset'])('%s: the gateway forgets a loop', async (path) => {
    const now = Math.floor(Date.now() / 1_000);
    const answers = [];
    for (const age of [30, 20, 10]) {
      answers.push(await call('megan', '/me', { iat: now - age }));
    }
    await change('POST', path);
    answers.push(await call('megan', '/me'));
    const challenge = '401 insufficient_claims';
    expect(answers).toEqual([challenge, challenge, '403 step_up_unsatisfiable', challenge]);
  });

  it.each(['adele', 'megan'])('revoke-%s: a token that worked is challenged, the next one works', async (user) => {
    const token = emulator.issueAccessToken({ user, amr: ['mfa'] });
    expect(await callWith(token, '/me')).toBe('200');
    await change('POST', `/world/actions/revoke-${user}`);
    expect(await callWith(token, '/me')).toBe('401 insufficient_claims');
    expect(await call(user, '/me', { amr: ['mfa'] })).toBe('200');
  });

  it('roll-keys: a token of the new key works, one of the old key still does', async () => {
    const old = emulator.issueAccessToken({ user: 'adele' });
    const before = emulator.publishedKeyIds();
    await change('POST', '/world/actions/roll-keys');
    expect(emulator.publishedKeyIds()).toEqual([expect.any(String), ...before]);
    expect([await callWith(old, '/me'), await call('adele', '/me')]).toEqual(['200', '200']);
  });

  it('every action is done above', () => {
    expect(ACTIONS.map(({ id }) => id)).toEqual(['revoke-adele', 'revoke-megan', 'roll-keys', 'restart-gateway']);
  });
});
