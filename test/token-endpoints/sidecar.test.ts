import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { readChallenge, readProblem } from '../support/gateway-world.ts';
import { CLAIMS, REFUSALS, startTokenWorld } from './token-world.ts';

const world = await startTokenWorld();
const { emulator, authorizationServiceUrl: service } = world;
afterAll(() => world.close());
afterEach(() => emulator.resetSwitches());

function get(path: string, token?: string, headers: Record<string, string> = {}): Promise<Response> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return fetch(`${service}${path}`, { headers: { ...authorization, ...headers } });
}

/**
 * The request of the client that the sidecar's own documentation gives for TypeScript, with its default options: the
 * header of the incoming request goes on as it is.
 */
async function askAsDocumented(baseUrl: string, incoming: string, apiName: string): Promise<string> {
  const response = await fetch(new URL(`${baseUrl}/AuthorizationHeader/${apiName}`), {
    headers: { Authorization: incoming },
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) {
    throw new Error(`Sidecar error: ${response.statusText}`);
  }
  return ((await response.json()) as { authorizationHeader: string }).authorizationHeader;
}

describe('an application that was written for the Entra SDK sidecar', () => {
  it('gets the header for its call, with the token that the proxy would send', async () => {
    const header = await askAsDocumented(service, `Bearer ${world.token('adele')}`, 'api');
    expect(header).toMatch(/^Bearer ey/);
    expect(decodeJwt(header.slice('Bearer '.length))).toMatchObject({ aud: 'https://graph.microsoft.com' });
  });

  it('gets the token of the downstream that it names', async () => {
    const token = world.token('adele');
    const [api, orders] = await Promise.all([
      askAsDocumented(service, `Bearer ${token}`, 'api'),
      askAsDocumented(service, `Bearer ${token}`, 'orders'),
    ]);
    expect(api).not.toBe(orders);
  });

  it('gets the claims of a token that is good, and not the token once more', async () => {
    const token = world.token('adele');
    const answer = await get('/Validate', token, { accept: 'application/json', 'content-type': 'application/json' });
    expect([answer.status, await answer.json()]).toEqual([200, { protocol: 'Bearer', claims: decodeJwt(token) }]);
  });

  it('reads a problem document in every refusal, as it did before', async () => {
    const problem = await readProblem(await get('/AuthorizationHeader/api'));
    expect(problem).toMatchObject({ status: 401, title: expect.any(String), detail: expect.any(String) });
  });

  it('costs one exchange for as many requests as it likes', async () => {
    const token = world.token('cody');
    const before = emulator.exchanges.length;
    const answers = await Promise.all(Array.from({ length: 20 }, () => get('/AuthorizationHeader/api', token)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(emulator.exchanges.length - before).toBe(1);
  });

  it('gets the own token of the gateway for a program that meets the security', async () => {
    const answer = await get('/AuthorizationHeader/orders', emulator.issueAccessToken({ app: 'daemon' }));
    const { authorizationHeader } = (await answer.json()) as { authorizationHeader: string };
    expect(decodeJwt(authorizationHeader.slice('Bearer '.length))['scp']).toBeUndefined();
  });

  it('may not keep the answer in a cache, and no page may read it', async () => {
    const { headers } = await get('/AuthorizationHeader/api', world.token('adele'), { origin: 'https://a.example' });
    expect([headers.get('cache-control'), headers.get('access-control-allow-origin')]).toEqual(['no-store', null]);
  });
});

const REFUSED: readonly (readonly [
  question: string,
  path: string,
  token: () => string | undefined,
  expected: object,
])[] = [
  ['without a token', '/AuthorizationHeader/api', () => undefined, { status: 401, code: 'missing_token' }],
  ['with a token that is none', '/AuthorizationHeader/api', () => 'a.b.c', { status: 401, code: 'invalid_token' }],
  [
    'without the scope',
    '/AuthorizationHeader/api',
    () => world.token('adele', { scopes: ['Profile.Read'] }),
    { status: 403, code: 'insufficient_scope' },
  ],
  ['without the scope', '/Validate', () => world.token('adele', { scopes: ['Profile.Read'] }), { status: 403 }],
  ['without a token', '/Validate', () => undefined, { status: 401, code: 'missing_token' }],
  ['for a downstream that is not opened', '/AuthorizationHeader/wire', () => world.token('adele'), { status: 404 }],
  ['for a downstream that is none', '/AuthorizationHeader/toString', () => world.token('adele'), { status: 404 }],
  ['for a path below', '/AuthorizationHeader/api/', () => world.token('adele'), { status: 404 }],
  [
    'without any token at all, which would be a token for nobody',
    '/AuthorizationHeaderUnauthenticated/api',
    () => undefined,
    { status: 404 },
  ],
  ['to be a proxy', '/DownstreamApi/api', () => world.token('adele'), { status: 404 }],
];

describe('what is refused', () => {
  it.each(REFUSED)('%s: %s', async (_, path, token, expected) => {
    const answer = await get(path, token());
    const problem = await readProblem(answer);
    expect({ ...problem, status: answer.status }).toMatchObject(expected);
  });

  it.each([
    'optionsOverride.Scopes=https%3A%2F%2Fgraph.microsoft.com%2F.default',
    'optionsOverride.AcquireTokenOptions.Tenant=8a7f2f5e-0f5c-4a43-8c7e-2b5b9f3a1c11',
    'optionsOverride.BaseUrl=https%3A%2F%2Fa.example',
    'optionsOverride.RequestAppToken=true',
    'optionsOverride.AcquireTokenOptions.ForceRefresh=true',
    'AgentIdentity=8a7f2f5e-0f5c-4a43-8c7e-2b5b9f3a1c11',
    'access_token=a',
  ])('the parameter %s, and no exchange is made', async (query) => {
    const before = emulator.exchanges.length;
    const answers = [
      await get(`/AuthorizationHeader/api?${query}`, world.token('adele')),
      await get(`/Validate?${query}`, world.token('adele')),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 400]);
    expect(emulator.exchanges.length).toBe(before);
  });

  it.each(['POST', 'HEAD', 'OPTIONS', 'PUT'])('the method %s', async (method) => {
    const answer = await fetch(`${service}/AuthorizationHeader/api`, { method });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET']);
  });
});

describe('what Entra refuses', () => {
  it.each([
    ['claims', 401, 'insufficient_claims'],
    ['no claims', 401, 'interaction_required'],
    ['consent', 403, 'consent_required'],
    ['credential', 500, 'gateway_misconfigured'],
    ['throttling', 503, 'identity_unavailable'],
  ] as const)('%s: %d %s', async (name, status, code) => {
    emulator.switches.refuse = REFUSALS[name];
    const answer = await get('/AuthorizationHeader/api', world.token('megan'));
    expect([answer.status, (await readProblem(answer)).code]).toEqual([status, code]);
  });

  it('becomes the challenge that the proxy would send, with which the application can have its user step up', async () => {
    emulator.switches.refuse = REFUSALS.claims;
    const token = world.token('megan');
    const answer = await get('/AuthorizationHeader/api', token);
    const ofProxy = await world.call('/me', { token: world.token('megan') });
    expect(readChallenge(answer)).toEqual(readChallenge(ofProxy));
    expect((await readProblem(answer)).claims).toBe(CLAIMS);
  });
});

describe('what the operator sees', () => {
  it('is which token was given to whom', async () => {
    const answer = await get('/AuthorizationHeader/orders', world.token('adele'));
    expect(await world.log.of(answer.headers.get('x-request-id'))).toMatchObject({
      operation: 'token orders',
      downstream: 'orders',
      status: 200,
    });
    const metrics = await (await fetch(`${world.managementUrl}/metrics`)).text();
    expect(metrics).toMatch(/gateway_http_requests_total\{.*operation="token orders".*status="200".*\} \d/);
  });

  it('is never a token', async () => {
    const token = world.token('adele');
    const answer = await get('/AuthorizationHeader/api', token);
    const { authorizationHeader } = (await answer.json()) as { authorizationHeader: string };
    await world.log.of(answer.headers.get('x-request-id'));
    expect(world.log.text).not.toContain(token);
    expect(world.log.text).not.toContain(authorizationHeader);
  });
});
