import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import express, { type Request } from 'express';
import { startApplicationWorld } from '../support/application-world.ts';
import { answerChallenge, answerPlainly, valuesOf } from '../support/gateway-downstream.ts';

const world = await startApplicationWorld();
const { obo, graph, emulator } = world;
let url: string;
/** What middleware does with a request that `protect` let in. */
let change: (req: Request) => void;

beforeAll(async () => {
  const app = express();
  app.get(
    '/',
    obo.protect(),
    (req, _res, next) => {
      change(req);
      next();
    },
    async (req, res) => {
      res.json((await obo.downstream(req, 'graph').get<unknown>('/me')).status);
    },
  );
  app.use(obo.answerErrors());
  url = await world.listen(app);
});
afterAll(() => world.close());
afterEach(() => graph.reset());

const CHANGES: readonly (readonly [how: string, change: (req: Request) => void])[] = [
  [
    'is deleted',
    (req) => {
      delete req.headers.authorization;
    },
  ],
  [
    'is replaced with that of somebody else',
    (req) => {
      req.headers.authorization = `Bearer ${world.token('guest')}`;
    },
  ],
];

let serial = 0;
function call(): Promise<Response> {
  serial += 1;
  const bearer = world.token('adele', { claims: { uti: `token ${serial}` } });
  return fetch(url, { headers: { authorization: `Bearer ${bearer}` } });
}

/** The object ids of those for whom downstreams were called. */
function listCallers(): readonly unknown[] {
  return graph.requests.map(({ rawHeaders }) => {
    const [token = ''] = valuesOf(rawHeaders, 'authorization');
    return (JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { oid?: unknown }).oid;
  });
}

describe.each(CHANGES)('a token that %s behind protect', (_how, changing) => {
  it('changes nothing: the call is made for whom protect let in', async () => {
    change = () => undefined;
    await call();
    change = changing;
    expect((await call()).status).toBe(200);
    const [before, after] = listCallers();
    expect([typeof before, after]).toEqual(['string', before]);
  });

  it('changes nothing where the downstream wants another token', async () => {
    const claims = Buffer.from('{"access_token":{"nbf":{"essential":true,"value":"1"}}}').toString('base64');
    graph.answer = (req, res, received) => {
      graph.answer = answerPlainly;
      return answerChallenge(`Bearer error="insufficient_claims", claims="${claims}"`)(req, res, received);
    };
    change = changing;
    const before = emulator.exchanges.length;
    expect((await call()).status).toBe(200);
    const [first, second] = listCallers();
    expect([emulator.exchanges.length - before, second]).toEqual([2, first]);
  });
});
