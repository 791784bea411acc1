import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import express from 'express';
import { startApplicationWorld } from '../support/application-world.ts';
import { answerChallenge, answerPlainly, answerWith } from '../support/gateway-downstream.ts';
import { readProblem } from '../support/gateway-world.ts';

const world = await startApplicationWorld();
const { obo, graph, orders } = world;
let url: string;

beforeAll(async () => {
  const app = express();
  app.get('/together', obo.protect(), async (req, res) => {
    const client = obo.downstream(req, 'graph');
    await Promise.all([client.get('/me'), client.get('/messages')]);
    res.end();
  });
  app.get('/in-turn', obo.protect(), async (req, res) => {
    await obo.downstream(req, 'graph').get('/messages');
    res.end();
  });
  app.get('/after-another', obo.protect(), async (req, res) => {
    await obo.downstream(req, 'orders').get('/orders');
    await obo.downstream(req, 'graph').get('/messages');
    res.end();
  });
  app.get('/with-token', obo.protect(), async (req, res) => {
    const client = obo.downstream(req, 'graph');
    await client.token();
    await client.token();
    await client.get('/messages');
    res.end();
  });
  app.use(obo.answerErrors());
  url = await world.listen(app);
});
afterAll(() => world.close());
afterEach(() => {
  graph.reset();
  orders.reset();
});

const challenge = answerChallenge(
  `Bearer claims="${Buffer.from('{"access_token":{"acrs":{"essential":true,"value":"c1"}}}').toString('base64')}"`,
);
const demand: typeof graph.answer = (req, res, received) =>
  (req.url === '/messages' ? challenge : answerPlainly)(req, res, received);

let issued = Math.floor(Date.now() / 1_000) - 1_000;

/** Calls with a token that is newer than all before. */
function call(path: string): Promise<Response> {
  issued += 1;
  const bearer = world.token('adele', { claims: { iat: issued, uti: `token ${issued}` } });
  return fetch(`${url}${path}`, { headers: { authorization: `Bearer ${bearer}` } });
}

async function statusesOf(path: string, times: number): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (let time = 0; time < times; time += 1) {
    statuses.push((await call(path)).status);
  }
  return statuses;
}

describe('a step-up that leads nowhere', () => {
  it.each([
    ['beside a call of the same handler to the same downstream that succeeds', '/together'],
    ['after a call to another downstream that succeeds', '/after-another'],
    ['after tokens that were given out', '/with-token'],
  ])('is refused the third time, %s', async (_what, path) => {
    graph.answer = demand;
    expect(await statusesOf(path, 2)).toEqual([401, 401]);
    const third = await call(path);
    expect([third.status, (await readProblem(third)).code]).toEqual([403, 'step_up_unsatisfiable']);
    expect(await statusesOf(path, 2)).toEqual([403, 403]);
  });

  it('is no loop for a user whose request goes well in between', async () => {
    const statuses: number[] = [];
    for (const answer of [demand, answerPlainly, demand, answerPlainly, demand, answerPlainly]) {
      graph.answer = answer;
      statuses.push((await call('/in-turn')).status);
    }
    expect(statuses).toEqual([401, 200, 401, 200, 401, 200]);
  });

  it('is not ended by an answer that says the token is not accepted', async () => {
    const statuses: number[] = [];
    for (const answer of [demand, answerWith(401), demand, answerWith(401), demand]) {
      graph.answer = answer;
      statuses.push((await call('/in-turn')).status);
    }
    expect(statuses).toEqual([401, 502, 401, 502, 403]);
  });
});
