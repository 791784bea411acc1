import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { EXPRESS, startApplicationWorld } from '../support/application-world.ts';
import { answerChallenge, answerInTurn, answerPlainly, valuesOf } from '../support/gateway-downstream.ts';
import { readChallenge, readClaims, readProblem } from '../support/gateway-world.ts';

const world = await startApplicationWorld();
const { obo, emulator, graph, orders } = world;
afterAll(() => world.close());
afterEach(() => {
  emulator.resetSwitches();
  graph.reset();
  orders.reset();
});

describe.each(Object.entries(EXPRESS))('an application on %s', (_version, express) => {
  let url: string;

  beforeAll(async () => {
    const app = express();
    app.get('/whoami', obo.protect(), (req, res) => {
      res.json({ kind: req.obo.principal.kind, scopes: [...req.obo.principal.scopes] });
    });
    app.get('/dashboard', obo.protect({ scopes: ['Orders.Read'] }), async (req, res, next) => {
      try {
        const [me, open] = await Promise.all([
          obo.downstream(req, 'graph').get<object>('/v1.0/me'),
          obo.downstream(req, 'orders').get<object>('orders', { params: { status: 'open' } }),
        ]);
        res.json({ me: me.data, open: open.data });
      } catch (error) {
        next(error);
      }
    });
    app.use(obo.answerErrors());
    url = await world.listen(app);
  });

  function call(path: string, token?: string): Promise<Response> {
    return fetch(`${url}${path}`, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
  }

  it('knows who calls', async () => {
    const response = await call('/whoami', world.token('adele', { scopes: ['Orders.Read'] }));
    expect(await response.json()).toEqual({ kind: 'user', scopes: ['Orders.Read'] });
  });

  it('refuses a caller without a token as the gateway does', async () => {
    const response = await call('/dashboard?a=b');
    expect([response.status, readChallenge(response)]).toEqual([
      401,
      [
        ['realm', ''],
        ['authorization_uri', `${emulator.origin}/common/oauth2/v2.0/authorize`],
        ['client_id', '6e74172b-be56-4843-9ff4-e66a39bb12e3'],
        ['scope', 'Orders.Read'],
      ],
    ]);
    expect(await readProblem(response)).toMatchObject({ code: 'missing_token', instance: '/dashboard' });
  });

  it('keeps of a refusal what middleware set before, such as the headers of CORS', async () => {
    const app = express();
    app.use((_req, res, next) => {
      res.set({ 'Access-Control-Allow-Origin': 'https://app.contoso.com', Vary: 'Origin' });
      next();
    });
    app.get('/', obo.protect());
    app.use(obo.answerErrors());
    const response = await fetch(await world.listen(app));
    const { headers, status } = response;
    expect([status, headers.get('access-control-allow-origin'), headers.get('vary')]).toEqual([
      401,
      'https://app.contoso.com',
      'Origin',
    ]);
  });

  it('refuses a caller without the scope', async () => {
    const response = await call('/dashboard', world.token('adele', { scopes: ['Profile.Read'] }));
    expect([response.status, (await readProblem(response)).code]).toEqual([403, 'insufficient_scope']);
  });

  it('calls several downstreams on behalf of the caller, each with its own token', async () => {
    const response = await call('/dashboard', world.token('adele'));
    expect([response.status, await response.json()]).toEqual([
      200,
      { me: { path: '/v1.0/me' }, open: { path: '/base/orders?status=open' } },
    ]);
    const [first] = valuesOf(graph.last.rawHeaders, 'authorization');
    const [second] = valuesOf(orders.last.rawHeaders, 'authorization');
    expect(first).toMatch(/^Bearer e/);
    expect(second).not.toBe(first);
  });

  it('turns what Entra wants of the user into a challenge', async () => {
    const response = await call('/dashboard', world.token('megan'));
    expect([response.status, (await readProblem(response)).code]).toEqual([401, 'insufficient_claims']);
    expect(readClaims(response)).toContain('access_token');
  });

  it('sends a call again with a token that has the claims which a downstream wanted', async () => {
    const claims = Buffer.from('{"access_token":{"nbf":{"essential":true,"value":"1"}}}').toString('base64');
    graph.answer = answerInTurn(
      answerChallenge(`Bearer realm="", error="insufficient_claims", claims="${claims}"`),
      answerPlainly,
    );
    const response = await call('/dashboard', world.token('adele', { claims: { uti: 'again' } }));
    expect([response.status, graph.requests.length]).toEqual([200, 2]);
  });
});
