import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { answerPlainly, valuesOf } from '../support/gateway-downstream.ts';
import { until } from '../support/gateway-poll.ts';
import { startGatewayWorld } from '../support/gateway-world.ts';

const world = await startGatewayWorld();
const { emulator, downstream } = world;
afterAll(() => world.close());
beforeEach(() => {
  emulator.resetSwitches();
  emulator.exchanges.length = 0;
  downstream.reset();
});

const CLAIMS = Buffer.from('{"access_token":{"nbf":{"essential":true,"value":"1"}}}').toString('base64');

async function tenCalls(token: string): Promise<number[]> {
  const responses = await Promise.all(Array.from({ length: 10 }, () => world.call('/me', { token })));
  return responses.map(({ status }) => status);
}

const ten = (status: number): number[] => Array.from({ length: 10 }, () => status);

describe('ten calls at once with one token', () => {
  it('make one exchange when the token is new', async () => {
    expect([await tenCalls(world.token('adele')), emulator.exchanges.length]).toEqual([ten(200), 1]);
  });

  it('make one exchange when it fails, too', async () => {
    emulator.switches.refuse = { error: 'invalid_grant', error_codes: [65001] };
    expect([await tenCalls(world.token('adele')), emulator.exchanges.length]).toEqual([ten(403), 1]);
  });

  it('make one exchange more when all of them meet one revocation', async () => {
    const token = world.token('adele');
    await world.call('/me', { token });
    const [stale] = valuesOf(downstream.last.rawHeaders, 'authorization');
    downstream.reset();
    downstream.answer = async (req, res, received) => {
      if (req.headers.authorization !== stale) {
        await answerPlainly(req, res, received);
        return;
      }
      await until('all ten are here', () => downstream.requests.length >= 10);
      res.writeHead(401, ['www-authenticate', `Bearer error="insufficient_claims", claims="${CLAIMS}"`]).end();
    };
    expect([await tenCalls(token), emulator.exchanges.length, downstream.requests.length]).toEqual([ten(200), 2, 20]);
  });

  it('of ten different people make ten exchanges, and one who is refused holds up nobody', async () => {
    const users = ['blocked', ...Array.from({ length: 9 }, () => 'guest')];
    const responses = await Promise.all(users.map((user) => world.call('/me', { token: world.token(user) })));
    expect([responses.map(({ status }) => status), emulator.exchanges.length]).toEqual([
      [403, ...Array.from({ length: 9 }, () => 200)],
      10,
    ]);
  });
});

describe('the next calls with the same token', () => {
  it('make no exchange, until the downstream token is about to expire', async () => {
    const token = world.token('adele', { lifetimeSeconds: 3 * 3_600 });
    await world.call('/me', { token });
    world.advance(54 * 60_000);
    await world.call('/me', { token });
    expect(emulator.exchanges).toHaveLength(1);
    world.advance(2 * 60_000);
    await world.call('/me', { token });
    expect(emulator.exchanges).toHaveLength(2);
  });

  it('are refused once the token itself expired, however long the downstream token lives', async () => {
    emulator.switches.downstreamTokenLifetimeSeconds = 24 * 3_600;
    const token = world.token('adele', { lifetimeSeconds: 4 * 3_600 });
    expect((await world.call('/me', { token })).status).toBe(200);
    world.advance(4 * 3_600_000 + 61_000);
    expect((await world.call('/me', { token })).status).toBe(401);
  });

  it('to another downstream make an exchange of their own', async () => {
    const token = world.token('adele', { lifetimeSeconds: 24 * 3_600 });
    await world.call('/me', { token });
    await world.call('/orders', { token });
    expect(emulator.exchanges.map(({ scope }) => scope?.split(' ')[0])).toEqual([
      'https://graph.microsoft.com/User.Read',
      'api://orders/.default',
    ]);
  });
});
