import { afterAll, describe, expect, it } from '@jest/globals';
import { startGatewayWorld, type ProblemDocument } from '../support/gateway-world.ts';
import { RawConnection, rawRequest, type RawResponse } from '../support/raw-request.ts';
import { ask, bearer, bytesOf, callProxy, CHECKS, contract, unplaced } from './engine.ts';

const world = await startGatewayWorld({
  authorizationService: { port: 0 },
  contract: [{ document: contract }],
  downstreams: unplaced,
});
afterAll(() => world.close());
const port = Number(new URL(world.authorizationServiceUrl).port);

const FORGED: Readonly<Record<string, readonly string[]>> = {
  nginx: ['X-Original-Method: GET', 'X-Original-URI: /open'],
  'forward-auth': ['X-Forwarded-Method: GET', 'X-Forwarded-Uri: /open', 'X-Forwarded-Host: open'],
  others: [
    'X-Original-URL: /open',
    'X-Rewrite-URL: /open',
    'X-Envoy-Original-Path: /open',
    'X-HTTP-Method-Override: HEAD',
  ],
};

describe.each(CHECKS)('a client behind an engine that asks as %s', (dialect) => {
  it.each(Object.keys(FORGED).filter((other) => other !== dialect))(
    'changes nothing with what describes calls to %s',
    async (other) => {
      const call = { method: 'GET', target: '/me' };
      const plain = await ask(world, dialect, call);
      const forged = await ask(world, dialect, { ...call, headers: FORGED[other] ?? [] });
      expect([plain.status, forged.status]).toEqual([401, 401]);
    },
  );

  it.each([
    ['forward-auth', '?uri=/open&X-Forwarded-Uri=/open'],
    ['nginx', '?/open'],
  ] as const)('nor with a query that its engine appends to the address of %s', async (name, query) => {
    const [method, target] =
      name === 'nginx' ? ['X-Original-Method', 'X-Original-URI'] : ['X-Forwarded-Method', 'X-Forwarded-Uri'];
    const answer = await send(`GET /check/${name}${query} HTTP/1.1`, `${method}: GET`, `${target}: /me`);
    expect(answer.status).toBe(401);
  });
});

function send(line: string, ...headers: readonly string[]): Promise<RawResponse> {
  return rawRequest(port, [line, 'Host: engine', ...headers]);
}

const NGINX = 'GET /check/nginx HTTP/1.1';
const REFUSAL = 'GET /refusal/nginx HTTP/1.1';
const FORWARD = 'GET /check/forward-auth HTTP/1.1';
const ORIGINAL = ['X-Original-Method: GET', 'X-Original-URI: /me'];

describe('an engine that does not say which call it asks about', () => {
  it.each<readonly [what: string, line: string, ...headers: string[]]>([
    ['nothing', NGINX],
    ['nothing', REFUSAL],
    ['nothing', FORWARD],
    ['no method', NGINX, 'X-Original-URI: /open'],
    ['no target', FORWARD, 'X-Forwarded-Method: GET'],
    ['two methods', NGINX, ...ORIGINAL, 'X-Original-Method: GET'],
    ['two targets', NGINX, ...ORIGINAL, 'x-original-uri: /open'],
    ['two equal targets', FORWARD, 'X-Forwarded-Method: GET', 'X-Forwarded-Uri: /open', 'X-Forwarded-Uri: /open'],
    ['an empty target', NGINX, 'X-Original-Method: GET', 'X-Original-URI:'],
    ['an empty method', NGINX, 'X-Original-Method:', 'X-Original-URI: /open'],
    ['a method of two words', NGINX, 'X-Original-Method: GET /', 'X-Original-URI: /open'],
    ['a target of two words', NGINX, 'X-Original-Method: GET', 'X-Original-URI: /open /me'],
    ['a target that is no path', FORWARD, 'X-Forwarded-Method: GET', 'X-Forwarded-Uri: open'],
    ['a target of another scheme', FORWARD, 'X-Forwarded-Method: GET', 'X-Forwarded-Uri: javascript://open/open'],
    ['the headers of another dialect', FORWARD, ...ORIGINAL],
    ['an attempt without a status of 401', NGINX, ...ORIGINAL, 'X-Downstream-Status: 403'],
    ['a status without an attempt', NGINX, ...ORIGINAL, 'X-Downstream-Status: 401'],
    ['a third attempt', REFUSAL, ...ORIGINAL, 'X-Downstream-Status: 401', 'X-Downstream-Attempt: 3'],
    [
      'two attempts',
      NGINX,
      ...ORIGINAL,
      'X-Downstream-Status: 401',
      'X-Downstream-Attempt: 1',
      'X-Downstream-Attempt: 2',
    ],
  ])('gets 400 for %s, and the log says what to look at', async (_what, line, ...headers) => {
    const id = `undescribed-${(unique += 1)}`;
    const answer = await send(line, `X-Request-Id: ${id}`, ...headers);
    expect([answer.status, answer.header('authorization')]).toEqual([400, undefined]);
    expect(await world.log.of(id)).toMatchObject({
      level: 'error',
      status: 400,
      reason: expect.any(String),
      remedy: 'Compare the configuration of the engine with docs/engines.md.',
    });
  });

  it('gets 400 for a rejection that does not say what was rejected', async () => {
    const rejection = ['X-Downstream-Status: 401', 'X-Downstream-Attempt: 1'];
    const answer = await send(NGINX, ...ORIGINAL, ...rejection, bearer(world.token('adele')));
    expect(answer.status).toBe(400);
  });

  it.each(['/', '/check', '/check/', '/check/nginx/', '/check/envoy', '/check/envoyance/open', '/Check/nginx', '/me'])(
    'gets 404 at %s',
    async (path) => {
      expect((await send(`GET ${path} HTTP/1.1`, ...ORIGINAL)).status).toBe(404);
    },
  );
});

describe('a client whose call the proxy could not read', () => {
  it.each<readonly [method: string, target: string]>([
    ['get', '/open'],
    ['BREW', '/open'],
    ['PRI', '/open'],
    ['A'.repeat(70), '/open'],
    ['CONNECT', '/open'],
    ['GET', 'http:/open'],
    ['GET', 'https:open'],
    ['GET', 'http://a<b/open'],
    ['GET', 'http://a#/open'],
  ])('gets 400 as at the proxy, and its engine is not blamed: %s %s', async (method, target) => {
    const call = { method, target, headers: [`X-Request-Id: unreadable-${(unique += 1)}`] };
    const ofProxy = await callProxy(world, call);
    const answers = [await ask(world, 'forward-auth', call), await ask(world, 'nginx, for the refusal', call)];
    for (const { status, body } of [ofProxy, ...answers]) {
      expect([status, (JSON.parse(body) as ProblemDocument).code]).toEqual([400, 'invalid_request']);
    }
    expect((await ask(world, 'nginx', call)).status).toBe(401);
    const id = `unreadable-${unique}`;
    expect(world.log.lines.filter(({ level, requestId }) => level === 'error' && requestId === id)).toEqual([]);
  });

  it('keeps the connection of its engine open, also where Node takes the method for HTTP/2', async () => {
    const engine = new RawConnection(port);
    for (const method of ['PRI', 'BREW', 'GET']) {
      const description = [`X-Forwarded-Method: ${method}`, 'X-Forwarded-Uri: /open'];
      const { status } = await engine.send(FORWARD, 'Host: engine', ...description).response();
      expect(status).toBe(method === 'GET' ? 200 : 400);
    }
    engine.close();
  });

  it('gets 404 as at the proxy for the asterisk', async () => {
    const call = { method: 'OPTIONS', target: '*', headers: ['X-Request-Id: same'] };
    const ofProxy = bytesOf(await callProxy(world, call));
    expect(ofProxy).toMatchObject({ status: 404 });
    expect(bytesOf(await ask(world, 'forward-auth', call))).toEqual(ofProxy);
  });

  it('gets 404 as at the proxy for a query without a path, which nginx makes of an address without one', async () => {
    const headers = ['X-Request-Id: same'];
    const ofProxy = bytesOf(await callProxy(world, { method: 'GET', target: 'http://api.contoso.com?a=b', headers }));
    expect(ofProxy).toMatchObject({ status: 404 });
    const call = { method: 'GET', target: '?a=b', headers };
    expect(bytesOf(await ask(world, 'nginx, for the refusal', call))).toEqual(ofProxy);
  });

  it.each(CHECKS.filter((dialect) => dialect !== 'envoy'))(
    'is refused, and its engine is not blamed: %s',
    async (dialect) => {
      const call = { method: 'GET', target: '/things/\u00e9' };
      const asked = dialect === 'nginx' ? 'nginx, for the refusal' : dialect;
      const answer = await ask(world, asked, { ...call, headers: ['X-Request-Id: unreadable-1'] });
      expect([answer.status, answer.body]).toEqual([400, expect.stringContaining('"invalid_request"')]);
      expect((await ask(world, dialect, call)).status).toBe(dialect === 'nginx' ? 401 : 400);
      expect(
        world.log.lines.filter(({ requestId, level }) => requestId === 'unreadable-1' && level === 'error'),
      ).toEqual([]);
    },
  );
});

let unique = 0;
