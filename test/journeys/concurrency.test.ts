import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
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

/** The `oid` of a token, which may have its scheme before it. */
function subjectOf(token: string): unknown {
  return decodeJwt(token.replace('Bearer ', ''))['oid'];
}

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

describe('two hundred calls at once with one token', () => {
  it('make one exchange', async () => {
    const token = world.token('adele');
    const calls = Array.from({ length: 200 }, () => world.call('/me', { token }));
    const statuses = new Set((await Promise.all(calls)).map(({ status }) => status));
    expect([statuses, emulator.exchanges.length]).toEqual([new Set([200]), 1]);
  });

  it('are served by the exchange of the first, though its caller left', async () => {
    Object.assign(emulator.switches, { entra: 'slow', delayMs: 300 });
    const token = world.token('adele');
    const leaving = new AbortController();
    const first = world.call('/me', { token, signal: leaving.signal }).catch(() => 'left');
    const { lines } = world.log;
    const before = lines.length;
    const others = Array.from({ length: 20 }, () => world.call('/me', { token }));
    leaving.abort();
    await first;
    const statuses = new Set((await Promise.all(others)).map(({ status }) => status));
    await until('all calls are over', () => lines.length >= before + 20);
    expect([statuses, emulator.exchanges.length]).toEqual([new Set([200]), 1]);
  });
});

describe('sixty sessions whose calls come in any order', () => {
  it('each get the token of their own user and session, by sixty exchanges', async () => {
    const sessions = Array.from({ length: 60 }, (_, index) => ({
      token: world.token(index % 2 === 0 ? 'adele' : 'guest'),
      seen: new Set<string>(),
    }));
    downstream.answer = (req, res) => {
      res.end(req.headers.authorization);
    };
    const calls = Array.from({ length: 300 }, (_, index) => sessions[(index * 37) % 60] ?? sessions[0]);
    for (let start = 0; start < calls.length; start += 50) {
      await Promise.all(
        calls.slice(start, start + 50).map(async (session) => {
          const response = await world.call('/me', { token: session?.token ?? '' });
          session?.seen.add(await response.text());
        }),
      );
    }
    const owners = sessions.map(({ token, seen }) => [subjectOf(token), ...[...seen].map((text) => subjectOf(text))]);
    expect(owners.every(([caller, owner, ...more]) => caller === owner && more.length === 0)).toBe(true);
    expect(new Set(sessions.flatMap(({ seen }) => [...seen])).size).toBe(60);
    expect(emulator.exchanges).toHaveLength(60);
  });
});

describe('the next calls with the same token', () => {
  it('make no exchange, until the downstream token is about to expire', async () => {
    const token = world.token('adele', { lifetimeSeconds: 3 * 3_600 });
    await world.call('/me', { token });
    world.advance(49 * 60_000);
    await world.call('/me', { token });
    expect(emulator.exchanges).toHaveLength(1);
    world.advance(7 * 60_000);
    await world.call('/me', { token });
    expect(emulator.exchanges).toHaveLength(2);
  });

  it('do not wait for the new downstream token when Entra wants it refreshed', async () => {
    emulator.switches.downstreamTokenLifetimeSeconds = 4 * 3_600;
    const token = world.token('adele', { lifetimeSeconds: 8 * 3_600 });
    await world.call('/me', { token });
    world.advance(2 * 3_600_000);
    await Promise.all(Array.from({ length: 20 }, () => world.call('/me', { token })));
    await until('it was refreshed', () => emulator.exchanges.length === 2);
    const sent = () => valuesOf(downstream.last.rawHeaders, 'authorization').join();
    const old = valuesOf(downstream.requests[0]?.rawHeaders ?? [], 'authorization').join();
    await until('it is used', async () => (await world.call('/me', { token })).ok && sent() !== old);
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
