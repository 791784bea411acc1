import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { startGatewayWorld } from '../support/gateway-world.ts';

const HOUR = 3_600_000;
const ORIGIN = 'https://shop.contoso.com';
const APP = '8f1d7c2a-4b6e-4d39-9a05-e2c7b1f0d364';

const world = await startGatewayWorld({
  nativeAuth: { origins: [ORIGIN], clients: [APP], rateLimit: { requests: 1, per: '10s' } },
});
const { emulator } = world;
world.stopClocks();
let isSetBy = 0;
afterAll(() => world.close());
afterEach(() => {
  emulator.resetSwitches();
  world.setClockBy(-isSetBy);
  isSetBy = 0;
  world.advance(15 * 60_000);
});

function setClockBy(milliseconds: number): void {
  isSetBy += milliseconds;
  world.setClockBy(milliseconds);
}

let issued = Math.floor(Date.now() / 1_000) - 3 * 3_600;

/** A token that is newer than all before, and good whatever the clock is set to here. */
function newToken(user: string): string {
  issued += 1;
  return world.token(user, { lifetimeSeconds: 24 * 3_600, claims: { iat: issued, nbf: issued } });
}

function callMe(token: string): Promise<Response> {
  return world.call('/me', { token });
}

/** How many exchanges reach Entra meanwhile. */
async function countExchanges(task: () => Promise<unknown>): Promise<number> {
  const before = emulator.exchanges.length;
  await task();
  return emulator.exchanges.length - before;
}

describe.each([
  { how: 'back by an hour', by: -HOUR },
  { how: 'back by less than a minute', by: -50_000 },
  { how: 'forward by an hour', by: HOUR },
])('when the clock is set $how', ({ by }) => {
  it('the circuit to Entra is open as long as before', async () => {
    emulator.switches.entra = 'empty200';
    await Promise.all(
      Array.from({ length: 12 }, (_, index) => callMe(newToken(['adele', 'guest', 'megan'][index % 3] ?? ''))),
    );
    emulator.resetSwitches();
    setClockBy(by);
    world.advance(4_000);
    const open = await callMe(newToken('adele'));
    world.advance(1_000);
    const probe = await callMe(newToken('adele'));
    expect([open.status, Number(open.headers.get('retry-after')) <= 3, probe.status]).toEqual([503, true, 200]);
  });

  it('a refusal is remembered for its minute', async () => {
    const token = newToken('newcomer');
    await callMe(token);
    setClockBy(by);
    world.advance(59_000);
    const within = await countExchanges(() => callMe(token));
    world.advance(1_000);
    expect([within, await countExchanges(() => callMe(token))]).toEqual([0, 1]);
  });

  it('what Entra asked to wait is waited for', async () => {
    const token = newToken('adele');
    emulator.switches.refuse = {
      error: 'temporarily_unavailable',
      error_codes: [90055],
      status: 429,
      retryAfter: '30',
    };
    await callMe(token);
    emulator.resetSwitches();
    setClockBy(by);
    world.advance(20_000);
    const early = await callMe(token);
    world.advance(10_000);
    expect([early.status, early.headers.get('retry-after'), (await callMe(token)).status]).toEqual([
      503,
      expect.stringMatching(/^(9|10)$/),
      200,
    ]);
  });

  it('a refused credential keeps the gateway from being ready for its half a minute', async () => {
    const readiness = async (): Promise<number> => (await fetch(`${world.managementUrl}/readyz`)).status;
    emulator.switches.secretExpired = true;
    await callMe(newToken('adele'));
    emulator.resetSwitches();
    setClockBy(by);
    world.advance(29_000);
    const before = await readiness();
    world.advance(1_000);
    expect([before, await readiness()]).toEqual([503, 200]);
  });

  it('step-ups are counted for their ten minutes', async () => {
    const payOut = async (): Promise<number> =>
      (await world.call('/payouts', { method: 'POST', token: newToken('adele'), body: '{}' })).status;
    const statuses = [await payOut(), await payOut()];
    setClockBy(by);
    world.advance(9 * 60_000);
    statuses.push(await payOut());
    world.advance(60_000);
    statuses.push(await payOut());
    expect(statuses).toEqual([401, 401, 403, 401]);
  });

  it('an address waits for its share of native authentication', async () => {
    const initiate = async (): Promise<number> => {
      const headers = { origin: ORIGIN, 'content-type': 'application/x-www-form-urlencoded' };
      const path = '/native-auth/oauth2/v2.0/initiate';
      return (await world.call(path, { method: 'POST', headers, body: `client_id=${APP}` })).status;
    };
    await initiate();
    setClockBy(by);
    world.advance(9_000);
    const early = await initiate();
    world.advance(1_000);
    expect([early, (await initiate()) === 429]).toEqual([429, false]);
  });
});
