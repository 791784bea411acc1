import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { readChallenge, startGatewayWorld, type GatewayWorld } from '../support/gateway-world.ts';
import type { RawResponse } from '../support/raw-request.ts';
import { describeWithRedis, startRedis, type RedisServer } from '../support/redis-server.ts';
import { until } from '../support/gateway-poll.ts';
import { ask, bearer, contract, unplaced, type ClientCall } from './engine.ts';

const world = await startGatewayWorld({
  authorizationService: { port: 0 },
  contract: [{ document: contract }],
  downstreams: unplaced,
});
const { emulator } = world;
afterAll(() => world.close());
afterEach(() => emulator.resetSwitches());

const CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}';
const CHALLENGE = challengeWith(CLAIMS);
let lifetimeSeconds = 2_000;

function challengeWith(claims: string): string {
  return `Bearer authorization_uri="https://phish.example/", error="insufficient_claims", claims="${Buffer.from(claims).toString('base64')}"`;
}

/** A call of somebody who has not called before. */
function callOf(token: string, target = '/me'): ClientCall {
  return { method: 'GET', target, headers: [bearer(token)] };
}

function newCall(user = 'adele'): ClientCall {
  lifetimeSeconds += 1;
  return callOf(world.token(user, { lifetimeSeconds }));
}

/** The call once more, after the downstream rejected the token of that answer. */
function rejected(call: ClientCall, answer: RawResponse, attempt: 1 | 2, challenge = CHALLENGE): ClientCall {
  const report = [
    'X-Downstream-Status: 401',
    `X-Downstream-Attempt: ${attempt}`,
    `X-Downstream-Challenge: ${challenge}`,
    `X-Downstream-Authorization: ${answer.header('authorization') ?? ''}`,
  ];
  return { ...call, headers: [...(call.headers ?? []), ...report] };
}

async function exchangesOf(calls: () => Promise<unknown>): Promise<number> {
  const before = emulator.exchanges.length;
  await calls();
  return emulator.exchanges.length - before;
}

function codeOf({ body }: RawResponse): string {
  return (JSON.parse(body) as { code: string }).code;
}

describe('a call whose token the downstream rejects with claims', () => {
  it('gets another token, asked for with the claims, and later calls get it too', async () => {
    const call = newCall();
    const first = await ask(world, 'nginx', call);
    const second = await ask(world, 'nginx', rejected(call, first, 1));
    expect(second.status).toBe(200);
    expect(second.header('authorization')).not.toBe(first.header('authorization'));
    expect(emulator.exchanges.at(-1)?.claims).toContain('1604106651');
    const later = await ask(world, 'nginx', call);
    expect(later.header('authorization')).toBe(second.header('authorization'));
  });

  it('costs one exchange, however many calls hand the token back', async () => {
    const call = newCall();
    const first = await ask(world, 'nginx', call);
    const answers: RawResponse[] = [];
    const exchanges = await exchangesOf(async () => {
      const report = rejected(call, first, 1);
      answers.push(...(await Promise.all(Array.from({ length: 49 }, () => ask(world, 'nginx', report)))));
      answers.push(await ask(world, 'nginx', report));
    });
    expect(exchanges).toBe(1);
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
    expect(new Set(answers.map(({ header }) => header('authorization'))).size).toBe(1);
  });

  it('is refused once the second token is rejected as well: the challenge is ours, and remembered', async () => {
    const call = newCall();
    const first = await ask(world, 'nginx', call);
    const second = await ask(world, 'nginx', rejected(call, first, 1));
    const refusal = await ask(world, 'nginx, for the refusal', rejected(call, second, 2));
    expect([refusal.status, codeOf(refusal)]).toEqual([401, 'insufficient_claims']);
    expect(refusal.all('www-authenticate')).toHaveLength(1);
    expect(refusal.header('www-authenticate')).not.toContain('phish');
    expect(claimsOf(refusal)).toBe(CLAIMS);
    const exchanges = await exchangesOf(async () => {
      expect((await ask(world, 'nginx', call)).status).toBe(401);
      expect(claimsOf(await ask(world, 'nginx, for the refusal', call))).toBe(CLAIMS);
    });
    expect(exchanges).toBe(0);
  });

  it('is refused with the claims of the first time where the second has none, as at the proxy', async () => {
    const call = newCall();
    const first = await ask(world, 'nginx', call);
    const second = await ask(world, 'nginx', rejected(call, first, 1));
    const refusal = await ask(world, 'nginx, for the refusal', rejected(call, second, 2, 'Bearer'));
    expect([refusal.status, claimsOf(refusal)]).toEqual([401, CLAIMS]);
  });

  it('is told of at the second time, which nothing else tells of', async () => {
    const call = newCall();
    const first = await ask(world, 'nginx', call);
    const second = await ask(world, 'nginx', rejected(call, first, 1));
    const { headers = [], ...rest } = rejected(call, second, 2);
    await ask(world, 'nginx, for the refusal', { ...rest, headers: [...headers, 'X-Request-Id: second-1'] });
    expect(await world.log.of('second-1')).toMatchObject({ via: 'check', status: 401, event: 'challenge.sent' });
  });

  it('never gets a third token, however often the engine asks', async () => {
    const call = newCall();
    const first = await ask(world, 'nginx', call);
    const second = await ask(world, 'nginx', rejected(call, first, 1));
    const exchanges = await exchangesOf(async () => {
      for (let round = 0; round < 5; round += 1) {
        expect((await ask(world, 'nginx', rejected(call, second, 2))).status).toBe(401);
      }
    });
    expect(exchanges).toBe(0);
  });

  it('is refused in Entra’s words where Entra wants the user, once for all', async () => {
    const call = newCall();
    const first = await ask(world, 'nginx', call);
    const wanted = '{"access_token":{"capolids":{"essential":true,"values":["a"]}}}';
    emulator.switches.refuse = { error: 'interaction_required', error_codes: [50076], claims: wanted };
    const exchanges = await exchangesOf(async () => {
      const report = rejected(call, first, 1);
      expect((await ask(world, 'nginx', report)).status).toBe(401);
      const refusal = await ask(world, 'nginx, for the refusal', report);
      expect([refusal.status, claimsOf(refusal)]).toEqual([401, wanted]);
      expect((await ask(world, 'nginx', call)).status).toBe(401);
    });
    expect(exchanges).toBe(1);
  });
});

describe('a call whose token the downstream rejects without claims', () => {
  it.each([
    ['no challenge', 'Bearer', 502, 'downstream_rejected_token'],
    ['a challenge of another scheme', 'Basic realm="x"', 502, 'downstream_rejected_token'],
    ['claims that nobody can read', 'Bearer claims="e30="', 401, 'interaction_required'],
  ])('is refused: %s', async (_what, challenge, status, code) => {
    const call = newCall();
    const first = await ask(world, 'nginx', call);
    const report = rejected(call, first, 1, challenge);
    expect((await ask(world, 'nginx', report)).status).toBe(401);
    const refusal = await ask(world, 'nginx, for the refusal', report);
    expect([refusal.status, codeOf(refusal)]).toEqual([status, code]);
  });

  it('is refused in the same way where its engine cannot make it once more', async () => {
    for (const [challenge, code] of [
      ['Bearer claims="e30="', 'interaction_required'],
      ['Bearer', 'downstream_rejected_token'],
    ] as const) {
      const call = newCall();
      const first = await ask(world, 'forward-auth', call);
      expect(codeOf(await ask(world, 'forward-auth', rejected(call, first, 2, challenge)))).toBe(code);
    }
  });

  it('has no other token to get where the operation is open to all', async () => {
    const call = { method: 'GET', target: '/open' };
    const answer = await ask(world, 'nginx', call);
    const refusal = await ask(world, 'nginx, for the refusal', rejected(call, answer, 1));
    expect([refusal.status, codeOf(refusal)]).toEqual([401, 'missing_token']);
  });
});

describe('the gateway’s own token', () => {
  it('is renewed once for all callers, claims or not, and a second rejection is nobody’s to mend', async () => {
    const call = callOf(emulator.issueAccessToken({ app: 'daemon' }), '/orders');
    const first = await ask(world, 'nginx', call);
    const answers: RawResponse[] = [];
    const exchanges = await exchangesOf(async () => {
      const report = rejected(call, first, 1, 'Bearer');
      answers.push(...(await Promise.all(Array.from({ length: 10 }, () => ask(world, 'nginx', report)))));
    });
    const [second] = answers as [RawResponse];
    expect([exchanges, new Set(answers.map(({ status }) => status))]).toEqual([1, new Set([200])]);
    const refusal = await ask(world, 'nginx, for the refusal', rejected(call, second, 2));
    expect([refusal.status, codeOf(refusal)]).toEqual([502, 'downstream_rejected_token']);
  });
});

describe('a report that a caller forged, because the engine does not clear it', () => {
  it.each<readonly [string, string, 1 | 2]>([
    ['a token of nobody', 'Bearer eyJhbGciOiJub25lIn0.e30.', 1],
    ['another scheme', 'Basic YTpi', 1],
    ['text', 'x', 1],
  ])('gets what the caller has already: %s', async (_what, authorization, attempt) => {
    const call = newCall();
    const first = await ask(world, 'nginx', call);
    const report = rejected(call, { ...first, header: () => authorization }, attempt);
    const exchanges = await exchangesOf(async () => {
      const answer = await ask(world, 'nginx', report);
      expect([answer.status, answer.header('authorization')]).toEqual([200, first.header('authorization')]);
    });
    expect(exchanges).toBe(0);
  });

  it('opens nothing without a token of the caller', async () => {
    const call = { method: 'GET', target: '/me' };
    const first = await ask(world, 'nginx', newCall());
    expect((await ask(world, 'nginx', rejected(call, first, 1))).status).toBe(401);
  });

  it('does not touch the session of somebody else', async () => {
    const [ofAdele, ofMegan] = [newCall('adele'), newCall('guest')];
    const first = await ask(world, 'nginx', ofAdele);
    await ask(world, 'nginx', rejected(ofMegan, first, 1));
    expect((await ask(world, 'nginx', ofAdele)).header('authorization')).toBe(first.header('authorization'));
  });
});

describeWithRedis('a process that has forgotten the token, but Redis has not', () => {
  let redis: RedisServer;
  let replicas: readonly GatewayWorld[];
  beforeAll(async () => {
    redis = await startRedis();
    const start = (): Promise<GatewayWorld> =>
      startGatewayWorld({
        emulator,
        authorizationService: { port: 0 },
        contract: [{ document: contract }],
        downstreams: unplaced,
        tokenCache: { redis: { url: redis.url } },
        redisLookupTimeoutMs: 2_000,
      });
    replicas = await Promise.all([start(), start()]);
  });
  afterAll(async () => {
    await Promise.all(replicas.map((replica) => replica.close()));
    await redis.close();
  });

  it('gets another one, and the rejected one serves nowhere any more', async () => {
    const [one, other] = replicas as [GatewayWorld, GatewayWorld];
    const call = newCall();
    const first = await ask(one, 'nginx', call);
    await until('Redis has the token', () => redis.cli('dbsize') !== '0');
    const second = await ask(other, 'nginx', rejected(call, first, 1));
    expect(second.status).toBe(200);
    expect(second.header('authorization')).not.toBe(first.header('authorization'));
    expect((await ask(other, 'nginx', call)).header('authorization')).toBe(second.header('authorization'));
  });
});

function claimsOf({ header }: RawResponse): string | undefined {
  const response = new Response(null, { headers: { 'www-authenticate': header('www-authenticate') ?? '' } });
  const encoded = new Map(readChallenge(response)).get('claims');
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString();
}
