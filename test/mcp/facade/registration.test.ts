import { afterAll, describe, expect, it } from '@jest/globals';
import { rawRequest } from '../../support/raw-request.ts';
import { CLIENT_ID, startFacadeWorld } from './facade-world.ts';

const open = await startFacadeWorld({
  mcp: {
    authorizationServer: 'facade',
    register: true,
    clientId: CLIENT_ID.toUpperCase(),
    rateLimit: { requests: 60 },
  },
});
const closed = await startFacadeWorld({
  mcp: { authorizationServer: 'facade', rateLimit: { requests: 3, per: '1h' } },
});
afterAll(() => Promise.all([open.close(), closed.close()]));

const LOOPBACK = ['http://localhost:3334/callback', 'http://127.0.0.1/', 'http://[::1]:7/x?y=1'];

function register(metadata: unknown, world = open): Promise<Response> {
  return fetch(world.at('/mcp/register'), {
    method: 'POST',
    body: typeof metadata === 'string' ? metadata : JSON.stringify(metadata),
    headers: { 'content-type': 'application/json' },
  });
}

describe('the metadata of a façade', () => {
  it.each([
    ['where clients can register', open, { registration_endpoint: `${open.resource}/register` }],
    ['where they cannot', closed, {}],
  ])('name what clients need, %s', async (_where, world, more) => {
    const { resource } = world;
    const response = await fetch(world.at('/.well-known/oauth-authorization-server/mcp'));
    expect(await response.json()).toEqual({
      issuer: resource,
      authorization_endpoint: `${resource}/authorize`,
      token_endpoint: `${resource}/token`,
      ...more,
      scopes_supported: [world.scope('files.read'), 'openid', 'profile', 'offline_access'],
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_methods_supported: ['none'],
      code_challenge_methods_supported: ['S256'],
    });
    expect([response.headers.get('content-type'), response.headers.get('access-control-allow-origin')]).toEqual([
      'application/json',
      '*',
    ]);
  });

  it('are there for each server', async () => {
    const response = await fetch(open.at('/.well-known/oauth-authorization-server/notes'));
    expect(await response.json()).toMatchObject({ issuer: `${open.origin}/notes` });
  });

  it.each(['', '/', '/other', '/mcp/', '/bots'])('are not there at %s', async (path) => {
    const line = `GET /.well-known/oauth-authorization-server${path} HTTP/1.1`;
    expect((await rawRequest(open.port, [line, 'Host: api'])).status).toBe(404);
  });
});

describe('a registration', () => {
  it('is answered with the client id that all share, for addresses of the machine of the user', async () => {
    const response = await register({ redirect_uris: LOOPBACK, client_name: 'x', token_endpoint_auth_method: 'none' });
    expect([response.status, response.headers.get('cache-control'), await response.json()]).toEqual([
      201,
      'no-store',
      {
        client_id: CLIENT_ID,
        redirect_uris: LOOPBACK,
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
      },
    ]);
  });

  it.each<[what: string, metadata: unknown, error: string]>([
    ['a foreign address', { redirect_uris: ['https://evil.example/'] }, 'invalid_redirect_uri'],
    [
      'a foreign address among others',
      { redirect_uris: [...LOOPBACK, 'https://evil.example/'] },
      'invalid_redirect_uri',
    ],
    [
      'an address that looks like this machine',
      { redirect_uris: ['http://localhost.evil.example/'] },
      'invalid_redirect_uri',
    ],
    [
      'an address with another host behind an @',
      { redirect_uris: ['http://localhost@evil.example/'] },
      'invalid_redirect_uri',
    ],
    ['a scheme of its own', { redirect_uris: ['evil://localhost/'] }, 'invalid_redirect_uri'],
    ['a fragment', { redirect_uris: ['http://localhost/#x'] }, 'invalid_redirect_uri'],
    ['no addresses', { redirect_uris: [] }, 'invalid_redirect_uri'],
    ['no list', { redirect_uris: 'http://localhost/' }, 'invalid_redirect_uri'],
    ['something else in the list', { redirect_uris: [{}] }, 'invalid_redirect_uri'],
    ['nothing', {}, 'invalid_redirect_uri'],
    ['no object', [], 'invalid_client_metadata'],
    ['no JSON', '{', 'invalid_client_metadata'],
  ])('with %s is refused', async (_what, metadata, error) => {
    const response = await register(metadata);
    expect([response.status, await response.json()]).toEqual([400, { error, error_description: expect.any(String) }]);
  });

  it('is small', async () => {
    expect((await register({ redirect_uris: LOOPBACK, client_name: 'x'.repeat(100_000) })).status).toBe(413);
  });

  it('is not there unless it is turned on', async () => {
    expect((await register({ redirect_uris: LOOPBACK }, closed)).status).toBe(404);
  });
});

describe('the rate limit', () => {
  it('counts what an address asks of authorization and token endpoints together, and metadata not', async () => {
    const statuses = [];
    for (const path of ['authorize', 'token', 'authorize', 'token', 'authorize']) {
      const response = await fetch(closed.at(`/mcp/${path}`), { method: path === 'token' ? 'POST' : 'GET' });
      statuses.push([response.status, response.headers.get('content-type'), response.headers.has('retry-after')]);
    }
    expect(await (await fetch(closed.at('/mcp/authorize'))).text()).toContain('Go back in a minute');
    const metadata = await fetch(closed.at('/.well-known/oauth-authorization-server/mcp'));
    const page = 'text/html; charset=utf-8';
    expect([...statuses, metadata.status]).toEqual([
      [400, page, false],
      [400, 'application/json', false],
      [400, page, false],
      [429, 'application/json', true],
      [429, page, true],
      200,
    ]);
  });
});
