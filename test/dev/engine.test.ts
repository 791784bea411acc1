import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { startEngine, type CarriedCall, type Engine } from '../../dev/engine/engine.ts';
import type { AskedQuestion } from '../../dev/engine/question.ts';
import { findFreePort } from '../../dev/ports.ts';
import { WITHHELD } from '../../src/forward/withheld-headers.ts';
import { passesFromCallers } from '../../src/forward/request-headers.ts';
import { essenceOf, portOf, send, type Call } from '../engines/engine-world.ts';
import { answerChallenge, answerInTurn, answerPlainly, answerWith, valuesOf } from '../support/gateway-downstream.ts';
import { until } from '../support/gateway-poll.ts';
import { startGatewayWorld } from '../support/gateway-world.ts';
import { RawConnection } from '../support/raw-request.ts';

const PAGE = 'https://page.example';
const world = await startGatewayWorld({
  authorizationService: { port: 0 },
  server: { cors: { origins: [PAGE] } },
});
const questions: AskedQuestion[] = [];
const calls: CarriedCall[] = [];
const engine = await start(world.authorizationServiceUrl);
const port = portOf(engine.origin);

afterEach(() => {
  world.emulator.resetSwitches();
  world.downstream.reset();
  questions.length = 0;
  calls.length = 0;
});
afterAll(async () => {
  await engine.close();
  await world.close();
});

async function start(serviceOrigin: string, limits: { gatewayTimeoutMs?: number } = {}): Promise<Engine> {
  const api = `http://127.0.0.1:${world.downstream.port}`;
  const routes = ['/me', '/open', '/things', '/upload', '/payouts', '/live'].map((path) => ({ path, origin: api }));
  const started = await startEngine({
    serviceOrigin,
    routes: [...routes, { path: '/files', origin: api, prefix: '/static' }],
    origins: [PAGE],
    ...limits,
  });
  started.onQuestion((question) => questions.push(question));
  started.onCall((call) => calls.push(call));
  return started;
}

/** Starts an engine that asks a server which is no gateway. */
async function startService(
  answer: (res: ServerResponse) => unknown,
  limits?: { gatewayTimeoutMs?: number },
): Promise<{ readonly engine: Engine; readonly close: () => Promise<void> }> {
  const service = createServer((_req, res) => void answer(res)).listen(0, '127.0.0.1');
  await once(service, 'listening');
  const asking = await start(`http://127.0.0.1:${(service.address() as AddressInfo).port}`, limits);
  return {
    engine: asking,
    async close() {
      await asking.close();
      service.close();
      service.closeAllConnections();
    },
  };
}

function asAdele(line = 'GET /me', more: Partial<Call> = {}): Call {
  return { line, token: world.token('adele'), ...more };
}

/** The endpoints that were asked, with what came of it: `/check/nginx 401`. */
function asked(): string[] {
  return questions.map(({ endpoint, attempt, status }) =>
    [endpoint, status, ...(attempt === undefined ? [] : [`attempt ${attempt}`])].join(' '),
  );
}

const CHECKED = '/check/nginx 200';
const REFUSED = '/check/nginx 401';

describe('a call that may pass', () => {
  it('is asked about once; the API gets its own token, and the client its answer', async () => {
    const answer = await send(port, asAdele('GET /me?a=%41', { headers: ['X-Request-Id: mine-1', 'X-Own: kept'] }));
    const { url, rawHeaders } = world.downstream.last;
    const [authorization = '', ...more] = valuesOf(rawHeaders, 'authorization');
    expect([answer.status, answer.all('x-request-id'), url, more, asked()]).toEqual([
      200,
      ['mine-1'],
      '/me?a=%41',
      [],
      [CHECKED],
    ]);
    expect(decodeJwt(authorization.replace('Bearer ', '')).aud).toBe('https://graph.microsoft.com');
    expect([valuesOf(rawHeaders, 'x-request-id'), valuesOf(rawHeaders, 'x-own')]).toEqual([['mine-1'], ['kept']]);
    expect((await world.log.of('mine-1'))['via']).toBe('check');
    await until('the call is told', () => calls.length > 0);
    expect(calls).toMatchObject([{ requestId: 'mine-1', method: 'GET', path: '/me?a=%41', status: 200 }]);
  });

  it('goes without a token where it needs none, whatever the client sends', async () => {
    const { status } = await send(port, asAdele('GET /open'));
    expect([status, valuesOf(world.downstream.last.rawHeaders, 'authorization')]).toEqual([200, []]);
  });

  it('has a new id where the client’s is not clean', async () => {
    const answer = await send(port, { line: 'GET /open', headers: ['X-Request-Id: {not clean}'] });
    const [made = ''] = valuesOf(world.downstream.last.rawHeaders, 'x-request-id');
    expect([made.length, answer.all('x-request-id'), questions[0]?.requestId]).toEqual([36, [made], made]);
  });

  it('goes to the path that was checked, byte for byte, behind the prefix of its route', async () => {
    for (const target of ['/things/a%2Fb%20c?q=%41&q=+', '/things/%C3%A9;v=1', '/open?']) {
      expect([(await send(port, { line: `GET ${target}` })).status, world.downstream.last.url]).toEqual([200, target]);
    }
    await send(port, { line: 'GET /files/a/b?c' });
    expect(world.downstream.last.url).toBe('/static/files/a/b?c');
  });

  it('goes nowhere in a spelling that the routes do not have', async () => {
    const { status } = await send(port, { line: 'GET /%6Fpen' });
    expect([status, asked(), world.downstream.requests]).toEqual([404, [CHECKED], []]);
  });

  it('has the head of a GET as a HEAD', async () => {
    world.downstream.answer = answerWith(200, ['content-length', '7', 'x-own', 'yes']);
    const answer = await send(port, { line: 'HEAD /open' });
    expect([answer.status, answer.header('content-length'), answer.header('x-own')]).toEqual([200, '7', 'yes']);
    expect(world.downstream.last.method).toBe('HEAD');
  });

  it.each(['GET', 'POST', 'DELETE'])('%s: a body arrives, of a known length and in chunks', async (method) => {
    const body = Buffer.alloc(100_000, 'abc');
    expect((await send(port, { line: `${method} /open`, body })).status).toBe(200);
    expect(world.downstream.last.body.equals(body)).toBe(true);
    const chunked = new RawConnection(port);
    chunked.send(`${method} /open HTTP/1.1`, 'Host: a', 'Transfer-Encoding: chunked').write('3\r\nabc\r\n0\r\n\r\n');
    expect((await chunked.response()).status).toBe(200);
    expect(world.downstream.last.body.toString()).toBe('abc');
    chunked.close();
  });

  it('stays one call where Connection names the length of its body', async () => {
    const body = 'GET /me HTTP/1.1\r\nHost: a\r\n\r\n';
    await send(port, { line: 'DELETE /open', headers: ['Connection: content-length'], body });
    expect(world.downstream.requests.map(({ body: arrived }) => arrived.toString())).toEqual([body]);
  });

  it('has its answer as a stream: an event arrives before the next one is made', async () => {
    let sendNext: (() => unknown) | undefined;
    world.downstream.answer = (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
      sendNext = () => res.end('data: 2\n\n');
    };
    const stream = new RawConnection(port);
    stream.send('GET /open HTTP/1.1', 'Host: a', 'Connection: close');
    await stream.untilReceived('data: 1');
    expect(stream.received).not.toContain('data: 2');
    sendNext?.();
    await stream.untilReceived('data: 2');
    stream.close();
  });

  it('ends at the API when the client leaves', async () => {
    world.downstream.answer = (_req, res) => res.writeHead(200).write('one');
    const stream = new RawConnection(port);
    stream.send('GET /open HTTP/1.1', 'Host: a');
    await stream.untilReceived('one');
    stream.close();
    await until('the API learns of it', () => world.downstream.last.aborted);
  });

  it('ends at the API when the client leaves in the middle of its body', async () => {
    const upload = new RawConnection(port);
    upload.send('PUT /open HTTP/1.1', 'Host: a', 'Content-Length: 9').write('one');
    await until('the API is asked', () => world.downstream.requests.length > 0);
    upload.close();
    await until('the API learns of it', () => world.downstream.last.aborted);
    expect(world.downstream.last.body.toString()).not.toHaveLength(9);
  });

  it('does not reach the API when the client leaves while the gateway is asked', async () => {
    let isAsked = false;
    const slow = await startService(() => {
      isAsked = true;
    });
    const impatient = new RawConnection(portOf(slow.engine.origin));
    impatient.send('GET /me HTTP/1.1', 'Host: a');
    await until('the gateway is asked', () => isAsked);
    impatient.close();
    await until('the question is over', () => questions.length > 0);
    expect([asked(), world.downstream.requests]).toEqual([['/check/nginx 0'], []]);
    await slow.close();
  });

  it('is cut off at the client when the API cuts it off', async () => {
    world.downstream.answer = (_req, res) => {
      res.writeHead(200, { 'content-length': '9' }).write('one', () => res.destroy());
    };
    const stream = new RawConnection(port);
    stream.send('GET /open HTTP/1.1', 'Host: a');
    await stream.untilClosed();
    expect(stream.received).toContain('one');
  });

  it('opens no tunnel', async () => {
    const headers = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQ'];
    await send(port, { line: 'GET /open', headers });
    const { rawHeaders } = world.downstream.last;
    expect(['upgrade', 'http2-settings'].flatMap((name) => valuesOf(rawHeaders, name))).toEqual([]);
  });

  it('leaves the connection ready for the next one, also when nobody read its body', async () => {
    const connection = new RawConnection(port);
    const body = 'x'.repeat(200_000);
    connection.send('PUT /upload HTTP/1.1', 'Host: a', `Content-Length: ${body.length}`).write(body);
    connection.send('GET /open HTTP/1.1', 'Host: a');
    expect([(await connection.response()).status, (await connection.response()).status]).toEqual([401, 200]);
    connection.close();
  });
});

interface Refusal {
  readonly what: string;
  readonly call: () => Call;
  readonly status: number;
}

function refusedByEntra(error: string, code: number, more: object = {}): Call {
  world.emulator.switches.refuse = { error, error_codes: [code], description: `AADSTS${code}: text`, ...more };
  return asAdele();
}

const CLAIMS = '{"access_token":{"capolids":{"essential":true,"values":["a"]}}}';

const REFUSALS: readonly Refusal[] = [
  { what: 'there is no token', call: () => ({ line: 'GET /me' }), status: 401 },
  { what: 'the header is not one token', call: () => ({ line: 'GET /me', token: 'a b' }), status: 400 },
  {
    what: 'two tokens are sent',
    call: () => asAdele('GET /me', { headers: ['Authorization: Bearer a'] }),
    status: 400,
  },
  { what: 'the token is none', call: () => ({ line: 'GET /me', token: 'a.b.c' }), status: 401 },
  {
    what: 'a scope is missing',
    call: () => ({ line: 'GET /me', token: world.token('adele', { scopes: ['Orders.Read'] }) }),
    status: 403,
  },
  {
    what: 'an authentication context is missing, and there is a body',
    call: () => asAdele('POST /payouts', { body: 'x'.repeat(100_000) }),
    status: 401,
  },
  {
    what: 'Entra wants more proof',
    call: () => refusedByEntra('interaction_required', 50076, { claims: CLAIMS }),
    status: 401,
  },
  {
    what: 'Entra wants more proof, in 5 kB',
    call: () =>
      refusedByEntra('interaction_required', 50076, { claims: CLAIMS.replace('"a"', `"${'a'.repeat(3_700)}"`) }),
    status: 401,
  },
  {
    what: 'Entra wants the user, without claims',
    call: () => refusedByEntra('invalid_grant', 50076, { suberror: 'basic_action' }),
    status: 401,
  },
  { what: 'consent is missing', call: () => ({ line: 'GET /me', token: world.token('newcomer') }), status: 403 },
  {
    what: 'Entra denies it for good',
    call: () => refusedByEntra('invalid_grant', 53003, { suberror: 'message_only' }),
    status: 403,
  },
  { what: 'the gateway is set up wrongly', call: () => refusedByEntra('invalid_grant', 500131), status: 500 },
  {
    what: 'Entra is throttling',
    call() {
      Object.assign(world.emulator.switches, { entra: 'throttled', retryAfter: '38' });
      return asAdele();
    },
    status: 503,
  },
  { what: 'there is no such path', call: () => ({ line: 'GET /nowhere?a=b' }), status: 404 },
  { what: 'the method is another', call: () => asAdele('PATCH /orders', { body: '{}' }), status: 405 },
  { what: 'it is a HEAD', call: () => ({ line: 'HEAD /me' }), status: 401 },
  { what: 'a page asks', call: () => ({ line: 'GET /me', headers: [`Origin: ${PAGE}`] }), status: 401 },
  { what: 'another page asks', call: () => ({ line: 'GET /me', headers: ['Origin: https://a.b'] }), status: 401 },
  { what: 'the path hides dots', call: () => ({ line: 'GET /things/%2e%2e%2fadmin' }), status: 400 },
  { what: 'the path has dots', call: () => asAdele('GET /things/../me'), status: 404 },
  {
    what: 'the head is too large',
    call: () => asAdele('GET /me', { headers: [`x-padding: ${'x'.repeat(20_000)}`] }),
    status: 431,
  },
  { what: 'the address is too long', call: () => ({ line: `GET /things/${'x'.repeat(17_000)}` }), status: 414 },
];

describe('a refusal is that of the proxy, byte for byte', () => {
  it.each(REFUSALS)('when $what', async ({ call, status }) => {
    const described = call();
    const named = { ...described, headers: [...(described.headers ?? []), 'x-request-id: same'] };
    const ofProxy = await send(world.port, named);
    expect(ofProxy.status).toBe(status);
    expect(essenceOf(await send(port, named))).toEqual(essenceOf(ofProxy));
    expect([asked(), world.downstream.requests]).toEqual([[REFUSED, `/refusal/nginx ${status}`], []]);
  });
});

const NBF = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}';
const FOREIGN =
  'Bearer realm="", authorization_uri="https://phish.example/authorize", error="insufficient_claims", ' +
  `claims="${Buffer.from(NBF).toString('base64')}"`;

interface Rejected {
  readonly what: string;
  readonly api: () => void;
  /** Each person meets the same challenge less than three times, which would end a loop. */
  readonly user: string;
  readonly call?: Omit<Call, 'token'>;
  readonly outcome: readonly [status: number, error: string | undefined, calls: number];
  readonly questions: readonly string[];
}

const REJECTED: readonly Rejected[] = [
  {
    what: 'with claims, and another token helps',
    api: () => (world.downstream.answer = answerInTurn(answerChallenge(FOREIGN), answerPlainly)),
    user: 'adele',
    outcome: [200, undefined, 2],
    questions: [CHECKED, `${CHECKED} attempt 1`],
  },
  {
    what: 'to a call with a body, which has gone by',
    api: () => (world.downstream.answer = answerChallenge(FOREIGN)),
    user: 'adele',
    call: { line: 'PUT /upload', body: 'x'.repeat(100_000) },
    outcome: [401, 'insufficient_claims', 1],
    questions: [CHECKED, '/refusal/nginx 401 attempt 2'],
  },
  {
    what: 'with claims, twice',
    api: () => (world.downstream.answer = answerChallenge(FOREIGN)),
    user: 'cody',
    outcome: [401, 'insufficient_claims', 2],
    questions: [CHECKED, `${CHECKED} attempt 1`, '/refusal/nginx 401 attempt 2'],
  },
  {
    what: 'with its claims in the second line of two',
    api: () => {
      world.downstream.answer = answerInTurn(answerChallenge('Negotiate', FOREIGN), answerPlainly);
    },
    user: 'cody',
    outcome: [200, undefined, 2],
    questions: [CHECKED, `${CHECKED} attempt 1`],
  },
  {
    what: 'without claims',
    api: () => (world.downstream.answer = answerChallenge('Bearer authorization_uri="https://phish.example/"')),
    user: 'guest',
    outcome: [502, undefined, 1],
    questions: [CHECKED, `${REFUSED} attempt 1`, '/refusal/nginx 502 attempt 1'],
  },
  {
    what: 'without any challenge',
    api: () => (world.downstream.answer = answerWith(401, [], 'its own words')),
    user: 'guest',
    outcome: [502, undefined, 1],
    questions: [CHECKED, `${REFUSED} attempt 1`, '/refusal/nginx 502 attempt 1'],
  },
];

describe('a 401 of the API', () => {
  it.each(REJECTED)('$what', async ({ api, user, call = { line: 'GET /me' }, outcome, questions: expected }) => {
    api();
    const answer = await send(port, { ...call, token: world.token(user) });
    const { requests } = world.downstream;
    const error = /error="([^"]*)"/.exec(answer.header('www-authenticate') ?? '')?.[1];
    expect([[answer.status, error, requests.length], asked()]).toEqual([outcome, expected]);
    const tokens = requests.flatMap(({ rawHeaders }) => valuesOf(rawHeaders, 'authorization'));
    expect(new Set(tokens).size).toBe(requests.length);
    expect(JSON.stringify(answer)).not.toContain('phish');
  });

  it('to a token that Entra does not renew: the client gets Entra’s claims', async () => {
    const token = world.token('adele');
    await send(port, { line: 'GET /me', token });
    world.emulator.switches.refuse = { error: 'interaction_required', error_codes: [50076], claims: CLAIMS };
    world.downstream.answer = answerChallenge(FOREIGN);
    const answer = await send(port, { line: 'GET /me', token });
    const encoded = Buffer.from(CLAIMS).toString('base64');
    expect([answer.status, answer.all('www-authenticate')]).toEqual([
      401,
      [expect.stringContaining(`claims="${encoded}"`)],
    ]);
  });
});

/** What clients may not tell an API, nor the gateway about a call. */
const FORGED = [
  'Cookie: a=b',
  'Forwarded: for=6.6.6.6',
  'X-Forwarded-For: 6.6.6.6',
  'X-Forwarded-Host: evil',
  'X-Forwarded-User: root',
  'X-Forwarded-Uri: /open',
  'X-Forwarded-Method: GET',
  'X-Original-URI: /open',
  'X-Original-Method: GET',
  'X-Original-URL: /admin',
  'X-Rewrite-URL: /admin',
  'X-HTTP-Method-Override: DELETE',
  'X-Method-Override: DELETE',
  'X-Real-IP: 6.6.6.6',
  'X-MS-CLIENT-PRINCIPAL: e30=',
  'X-MS-TOKEN-AAD-ACCESS-TOKEN: a.b.c',
  'X-MS-FORWARDED-CLIENT-IP: 6.6.6.6',
  'X_MS_CLIENT_PRINCIPAL: e30=',
  'Proxy-Authorization: Basic YTpi',
  'Client-Cert: :YQ==:',
  'Remote-User: root',
  'X-Remote-Extra-Scopes: all',
  'X-Auth-Request-User: root',
  'Cf-Access-Jwt-Assertion: a.b.c',
];
const FORGED_REPORT = [
  'X-Downstream-Status: 401',
  'X-Downstream-Attempt: 1',
  'X-Downstream-Authorization: Bearer a.b.c',
  'X-Downstream-Challenge: Bearer claims="e30="',
  'X-Envoy-Auth-Headers-To-Remove: x-api',
];

function nameOf(line: string): string {
  return line.slice(0, line.indexOf(':')).toLowerCase();
}

describe('what a client forges', () => {
  it('the API learns nothing of it', async () => {
    const headers = [...FORGED, ...FORGED_REPORT];
    const { status } = await send(port, asAdele('GET /me', { headers }));
    const { rawHeaders } = world.downstream.last;
    const arrived = headers.map(nameOf).flatMap((name) => valuesOf(rawHeaders, name));
    // What the engine itself says of where the call came from.
    expect([status, arrived]).toEqual([200, ['127.0.0.1', new URL(engine.origin).host]]);
  });

  it('opens no door', async () => {
    const { status } = await send(port, { line: 'GET /me', headers: [...FORGED, ...FORGED_REPORT] });
    expect([status, world.downstream.requests]).toEqual([401, []]);
  });

  it('the proxy drops the same', () => {
    const own = new Set(['x-original-uri', 'x-original-method']);
    expect(FORGED.map(nameOf).filter((name) => !own.has(name) && passesFromCallers(name))).toEqual([]);
  });
});

describe('what an API says', () => {
  const orders = ['set-cookie', 'a=b', 'x-accel-redirect', '/secret', 'strict-transport-security', 'max-age=1'];
  const more = ['access-control-allow-origin', '*', 'www-authenticate', FOREIGN, 'x-request-id', 'its-own'];

  it('that is not for the client goes no further, and a redirect is not followed', async () => {
    world.downstream.answer = answerWith(302, [...orders, ...more, 'location', 'https://elsewhere.example/'], 'whole');
    const answer = await send(port, asAdele('GET /me', { headers: ['x-request-id: same'] }));
    const withheld = [...orders, ...more].filter((_, index) => index % 2 === 0).flatMap((name) => answer.all(name));
    expect([answer.status, answer.body, answer.header('location'), withheld, world.downstream.requests.length]).toEqual(
      [302, 'whole', 'https://elsewhere.example/', ['same'], 1],
    );
  });

  it('the proxy withholds the same', () => {
    const names = new Set(WITHHELD.flatMap(({ names: all = [], prefixes = [] }) => [...all, ...prefixes]));
    const asHeaders = [...orders, ...more].filter((_, index) => index % 2 === 0);
    expect(asHeaders.filter((name) => ![...names].some((one) => name.startsWith(one)))).toEqual([]);
  });

  it('a page may read, if it is one of ours', async () => {
    const [ours, foreign] = await Promise.all(
      [PAGE, 'https://a.b'].map((origin) => send(port, { line: 'GET /open', headers: [`Origin: ${origin}`] })),
    );
    expect([ours?.all('access-control-allow-origin'), foreign?.all('access-control-allow-origin')]).toEqual([
      [PAGE],
      [],
    ]);
  });
});

describe('a preflight', () => {
  const ask = ['Access-Control-Request-Method: PUT', 'Access-Control-Request-Headers: authorization'];

  it('of our page is answered, and nobody is asked', async () => {
    const answer = await send(port, { line: 'OPTIONS /me', headers: [`Origin: ${PAGE}`, ...ask] });
    const names = ['origin', 'methods', 'headers'].map((name) => `access-control-allow-${name}`);
    expect([answer.status, ...names.map((name) => answer.header(name))]).toEqual([204, PAGE, 'PUT', 'authorization']);
    expect([questions, world.downstream.requests]).toEqual([[], []]);
  });

  it('of another page is a call like any other', async () => {
    const answer = await send(port, { line: 'OPTIONS /me', headers: ['Origin: https://a.b', ...ask] });
    expect([answer.status, answer.all('access-control-allow-origin')]).toEqual([405, []]);
  });
});

interface Failing {
  readonly what: string;
  readonly fail: (res: ServerResponse) => unknown;
}

const FAILING: readonly Failing[] = [
  { what: 'never answers', fail: () => undefined },
  { what: 'breaks the connection', fail: (res) => res.socket?.destroy() },
  { what: 'does not speak HTTP', fail: (res) => res.socket?.end('garbage\r\n\r\n') },
  { what: 'breaks off in the head', fail: (res) => res.socket?.end('HTTP/1.1 200 OK\r\nAuthoriz') },
  { what: 'fails', fail: (res) => res.writeHead(500).end() },
  { what: 'is another server', fail: (res) => res.writeHead(404).end() },
  { what: 'does not serve this engine', fail: (res) => res.writeHead(403).end() },
  { what: 'wants to be asked elsewhere', fail: (res) => res.writeHead(302, { location: '/login' }).end() },
  { what: 'says that it did nothing', fail: (res) => res.writeHead(204).end() },
];

async function callThrough({ origin }: Engine): Promise<unknown[]> {
  const answer = await send(portOf(origin), asAdele());
  const { code } = JSON.parse(answer.body) as { readonly code: string };
  return [answer.status, answer.header('content-type'), answer.header('retry-after'), code, world.downstream.requests];
}

describe('when the gateway does not say that a call may pass, the door stays closed', () => {
  const CLOSED = [503, 'application/problem+json', '5', 'identity_unavailable', []];

  it.each(FAILING)('it $what', async ({ fail }) => {
    const failing = await startService(fail, { gatewayTimeoutMs: 100 });
    expect(await callThrough(failing.engine)).toEqual(CLOSED);
    await failing.close();
  });

  it('nobody listens', async () => {
    const closed = await start(`http://127.0.0.1:${await findFreePort()}`);
    expect([await callThrough(closed), asked()]).toEqual([CLOSED, ['/check/nginx 0']]);
    await closed.close();
  });

  it('it is gone once the API said 401, whose challenge stays behind', async () => {
    let questionsAsked = 0;
    const failing = await startService((res) => {
      questionsAsked += 1;
      if (questionsAsked > 1) {
        res.socket?.destroy();
      } else {
        res.writeHead(200, { authorization: 'Bearer first' }).end();
      }
    });
    world.downstream.answer = answerChallenge(FOREIGN);
    const answer = await send(portOf(failing.engine.origin), asAdele());
    expect([answer.status, answer.all('www-authenticate'), world.downstream.requests.length]).toEqual([503, [], 1]);
    await failing.close();
  });
});

describe('an API that does not answer', () => {
  it.each([
    { what: 'breaks the connection', fail: (res: ServerResponse) => res.socket?.destroy(), status: 502 },
    { what: 'does not speak HTTP', fail: (res: ServerResponse) => res.socket?.end('garbage\r\n\r\n'), status: 502 },
  ])('$what: $status', async ({ fail, status }) => {
    world.downstream.answer = (_req, res) => fail(res);
    const answer = await send(port, asAdele());
    expect([answer.status, answer.header('content-type')]).toEqual([status, 'application/problem+json']);
  });

  it('in time: 504', async () => {
    world.downstream.answer = () => undefined;
    const hasty = await startEngine({
      serviceOrigin: world.authorizationServiceUrl,
      routes: [{ path: '/me', origin: `http://127.0.0.1:${world.downstream.port}` }],
      origins: [],
      apiTimeoutMs: 50,
    });
    expect((await send(portOf(hasty.origin), asAdele())).status).toBe(504);
    await hasty.close();
  });
});
