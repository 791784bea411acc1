import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { readProblem, startGatewayWorld } from '../support/gateway-world.ts';

const world = await startGatewayWorld();
const { emulator } = world;
const known = world.token('adele');
beforeAll(async () => {
  await world.call('/me', { token: known });
});
afterAll(() => world.close());
afterEach(() => emulator.resetSwitches());

function callMe(token: string): Promise<Response> {
  return world.call('/me', { token });
}

describe('what if Entra', () => {
  it.each([
    { outage: 'throttled', requests: 1 },
    { outage: 'html503', requests: 2 },
    { outage: 'json500', requests: 2 },
    { outage: 'empty200', requests: 1 },
    { outage: 'garbage', requests: 1 },
    { outage: 'reset', requests: 2 },
  ] as const)(
    'is $outage: who was here before is served, who is new waits, and is served once Entra is back',
    async ({ outage, requests }) => {
      emulator.switches.entra = outage;
      emulator.switches.retryAfter = '1';
      const stranger = world.token('guest');
      const before = emulator.exchanges.length;
      const [served, refused] = await Promise.all([callMe(known), callMe(stranger)]);
      expect([served.status, refused.status, emulator.exchanges.length - before]).toEqual([200, 503, requests]);
      emulator.resetSwitches();
      world.advance(1_000);
      expect((await callMe(stranger)).status).toBe(200);
    },
  );

  it('throttles one: it is not asked again before its time, and others are not held up', async () => {
    emulator.switches.refuse = {
      error: 'temporarily_unavailable',
      error_codes: [90055],
      status: 429,
      retryAfter: '30',
    };
    const token = world.token('adele');
    await callMe(token);
    emulator.resetSwitches();
    const before = emulator.exchanges.length;
    const again = await callMe(token);
    expect([again.status, Number(again.headers.get('retry-after')) <= 30, emulator.exchanges.length]).toEqual([
      503,
      true,
      before,
    ]);
    expect((await callMe(world.token('guest'))).status).toBe(200);
  });

  it('is slow: the caller waits for it', async () => {
    Object.assign(emulator.switches, { entra: 'slow', delayMs: 50 });
    expect((await callMe(world.token('adele'))).status).toBe(200);
  });

  it('never answers: the new caller hears so in time, the known one notices nothing', async () => {
    emulator.switches.entra = 'hang';
    const waiting = callMe(world.token('guest'));
    expect((await callMe(known)).status).toBe(200);
    const refused = await waiting;
    expect([refused.status, (await readProblem(refused)).code]).toEqual([503, 'identity_unavailable']);
  });

  it('answers with a redirect: it is not followed', async () => {
    emulator.switches.body = {
      status: 302,
      headers: { location: `${emulator.origin}/common/discovery/v2.0/keys` },
      body: '',
    };
    const before = emulator.requests.length;
    expect((await callMe(world.token('adele'))).status).toBe(503);
    expect(emulator.requests.slice(before).filter(({ method }) => method === 'GET')).toEqual([]);
  });

  it.each([
    { what: 'a token with a line break', body: { access_token: 'a\r\nx: y', expires_in: 3600, token_type: 'Bearer' } },
    { what: 'a token that is a number', body: { access_token: 7, expires_in: 3600, token_type: 'Bearer' } },
    { what: 'no token', body: { expires_in: 3600, token_type: 'Bearer' } },
  ])('answers 200 with $what: nothing is forwarded', async ({ body }) => {
    emulator.switches.body = {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    };
    const before = world.downstream.requests.length;
    expect((await callMe(world.token('adele'))).status).toBe(503);
    expect(world.downstream.requests).toHaveLength(before);
  });
});

/** People whom Entra would give tokens, and one of whom it would want more. */
const PEOPLE = ['adele', 'guest', 'newcomer'];

/** Calls with that many tokens that nobody saw before, of these people in turn. */
function strangers(count: number, people = PEOPLE): Promise<Response[]> {
  const tokens = Array.from({ length: count }, (_, index) => world.token(people[index % people.length] ?? ''));
  return Promise.all(tokens.map(callMe));
}

describe('what if Entra fails everyone', () => {
  it('it is left alone, and one exchange finds out when it is back', async () => {
    emulator.switches.entra = 'empty200';
    await strangers(12);
    const before = emulator.exchanges.length;
    const refused = await strangers(20);
    const waits = refused.map(({ headers }) => Number(headers.get('retry-after')));
    expect([refused.every(({ status }) => status === 503), emulator.exchanges.length - before]).toEqual([true, 0]);
    expect(waits.every((wait) => wait >= 1 && wait <= 7)).toBe(true);
    expect((await callMe(known)).status).toBe(200);

    world.advance(5_000);
    await strangers(20);
    expect(emulator.exchanges.length - before).toBe(1);

    emulator.resetSwitches();
    world.advance(5_000);
    const probe = await callMe(world.token('guest'));
    const served = await strangers(20, ['adele', 'guest']);
    expect([probe, ...served].map(({ status }) => status)).toEqual(Array.from({ length: 21 }, () => 200));
  });

  it('a caller who is known is served until the last moment of the token', async () => {
    const token = world.token('adele', { lifetimeSeconds: 3 * 3_600 });
    await callMe(token);
    world.advance(58 * 60_000);
    emulator.switches.entra = 'empty200';
    const late = await callMe(token);
    world.advance(2 * 60_000);
    const tooLate = await callMe(token);
    emulator.resetSwitches();
    world.advance(1_000);
    expect([late.status, tooLate.status, (await callMe(token)).status]).toEqual([200, 503, 200]);
  });
});
