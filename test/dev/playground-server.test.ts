import { afterAll, describe, expect, it } from '@jest/globals';
import type { Hop } from '../../dev/playground/hop.ts';
import { startWorld } from '../../dev/world.ts';
import { rawRequest } from '../support/raw-request.ts';

const world = await startWorld();
const { emulator, playground, gatewayUrl, engine } = world;
const { host, port } = new URL(playground.origin);
afterAll(() => world.close());

/** The value of one directive of a page's `Content-Security-Policy`. */
async function readDirective(path: string, name: string): Promise<string | undefined> {
  const policy = (await fetch(playground.origin + path)).headers.get('content-security-policy') ?? '';
  return policy
    .split('; ')
    .find((directive) => directive.startsWith(`${name} `))
    ?.slice(name.length + 1);
}

describe('what may a page of the playground do', () => {
  const answers = ['/', '/redirect.html', '/app.js', '/world', '/no-such-page'];

  it.each(answers)('%s: run its own scripts, and talk to the gateway, to the engine and to Entra', async (path) => {
    const directives = ['default-src', 'script-src', 'style-src', 'connect-src', 'form-action', 'base-uri'];
    expect(await Promise.all(directives.map((name) => readDirective(path, name)))).toEqual([
      "'none'",
      "'self'",
      "'self'",
      `'self' http://localhost:${new URL(gatewayUrl).port} ${engine.origin} ${emulator.origin}`,
      "'none'",
      "'none'",
    ]);
  });

  it('only the page that Entra answers to may be framed, by us, and is not cut off from its opener', async () => {
    const [page, redirect] = await Promise.all(['/', '/redirect.html'].map((path) => fetch(playground.origin + path)));
    expect([
      await readDirective('/', 'frame-ancestors'),
      await readDirective('/redirect.html', 'frame-ancestors'),
    ]).toEqual(["'none'", "'self'"]);
    expect([page, redirect].map((answer) => answer?.headers.get('cross-origin-opener-policy'))).toEqual([
      'same-origin-allow-popups',
      null,
    ]);
  });

  it('everything that the page names is there', async () => {
    const html = await (await fetch(playground.origin)).text();
    const names = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path = '']) => path);
    expect(names).toContain('/app.js');
    const found = await Promise.all(names.map(async (path) => (await fetch(playground.origin + path)).status));
    expect(found).toEqual(names.map(() => 200));
  });
});

describe('who may change the world', () => {
  const json = 'Content-Type: application/json';
  const own = `Origin: ${playground.origin}`;
  const change = '{"position":"well"}';

  it.each([
    { who: 'its own page', headers: [own, 'Sec-Fetch-Site: same-origin', json], status: 200 },
    { who: 'a program, which sends no origin', headers: [json], status: 200 },
    { who: 'a page of another site', headers: ['Origin: https://evil.example', json], status: 403 },
    {
      who: 'a page of another port, such as a sign-in page',
      headers: [`Origin: ${emulator.origin}`, json],
      status: 403,
    },
    { who: 'a page whose origin is hidden', headers: ['Origin: null', json], status: 403 },
    { who: 'a page that sends no origin but is of another', headers: ['Sec-Fetch-Site: same-site', json], status: 403 },
    { who: 'a page whose name was pointed at this machine', headers: ['Host: evil.example', json], status: 421 },
    { who: 'whoever sends something else than JSON', headers: [own, 'Content-Type: text/plain'], status: 415 },
  ])('$who is answered $status', async ({ headers, status }) => {
    const named = headers.some((line) => line.startsWith('Host:')) ? headers : [`Host: ${host}`, ...headers];
    const lines = [...named, `Content-Length: ${change.length}`, 'Connection: close'];
    const answer = await rawRequest(Number(port), ['PUT /world/switches/graph HTTP/1.1', ...lines], change);
    expect(answer.status).toBe(status);
  });

  it.each([
    ['PUT', '/world/switches/graph', '{"position":"burning"}'],
    ['PUT', '/world/switches/graph', '{"position":["well"]}'],
    ['PUT', '/world/switches/graph', '[]'],
    ['PUT', '/world/switches/__proto__', '{"position":"well"}'],
    ['POST', '/world/actions/constructor', '{}'],
  ])('%s %s with %s: there is nothing of that name', async (method, path, body) => {
    const init = { method, headers: { 'content-type': 'application/json' }, body };
    expect((await fetch(playground.origin + path, init)).status).toBe(404);
  });
});

describe('which files does the server give away', () => {
  it.each([
    '/app.ts',
    '/tsconfig.json',
    '/page/index.html',
    '/../server.ts',
    '/..%2fserver.ts',
    '/%2e%2e/%2e%2e/package.json',
    '//evil.example/app.js',
    '/app.js%00',
    '/app.js/',
    '/constructor',
  ])('not %s', async (path) => {
    const answer = await rawRequest(Number(port), [`GET ${path} HTTP/1.1`, `Host: ${host}`, 'Connection: close']);
    expect(answer.status).toBe(404);
  });

  it('at its address by number it sends a person to the name that Entra knows', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([307, `${playground.origin}/`]);
  });
});

/** The hops that become known while something is done, until there are so many that its page would draw. */
async function watchHops(count: number, isDrawn: (hop: Hop) => boolean, act: () => Promise<unknown>): Promise<Hop[]> {
  const stream = await fetch(`${playground.origin}/hops`);
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
  const hops: Hop[] = [];
  await act();
  for (let text = ''; hops.length < count;) {
    const { value, done } = (await reader?.read()) ?? { done: true };
    if (done) {
      break;
    }
    const events = (text + value).split('\n\n');
    text = events.pop() ?? '';
    const datas = events.flatMap((event) => /^data: (.*)$/m.exec(event)?.[1] ?? []);
    hops.push(...datas.map((data) => JSON.parse(data) as Hop).filter(isDrawn));
  }
  await reader?.cancel();
  return hops;
}

describe('which hops does a page learn of', () => {
  it('of those of its call: the call, the exchange and the downstream’s part', async () => {
    const requestId = 'hops-of-a-call';
    const headers = {
      authorization: `Bearer ${emulator.issueAccessToken({ user: 'adele' })}`,
      'x-request-id': requestId,
    };
    const hops = await watchHops(
      3,
      ({ from, correlationId }) => correlationId === requestId || from === 'gateway',
      () => fetch(`${gatewayUrl}/me/messages?$top=1`, { headers }),
    );
    const [call, exchange, graph] = ['client', 'entra', 'graph'].map((party) =>
      hops.find(({ from, to }) => from === party || to === party),
    );
    expect(call).toMatchObject({
      to: 'gateway',
      method: 'GET',
      path: 'listMessages',
      status: 200,
      correlationId: requestId,
      exchangesAs: exchange?.correlationId,
      about: 'with a new downstream token from Entra',
    });
    expect(exchange).toMatchObject({
      from: 'gateway',
      method: 'POST',
      status: 200,
      correlationId: expect.stringMatching(/^[\w-]{36}$/),
      about: expect.stringMatching(/^on behalf of Adele Vance, for https:\/\/graph/),
    });
    expect(graph).toMatchObject({
      from: 'gateway',
      path: '/v1.0/me/messages?$top=1',
      status: 200,
      correlationId: requestId,
    });
  });

  it('of what was refused, and why', async () => {
    const requestId = 'hops-of-a-refusal';
    const headers = {
      authorization: `Bearer ${emulator.issueAccessToken({ user: 'megan' })}`,
      'x-request-id': requestId,
    };
    const hops = await watchHops(
      2,
      ({ from, correlationId }) => correlationId === requestId || from === 'gateway',
      () => fetch(`${gatewayUrl}/me`, { headers }),
    );
    expect(hops.map(({ to, status, refusal }) => ({ to, status, refusal }))).toEqual(
      expect.arrayContaining([
        { to: 'entra', status: 400, refusal: 'AADSTS50076 invalid_grant' },
        { to: 'gateway', status: 401, refusal: 'insufficient_claims' },
      ]),
    );
  });

  it('of what a person meets at Entra, by the id of the client’s request', async () => {
    const query = new URLSearchParams({
      client_id: 'c9a5b7e1-0d3f-4c28-8e6a-91f2d4b3a807',
      response_type: 'code',
      redirect_uri: `${playground.origin}/redirect.html`,
      scope: 'openid',
      code_challenge: 'x'.repeat(43),
      prompt: 'none',
      'client-request-id': 'hops-of-a-sign-in',
    });
    const hops = await watchHops(
      1,
      ({ correlationId }) => correlationId === 'hops-of-a-sign-in',
      () => fetch(`${emulator.origin}/organizations/oauth2/v2.0/authorize?${query.toString()}`, { redirect: 'manual' }),
    );
    expect(hops).toMatchObject([
      {
        from: 'client',
        to: 'entra',
        status: 302,
        refusal: 'AADSTS50058 login_required',
        path: expect.not.stringContaining('?'),
      },
    ]);
  });

  it('of a call through the engine: what it asked, what the gateway’s log says of that, and what it carried', async () => {
    const headers = {
      authorization: `Bearer ${emulator.issueAccessToken({ user: 'adele' })}`,
      'x-request-id': 'hops-of-an-engine',
    };
    const hops = await watchHops(
      4,
      ({ correlationId }) => correlationId === 'hops-of-an-engine',
      () => fetch(`${engine.origin}/me`, { headers }),
    );
    const told = hops.map(({ from, to, toldBy, path, status }) => `${from} → ${to} ${path} ${status}, by ${toldBy}`);
    expect(told.toSorted()).toEqual([
      'client → engine /me 200, by engine',
      'engine → gateway /check/nginx 200, by engine',
      'engine → gateway getProfile 200, by gateway',
      'engine → graph /v1.0/me 200, by graph',
    ]);
  });

  it.each([
    { through: 'the gateway', origin: gatewayUrl, count: 2 },
    { through: 'the engine', origin: engine.origin, count: 4 },
  ])('of no token, wherever the caller put it: $through', async ({ origin, count }) => {
    const token = emulator.issueAccessToken({ user: 'adele' });
    const requestId = `hops-without-tokens-${count}`;
    const hops = await watchHops(
      count,
      ({ correlationId }) => correlationId === requestId,
      () =>
        fetch(`${origin}/me?id_token=${token}`, {
          headers: { authorization: `Bearer ${token}`, 'x-request-id': requestId },
        }),
    );
    expect(JSON.stringify(hops)).not.toContain(token);
  });
});
