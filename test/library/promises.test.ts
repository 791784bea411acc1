import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import express from 'express';
import { decodeJwt } from 'jose';
import { startApplicationWorld, type ApplicationWorld, type LoggedLine } from '../support/application-world.ts';
import { answerChallenge, answerPlainly, answerWith, valuesOf } from '../support/gateway-downstream.ts';
import { until } from '../support/gateway-poll.ts';
import { readProblem } from '../support/gateway-world.ts';
import { describeWithRedis, startRedis, type RedisServer } from '../support/redis-server.ts';

const world = await startApplicationWorld();
const { obo, emulator, graph } = world;
let url: string;

/** An application that shows what Graph said to it. */
async function startApplication(of: ApplicationWorld): Promise<string> {
  const app = express();
  app.get('/me/:id', of.obo.protect({ scopes: ['Profile.Read'] }, { roles: ['Orders.Read.All'] }), async (req, res) => {
    const { data } = await of.obo.downstream(req, 'graph').get<unknown>('/me');
    res.json(data);
  });
  app.post('/me', of.obo.protect(), async (req, res) => {
    const { status } = await of.obo.downstream(req, 'graph').post('/me', { hello: 'world' });
    res.json({ status });
  });
  app.use(of.obo.answerErrors());
  return of.listen(app);
}

beforeAll(async () => {
  url = await startApplication(world);
});
afterAll(() => world.close());
afterEach(() => {
  emulator.resetSwitches();
  emulator.exchanges.length = 0;
  graph.reset();
});

let serial = 0;
function token(user: string, more: Parameters<typeof world.token>[1] = {}): string {
  serial += 1;
  return world.token(user, { ...more, claims: { uti: `token ${serial}`, ...more.claims } });
}

function call(bearer: string, path = '/me/1', init: RequestInit = {}): Promise<Response> {
  return fetch(`${url}${path}`, { ...init, headers: { authorization: `Bearer ${bearer}` } });
}

describe('what the gateway promises', () => {
  it('one exchange serves 200 callers at once', async () => {
    const bearer = token('adele');
    const responses = await Promise.all(Array.from({ length: 200 }, () => call(bearer)));
    expect([new Set(responses.map(({ status }) => status)), emulator.exchanges.length]).toEqual([new Set([200]), 1]);
  });

  it('a 401 that no other token would change is no fault of the caller', async () => {
    graph.answer = answerWith(401, ['www-authenticate', 'Bearer realm="https://evil.example"'], 'no');
    const response = await call(token('adele'));
    expect([response.status, response.headers.get('www-authenticate'), (await readProblem(response)).code]).toEqual([
      502,
      null,
      'downstream_rejected_token',
    ]);
  });

  it('one refusal serves them, too, each with an error of its own', async () => {
    const bearer = token('megan');
    const responses = await Promise.all(Array.from({ length: 50 }, (_, index) => call(bearer, `/me/${index}`)));
    const problems = await Promise.all(responses.map(readProblem));
    expect([new Set(problems.map(({ code }) => code)), emulator.exchanges.length]).toEqual([
      new Set(['insufficient_claims']),
      1,
    ]);
    expect(new Set(problems.map(({ instance }) => instance)).size).toBe(50);
    await call(bearer);
    expect(emulator.exchanges).toHaveLength(1);
  });

  it('people are never mixed', async () => {
    graph.answer = (req, res) => {
      const { oid } = decodeJwt(String(req.headers.authorization).slice('Bearer '.length));
      setTimeout(() => res.end(JSON.stringify({ oid })), Math.random() * 20);
    };
    const people = Array.from({ length: 60 }, (_, index) => ['adele', 'guest', 'cody'][index % 3] ?? '');
    const seen = await Promise.all(
      people.map(async (user) => {
        const bearer = token(user);
        const response = await call(bearer);
        return [decodeJwt(bearer)['oid'], ((await response.json()) as { oid: string }).oid];
      }),
    );
    expect(seen.filter(([one, other]) => one !== other)).toEqual([]);
    expect(seen).toHaveLength(60);
  });

  it('a revoked token is replaced once, with the claims that the downstream wants', async () => {
    const claims = Buffer.from('{"access_token":{"nbf":{"essential":true,"value":"1"}}}').toString('base64');
    const bearer = token('adele');
    await call(bearer);
    const [stale] = valuesOf(graph.last.rawHeaders, 'authorization');
    graph.reset();
    graph.answer = (req, res, received) =>
      (req.headers.authorization === stale ? answerChallenge(`Bearer claims="${claims}"`) : answerPlainly)(
        req,
        res,
        received,
      );
    const response = await call(bearer, '/me', { method: 'POST' });
    expect([await response.json(), graph.requests.length, emulator.exchanges.length]).toEqual([{ status: 200 }, 2, 2]);
    expect(graph.last.body.toString()).toBe('{"hello":"world"}');
  });

  it('what the downstream goes on refusing becomes the challenge, under our own name', async () => {
    const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';
    graph.answer = answerChallenge(
      `Bearer realm="", authorization_uri="https://evil.example", error="insufficient_claims", claims="${Buffer.from(claims).toString('base64')}"`,
    );
    const response = await call(token('adele'));
    expect([response.status, (await readProblem(response)).claims]).toEqual([401, claims]);
    expect(response.headers.get('www-authenticate')).not.toContain('evil');
  });

  it('the same challenge to newer and newer tokens ends the third time', async () => {
    const now = Math.floor(Date.now() / 1_000) - 100;
    const statuses: number[] = [];
    for (const age of [1, 2, 3]) {
      statuses.push((await call(token('megan', { claims: { iat: now + age } }), '/me', { method: 'POST' })).status);
    }
    expect(statuses).toEqual([401, 401, 403]);
  });

  it('a downstream that is down opens its circuit', async () => {
    const gone = await startApplicationWorld({ emulator, graph: { baseUrl: 'http://127.0.0.1:9' } });
    const at = await startApplication(gone);
    const bearer = token('adele');
    const codes = new Set<string>();
    for (let times = 0; times < 60; times += 1) {
      const response = await fetch(`${at}/me/1`, { headers: { authorization: `Bearer ${bearer}` } });
      codes.add((await readProblem(response)).code);
    }
    expect([...codes]).toEqual(['downstream_unreachable', 'downstream_unavailable']);
    expect(await gone.obo.metrics()).toContain('gateway_circuit_openings_total{circuit="downstream:graph"} 1');
    await gone.close();
  });

  it('an outage of Entra is 503 with Retry-After', async () => {
    emulator.switches.entra = 'throttled';
    const response = await call(token('adele'));
    expect([response.status, (await readProblem(response)).code, response.headers.get('retry-after')]).toEqual([
      503,
      'identity_unavailable',
      '60',
    ]);
  });

  it('an application gets the token of the application', async () => {
    graph.answer = (req, res) => {
      const claims = decodeJwt(String(req.headers.authorization).slice('Bearer '.length));
      res.end(JSON.stringify({ idtyp: claims['idtyp'], oid: claims['oid'] === claims.sub }));
    };
    const response = await call(emulator.issueAccessToken({ app: 'daemon' }));
    expect([response.status, await response.json()]).toEqual([200, { idtyp: 'app', oid: true }]);
  });

  it('the log has one line for a request, and the metrics count it by its route', async () => {
    const before = world.lines.length;
    graph.answer = answerWith(200, ['content-type', 'application/json'], '{}');
    await (await call(token('adele'), '/me/12345?secret=1')).arrayBuffer();
    const find = (): LoggedLine | undefined => world.lines.slice(before).find(({ message }) => message === 'request');
    await until('the request is logged', () => find() !== undefined);
    expect(find()?.fields).toMatchObject({
      via: 'application',
      operation: 'GET /me/:id',
      method: 'GET',
      status: 200,
      downstream: 'graph',
      token: 'entra',
      tid: '72f988bf-86f1-41af-91ab-2d7cd011db47',
    });
    expect(JSON.stringify(world.lines)).not.toMatch(/secret|12345/);
    const metrics = await obo.metrics();
    expect(metrics).toMatch(
      /gateway_http_requests_total\{operation="GET \/me\/:id",method="GET",status="200",via="application"\} \d+/,
    );
    expect(metrics).toMatch(/gateway_downstream_request_duration_seconds_count\{downstream="graph"\} [1-9]/);
  });
});

describeWithRedis('a second level in Redis', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.close());

  it('serves the tokens of one instance to another', async () => {
    const tokenCache = { redis: { url: redis.url } };
    const bearer = token('adele');
    for (const expected of [1, 0]) {
      const replica = await startApplicationWorld({ emulator, tokenCache });
      const at = await startApplication(replica);
      emulator.exchanges.length = 0;
      const response = await fetch(`${at}/me/1`, { headers: { authorization: `Bearer ${bearer}` } });
      expect([response.status, emulator.exchanges.length]).toEqual([200, expected]);
      await replica.close();
    }
  });
});
