import { afterAll, describe, expect, it } from '@jest/globals';
import { HOME_TENANT_ID } from '../../../dev/emulator/world.ts';
import { toClaimsScope } from '../../../src/syntax/claims-scope.ts';
import { rawRequest } from '../../support/raw-request.ts';
import {
  CHALLENGE,
  CLIENT_ID,
  encode,
  queryOf,
  REDIRECT_URI,
  startFacadeWorld,
  type Parameters,
} from './facade-world.ts';

const world = await startFacadeWorld();
afterAll(() => world.close());

const { resource, origin } = world;
const READ = world.scope('files.read');
const WRITE = world.scope('files.write');
const CONTEXT = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';

/** A claims scope that is more than half as large as claims may be. */
function half(name: string): string {
  return toClaimsScope(JSON.stringify({ access_token: { [name]: { value: 'x'.repeat(2_100) } } }));
}

/** A claims request that is larger than one may be. */
const HUGE = JSON.stringify({ access_token: { acrs: { value: 'c'.repeat(4_096) } } });

/** The part of a page that names the error. */
async function errorOf(response: Response): Promise<string> {
  return /<code>(.*)<\/code>/.exec(await response.text())?.[1] ?? '';
}

describe('an authorization request', () => {
  it('leads to Entra, without the resource, and with nothing that the client did not ask for', async () => {
    const response = await world.authorize();
    const { origin: authority, pathname } = new URL(response.headers.get('location') ?? '');
    expect([response.status, authority, pathname]).toEqual([
      302,
      world.emulator.origin,
      `/${HOME_TENANT_ID}/oauth2/v2.0/authorize`,
    ]);
    expect(Object.fromEntries(queryOf(response))).toEqual({
      client_id: CLIENT_ID,
      response_type: 'code',
      scope: `${READ} offline_access`,
      code_challenge: CHALLENGE,
      code_challenge_method: 'S256',
      redirect_uri: REDIRECT_URI,
      state: 's1',
    });
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it.each<[what: string, changes: Parameters, seen: Record<string, string | null>]>([
    ['no scopes: those to connect', { scope: undefined }, { scope: READ }],
    ['only scopes of OpenID Connect', { scope: 'openid profile' }, { scope: `${READ} openid profile` }],
    ['the scopes of a tool', { scope: `${READ} ${WRITE}` }, { scope: `${READ} ${WRITE}` }],
    ['a scope twice', { scope: `${READ} ${READ}` }, { scope: READ }],
    ['no resource: this server', { resource: undefined }, { resource: null, scope: `${READ} offline_access` }],
    ['the resource with a slash', { resource: `${resource}/` }, { resource: null }],
    ['a client id in capital letters', { client_id: CLIENT_ID.toUpperCase() }, { client_id: CLIENT_ID }],
    [
      'a foreign redirect address, which is for Entra to refuse',
      { redirect_uri: 'https://evil.example/' },
      { redirect_uri: 'https://evil.example/' },
    ],
    [
      'a redirect address with a query',
      { redirect_uri: 'http://localhost:1/?a=1&b=%20' },
      { redirect_uri: 'http://localhost:1/?a=1&b=%20' },
    ],
    ['a state of any characters', { state: '&scope=x#ä "' }, { state: '&scope=x#ä "' }],
    ['prompt=consent', { prompt: 'consent' }, { prompt: 'consent' }],
    ['prompt=none, which is Entra’s to answer', { prompt: 'none' }, { prompt: 'none' }],
    [
      'hints',
      { login_hint: 'a@contoso.com', domain_hint: 'contoso.com' },
      { login_hint: 'a@contoso.com', domain_hint: 'contoso.com' },
    ],
    [
      'what nobody knows, which is left out',
      { foo: '1', client_secret: 's', id_token_hint: 'x' },
      { foo: null, client_secret: null, id_token_hint: null },
    ],
    ['claims of its own', { claims: CONTEXT }, { claims: CONTEXT }],
    ['claims as a scope', { scope: `${READ} ${toClaimsScope(CONTEXT)}` }, { scope: READ, claims: CONTEXT }],
    ['nothing but claims as a scope', { scope: toClaimsScope(CONTEXT) }, { scope: READ, claims: CONTEXT }],
    [
      'claims both ways',
      { scope: toClaimsScope(CONTEXT), claims: '{"access_token":{"xms_cc":{"values":["cp1"]},"acrs":{"value":"c9"}}}' },
      {
        claims: '{"access_token":{"xms_cc":{"values":["cp1"]},"acrs":{"essential":true,"values":["c9","c1"]}}}',
      },
    ],
    [
      'claims of two tools, as of a client that asks again for all it asked for before',
      { scope: [CONTEXT, CONTEXT.replace('c1', 'c2')].map(toClaimsScope).join(' ') },
      { claims: '{"access_token":{"acrs":{"essential":true,"values":["c1","c2"]}}}' },
    ],
    [
      'claims of several steps',
      { scope: `${toClaimsScope('{"access_token":{"nbf":{"value":"1"}}}')} ${toClaimsScope(CONTEXT)}` },
      { claims: '{"access_token":{"nbf":{"value":"1"},"acrs":{"essential":true,"value":"c1"}}}' },
    ],
  ])('may have %s', async (_what, changes, seen) => {
    const response = await world.authorize(changes);
    const query = queryOf(response);
    expect(response.status).toBe(302);
    expect(Object.fromEntries(Object.keys(seen).map((name) => [name, query.get(name)]))).toEqual(seen);
  });

  it.each<[what: string, changes: Parameters, error: string]>([
    ['another client', { client_id: 'f4a1d6c8-2e7b-4b95-8c03-5d9e1a7f6b20' }, 'unauthorized_client'],
    ['no client', { client_id: undefined }, 'invalid_request'],
    ['the resource of another server', { resource: `${origin}/notes` }, 'invalid_target'],
    ['the origin as the resource', { resource: origin }, 'invalid_target'],
    ['a foreign resource', { resource: 'https://graph.microsoft.com' }, 'invalid_target'],
    ['an empty resource', { resource: '' }, 'invalid_target'],
    ['the resource twice', { resource: [resource, resource] }, 'invalid_request'],
    ['the redirect address twice', { redirect_uri: [REDIRECT_URI, 'https://evil.example'] }, 'invalid_request'],
    ['the same name in other letters', { Redirect_Uri: 'https://evil.example' }, 'invalid_request'],
    ['a name that is no name', { 'scope[]': READ }, 'invalid_request'],
    ['no redirect address', { redirect_uri: undefined }, 'invalid_request'],
    ['a scope of another server', { scope: `${origin}/notes/notes.read` }, 'invalid_scope'],
    ['a scope of another API', { scope: 'https://graph.microsoft.com/Mail.Read' }, 'invalid_scope'],
    ['a bare scope, which is one of Graph', { scope: 'files.read' }, 'invalid_scope'],
    ['everything', { scope: `${resource}/.default` }, 'invalid_scope'],
    ['the email address', { scope: `${READ} email` }, 'invalid_scope'],
    ['no PKCE', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    ['plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['PKCE without a method, which is plain', { code_challenge_method: undefined }, 'invalid_request'],
    ['a challenge that is none', { code_challenge: 'short' }, 'invalid_request'],
    ['a token at once', { response_type: 'token' }, 'unsupported_response_type'],
    ['a hybrid flow', { response_type: 'code id_token' }, 'unsupported_response_type'],
    ['no response type', { response_type: undefined }, 'unsupported_response_type'],
    ['an answer by form', { response_mode: 'form_post' }, 'invalid_request'],
    ['an answer in the fragment', { response_mode: 'fragment' }, 'invalid_request'],
    ['a request object', { request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported'],
    ['a request object elsewhere', { request_uri: 'https://evil.example/r' }, 'request_uri_not_supported'],
    ['an unknown prompt', { prompt: 'login consent' }, 'invalid_request'],
    ['claims that are no JSON', { claims: '{' }, 'invalid_request'],
    ['claims for an ID token', { claims: '{"id_token":{"email":null}}' }, 'invalid_request'],
    ['more than claims for an access token', { claims: '{"access_token":{},"userinfo":{}}' }, 'invalid_request'],
    ['huge claims', { claims: HUGE }, 'invalid_request'],
    ['a claims scope that is empty', { scope: 'urn:obo:claims:' }, 'invalid_scope'],
    ['a claims scope that is no base64url', { scope: 'urn:obo:claims:e30=' }, 'invalid_scope'],
    ['a claims scope that is no JSON', { scope: 'urn:obo:claims:AAAA' }, 'invalid_scope'],
    ['a claims scope for something else', { scope: toClaimsScope('{"id_token":{}}') }, 'invalid_scope'],
    ['a claims scope of a text', { scope: toClaimsScope('"access_token"') }, 'invalid_scope'],
    ['a huge claims scope', { scope: toClaimsScope(HUGE) }, 'invalid_scope'],
    ['claims scopes that are huge together', { scope: `${half('a')} ${half('b')}` }, 'invalid_scope'],
  ])('with %s is refused on a page, never by a redirect', async (_what, changes, error) => {
    const response = await world.authorize(changes);
    expect([response.status, response.headers.get('location'), response.headers.get('content-type')]).toEqual([
      400,
      null,
      'text/html; charset=utf-8',
    ]);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await errorOf(response)).toBe(error);
  });

  it('shows nothing of what was sent on a page', async () => {
    const evil = '<script>alert(1)</script>';
    const changes = { client_id: evil, redirect_uri: evil, state: evil, scope: evil };
    expect(await (await world.authorize(changes)).text()).not.toContain('script');
  });

  it.each([
    ['', 'the query is missing'],
    ['?', 'the query is empty'],
    ['?client_id=%ff', 'a parameter is no UTF-8'],
    ['?client_id=%00', 'a parameter has control characters'],
    ['?client_id=a;b&&', 'a parameter has no name'],
  ])('that ends in "%s" is refused: %s', async (query) => {
    const { status, header } = await rawRequest(world.port, [`GET /mcp/authorize${query} HTTP/1.1`, 'Host: api']);
    expect([status, header('location')]).toEqual([400, undefined]);
  });

  it('comes by GET only', async () => {
    const response = await fetch(world.at('/mcp/authorize'), {
      method: 'POST',
      body: encode({ client_id: CLIENT_ID }),
    });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });

  it('comes by HEAD, too, as its metadata do', async () => {
    const asked = await fetch(world.authorizeUrl(), { method: 'HEAD', redirect: 'manual' });
    const metadata = await fetch(world.at('/.well-known/oauth-authorization-server/mcp'), { method: 'HEAD' });
    expect([asked.status, metadata.status, await metadata.text()]).toEqual([302, 200, '']);
  });

  it.each(['/mcp/authorize/', '/mcp//authorize', '/mcp/%61uthorize', '/MCP/authorize', '/authorize'])(
    'at %s is none',
    async (path) => {
      const { status } = await rawRequest(world.port, [`GET ${path}?client_id=${CLIENT_ID} HTTP/1.1`, 'Host: api']);
      expect(status).toBe(404);
    },
  );
});

describe('Entra', () => {
  it('checks the redirect address, and keeps the person there', async () => {
    const toEntra = queryOf(await world.authorize({ redirect_uri: 'https://evil.example/' }));
    const url = `${world.emulator.origin}/${HOME_TENANT_ID}/oauth2/v2.0/authorize?${toEntra.toString()}`;
    const page = await fetch(url, { redirect: 'manual' });
    expect([page.status, page.headers.get('location'), await page.text()]).toEqual([
      400,
      null,
      expect.stringContaining('AADSTS50011'),
    ]);
  });

  it('sends the code to the client itself, with its state', async () => {
    const answer = await world.signIn({ user: 'adele' });
    expect([answer.get('state'), answer.has('code'), answer.has('iss')]).toEqual(['s1', true, false]);
  });
});

describe('the log', () => {
  it('names the refusal, and nothing of the request', async () => {
    const response = await world.authorize({ scope: 'secret-scope', state: 'secret-state' });
    const line = await world.log.of(response.headers.get('x-request-id'));
    expect(line).toMatchObject({
      operation: 'mcp-facade /mcp authorize',
      status: 400,
      code: 'invalid_request',
      oauthError: 'invalid_scope',
    });
    expect(world.log.text).not.toMatch(/secret-scope|secret-state/);
  });
});
