import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { GATEWAY_CLIENT_ID } from '../../../dev/emulator/world.ts';
import { toClaimsScope } from '../../../src/syntax/claims-scope.ts';
import { claimsOf } from '../../dev/token-requests.ts';
import { rawRequest } from '../../support/raw-request.ts';
import { CLIENT_ID, encode, REDIRECT_URI, startFacadeWorld, VERIFIER, type Parameters } from './facade-world.ts';

const world = await startFacadeWorld();
const { emulator, resource } = world;
afterAll(() => world.close());
afterEach(() => {
  emulator.resetSwitches();
});

const READ = world.scope('files.read');
const CONTEXT = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
const CAPABILITY = '{"access_token":{"xms_cc":{"values":["cp1"]}}}';

type Members = Record<string, unknown>;

async function membersOf(response: Promise<Response>): Promise<Members> {
  return (await (await response).json()) as Members;
}

/** Signs Adele in. */
async function codeOf(changes?: Parameters): Promise<string | null> {
  return (await world.signIn({ user: 'adele' }, changes)).get('code');
}

/** The refresh token of Adele's sign-in. */
async function refreshToken(): Promise<string> {
  return String((await membersOf(world.redeem(await codeOf())))['refresh_token']);
}

/** The form of the newest token request at Entra, without its secrets. */
function newestForm(): Readonly<Record<string, string>> {
  return emulator.exchanges.at(-1)?.form ?? {};
}

/** Status, error and what else a refusal says. */
async function refusalOf(response: Promise<Response>): Promise<unknown[]> {
  const { status, headers } = await response;
  return [status, (await membersOf(response))['error'], headers.get('cache-control')];
}

describe('a code', () => {
  it('becomes tokens for the gateway, which the client gets as Entra made them', async () => {
    const response = await world.redeem(await codeOf());
    const members = await membersOf(Promise.resolve(response));
    expect([response.status, response.headers.get('cache-control'), response.headers.get('content-type')]).toEqual([
      200,
      'no-store',
      'application/json',
    ]);
    expect(Object.keys(members).toSorted()).toEqual([
      'access_token',
      'expires_in',
      'ext_expires_in',
      'refresh_token',
      'scope',
      'token_type',
    ]);
    expect(claimsOf(members['access_token'])).toMatchObject({
      aud: GATEWAY_CLIENT_ID,
      scp: 'files.read',
      azp: CLIENT_ID,
    });
    expect(newestForm()).toEqual({
      client_id: CLIENT_ID,
      grant_type: 'authorization_code',
      redirect_uri: REDIRECT_URI,
    });
  });

  it('opens the MCP server', async () => {
    const { access_token: token } = await membersOf(world.redeem(await codeOf()));
    const response = await world.call('/mcp', {
      method: 'POST',
      token: String(token),
      headers: { 'content-type': 'application/json' },
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
    });
    expect(response.status).toBe(200);
  });

  it('is good once', async () => {
    const code = await codeOf();
    await world.redeem(code);
    expect(await refusalOf(world.redeem(code))).toEqual([400, 'invalid_grant', 'no-store']);
  });

  it.each<[what: string, changes: Parameters]>([
    ['another verifier', { code_verifier: VERIFIER.replace('a', 'b') }],
    ['another redirect address', { redirect_uri: 'http://localhost:1/' }],
    ['a foreign redirect address', { redirect_uri: 'https://evil.example/' }],
  ])('is no good with %s', async (_what, changes) => {
    expect(await refusalOf(world.redeem(await codeOf(), changes))).toEqual([400, 'invalid_grant', 'no-store']);
  });
});

describe('a renewal', () => {
  it.each<[what: string, changes: Parameters, scope: string, claims: string | undefined]>([
    ['no scope: those to connect', {}, `${READ} offline_access`, undefined],
    ['its scopes', { scope: `${READ} openid` }, `${READ} openid`, undefined],
    ['only scopes of OpenID Connect', { scope: 'offline_access' }, `${READ} offline_access`, undefined],
    ['claims as a scope', { scope: `${READ} ${toClaimsScope(CAPABILITY)}` }, READ, CAPABILITY],
    ['claims', { claims: CAPABILITY }, `${READ} offline_access`, CAPABILITY],
  ])('may name %s', async (_what, changes, scope, claims) => {
    const token = await refreshToken();
    const response = await world.post({ grant_type: 'refresh_token', refresh_token: token, resource, ...changes });
    const { scope: asked, claims: askedClaims, resource: named } = newestForm();
    expect([response.status, asked, askedClaims, named]).toEqual([200, scope, claims, undefined]);
  });

  it('that Entra cannot do without the person says so in its words, with the claims, and with no text of it', async () => {
    const token = await refreshToken();
    emulator.revokeUser('adele');
    const members = await membersOf(world.post({ grant_type: 'refresh_token', refresh_token: token }));
    expect(members).toEqual({
      error: 'invalid_grant',
      suberror: 'bad_token',
      error_description: 'The code or the refresh token is not valid, or no longer; sign in again.',
    });
  });

  it('hands claims on', async () => {
    const code = (await world.signIn({ user: 'megan' })).get('code');
    const { refresh_token: token } = await membersOf(world.redeem(code));
    const members = await membersOf(
      world.post({ grant_type: 'refresh_token', refresh_token: String(token), claims: CONTEXT }),
    );
    expect(members).toMatchObject({ error: 'invalid_grant', suberror: 'basic_action', claims: expect.any(String) });
    expect(JSON.stringify(members)).not.toMatch(/AADSTS|trace|correlation/i);
  });
});

describe('a token request', () => {
  it.each<[what: string, form: Parameters, error: string]>([
    ['another client', { client_id: GATEWAY_CLIENT_ID }, 'unauthorized_client'],
    ['no client', { client_id: undefined }, 'invalid_request'],
    ['a secret', { client_secret: 's' }, 'invalid_client'],
    ['a signed assertion', { client_assertion: 'a', client_assertion_type: 'b' }, 'invalid_client'],
    ['another resource', { resource: 'https://graph.microsoft.com' }, 'invalid_target'],
    ['the resource of another server', { resource: `${world.origin}/notes` }, 'invalid_target'],
    ['the resource twice', { resource: [resource, resource] }, 'invalid_request'],
    ['a parameter twice', { code: ['a', 'b'] }, 'invalid_request'],
    ['no grant', { grant_type: undefined }, 'unsupported_grant_type'],
    ['a password', { grant_type: 'password', username: 'u', password: 'p' }, 'unsupported_grant_type'],
    ['the rights of an app', { grant_type: 'client_credentials' }, 'unsupported_grant_type'],
    ['a device code', { grant_type: 'urn:ietf:params:oauth:grant-type:device_code' }, 'unsupported_grant_type'],
    ['an exchange', { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer' }, 'unsupported_grant_type'],
    ['no code', { code: undefined }, 'invalid_request'],
    ['no redirect address', { redirect_uri: undefined }, 'invalid_request'],
    ['no verifier', { code_verifier: undefined }, 'invalid_request'],
    ['a short verifier', { code_verifier: 'short' }, 'invalid_request'],
    ['no refresh token', { grant_type: 'refresh_token' }, 'invalid_request'],
    ['scopes of another API', { scope: 'https://graph.microsoft.com/Mail.Read' }, 'invalid_scope'],
    ['scopes of another server', { scope: `${world.origin}/notes/notes.read` }, 'invalid_scope'],
    ['everything', { scope: `${resource}/.default` }, 'invalid_scope'],
    ['claims that are none', { claims: '{"userinfo":{}}' }, 'invalid_request'],
    ['a claims scope that is none', { scope: 'urn:obo:claims:AAAA' }, 'invalid_scope'],
  ])('with %s is refused before Entra hears of it', async (_what, changes, error) => {
    const before = emulator.exchanges.length;
    const form = { grant_type: 'authorization_code', code: 'c', redirect_uri: REDIRECT_URI, code_verifier: VERIFIER };
    expect(await refusalOf(world.post({ ...form, ...changes }))).toEqual([400, error, 'no-store']);
    expect(emulator.exchanges).toHaveLength(before);
  });

  it.each<[what: string, body: string, headers: Record<string, string>, status: number, error: string]>([
    ['JSON', '{}', { 'content-type': 'application/json' }, 400, 'invalid_request'],
    ['no type', 'client_id=x', { 'content-type': '' }, 400, 'invalid_request'],
    [
      'another charset',
      'client_id=x',
      { 'content-type': 'application/x-www-form-urlencoded; charset=utf-16' },
      400,
      'invalid_request',
    ],
    ['a compressed form', 'client_id=x', { 'content-encoding': 'gzip' }, 400, 'invalid_request'],
    ['an empty form', '', {}, 400, 'invalid_request'],
    ['a form of 100 kB', `client_id=${'x'.repeat(100_000)}`, {}, 413, 'invalid_request'],
    ['bytes that are no UTF-8', 'client_id=%ff', {}, 400, 'invalid_request'],
    [
      'a secret in a header',
      encode({ client_id: CLIENT_ID }).toString(),
      { authorization: 'Basic YTpi' },
      400,
      'invalid_client',
    ],
    [
      'a token in a header',
      encode({ client_id: CLIENT_ID }).toString(),
      { authorization: 'Bearer x' },
      400,
      'invalid_client',
    ],
  ])('may not be %s', async (_what, body, headers, status, error) => {
    expect(await refusalOf(world.post(body, headers))).toEqual([status, error, 'no-store']);
  });

  it.each(['GET', 'PUT', 'DELETE', 'HEAD'])('comes by POST, not by %s', async (method) => {
    const response = await fetch(world.at('/mcp/token'), { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST, OPTIONS']);
  });

  it('has no query', async () => {
    const lines = ['POST /mcp/token?client_id=x HTTP/1.1', 'Host: api', 'Content-Length: 0'];
    expect((await rawRequest(world.port, lines)).status).toBe(400);
  });

  it('leaves no code, token or verifier in the log', async () => {
    const code = String(await codeOf({ state: 'secret-state' }));
    const response = await world.redeem(code);
    const { access_token: access, refresh_token: refresh } = await membersOf(Promise.resolve(response));
    const line = await world.log.of(response.headers.get('x-request-id'));
    expect(line).toMatchObject({ operation: 'mcp-facade /mcp token', status: 200, correlationId: expect.any(String) });
    for (const secret of [code, String(access), String(refresh), VERIFIER, 'secret-state']) {
      expect(world.log.text).not.toContain(secret);
    }
  });
});

describe('Entra', () => {
  it.each<[what: string, position: 'throttled' | 'html503' | 'json500' | 'empty200' | 'garbage' | 'reset']>([
    ['wants peace', 'throttled'],
    ['shows an error page', 'html503'],
    ['fails', 'json500'],
    ['answers nothing', 'empty200'],
    ['answers nonsense', 'garbage'],
    ['breaks the connection', 'reset'],
  ])('that %s is an outage', async (_what, position) => {
    emulator.switches.entra = position;
    const response = await world.post({ grant_type: 'refresh_token', refresh_token: 'r' });
    const members = await membersOf(Promise.resolve(response));
    expect([response.status, members['error'], Number(response.headers.get('retry-after')) > 0]).toEqual([
      503,
      'temporarily_unavailable',
      true,
    ]);
  });

  it('that refuses in words of its own is told to the operator, with the remedy', async () => {
    for (const app of emulator.world.apps.filter(({ clientId }) => clientId === CLIENT_ID)) {
      app.publicClient = false;
    }
    const response = await world.post({ grant_type: 'refresh_token', refresh_token: 'r' });
    for (const app of emulator.world.apps.filter(({ clientId }) => clientId === CLIENT_ID)) {
      app.publicClient = true;
    }
    const line = await world.log.of(response.headers.get('x-request-id'));
    expect(await response.json()).toEqual({
      error: 'invalid_client',
      error_description: 'The client is not registered as a public client.',
    });
    expect(line).toMatchObject({
      entra: { error: 'invalid_client', codes: ['AADSTS7000218'] },
      remedy: expect.stringContaining('public client flows'),
    });
  });
});

describe('a page', () => {
  const PAGE = { origin: 'https://inspector.example' };
  const SPA = 'http://localhost:3000';

  it('of any origin may ask, without credentials', async () => {
    const preflight = await fetch(world.at('/mcp/token'), {
      method: 'OPTIONS',
      headers: {
        ...PAGE,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'mcp-protocol-version',
      },
    });
    const answer = await world.post({ grant_type: 'none' }, PAGE);
    const shown = [preflight, answer].map(({ status, headers }) => [
      status,
      headers.get('access-control-allow-origin'),
      headers.get('access-control-allow-credentials'),
    ]);
    expect(shown).toEqual([
      [204, '*', null],
      [400, '*', null],
    ]);
    expect([
      preflight.headers.get('access-control-allow-methods'),
      preflight.headers.get('access-control-allow-headers'),
    ]).toEqual(['POST, OPTIONS', '*']);
  });

  it('gets tokens where its address is registered for pages, because Entra sees its origin', async () => {
    const code = await codeOf({ redirect_uri: SPA });
    const form = { grant_type: 'authorization_code', code: code ?? '', redirect_uri: SPA, code_verifier: VERIFIER };
    expect((await world.post(form)).status).toBe(400);
    expect((await world.post(form, { origin: SPA })).status).toBe(200);
  });
});
