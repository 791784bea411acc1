import { createHash } from 'node:crypto';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { startEmulator } from '../../dev/emulator/emulator.ts';
import type { Switches } from '../../dev/emulator/switches.ts';
import { DESKTOP_CLIENT_ID, GATEWAY_CLIENT_ID, GRAPH_APP_ID, HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import { claimsOf, encodeForm, postToken, type Form } from './token-requests.ts';

const emulator = await startEmulator();
afterAll(() => emulator.close());
afterEach(() => {
  emulator.resetSwitches();
});

const MCP_SERVER = 'https://api.contoso.com/mcp';
const GATEWAY_URI = `api://${GATEWAY_CLIENT_ID}`;
const SCOPE = `${GATEWAY_URI}/Orders.Read offline_access`;
const REDIRECT_URI = 'http://localhost:49152/';
const VERIFIER = 'a-verifier-that-is-long-enough-for-the-standard-0123456789';

for (const app of emulator.world.apps) {
  if (app.clientId === GATEWAY_CLIENT_ID) {
    app.identifierUris.push(MCP_SERVER);
  }
}

async function authorize(changes: Form, resources: readonly string[] = []): Promise<Response> {
  const query = encodeForm({
    client_id: DESKTOP_CLIENT_ID,
    response_type: 'code',
    redirect_uri: REDIRECT_URI,
    scope: SCOPE,
    code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
    code_challenge_method: 'S256',
    ...changes,
  });
  for (const resource of resources) {
    query.append('resource', resource);
  }
  const url = `${emulator.origin}/${HOME_TENANT_ID}/oauth2/v2.0/authorize?${query.toString()}`;
  return fetch(url, { method: 'POST', body: encodeForm({ user: 'adele' }), redirect: 'manual' });
}

async function redirectOf(changes: Form, resources?: readonly string[]): Promise<URLSearchParams> {
  const response = await authorize(changes, resources);
  return new URL(response.headers.get('location') ?? 'about:blank').searchParams;
}

async function redeem(form: Form): Promise<Record<string, unknown>> {
  const code = (await redirectOf({})).get('code') ?? '';
  const { body } = await postToken(emulator, {
    client_id: DESKTOP_CLIENT_ID,
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT_URI,
    code_verifier: VERIFIER,
    ...form,
  });
  return body;
}

async function renew(form: Form): Promise<Record<string, unknown>> {
  const { refresh_token: refreshToken } = await redeem({});
  const { body } = await postToken(emulator, {
    client_id: DESKTOP_CLIENT_ID,
    grant_type: 'refresh_token',
    refresh_token: String(refreshToken),
    ...form,
  });
  return body;
}

describe('the resource parameter', () => {
  const cases = [
    { what: 'an Application ID URI of the scopes’ app', resource: GATEWAY_URI, refused: false },
    { what: 'another one of its Application ID URIs', resource: MCP_SERVER, refused: false },
    { what: 'such an address with a slash at the end', resource: `${MCP_SERVER}/`, refused: true },
    { what: 'the origin of such an address', resource: 'https://api.contoso.com', refused: true },
    { what: 'the same address in other letters', resource: 'https://API.contoso.com/mcp', refused: true },
    { what: 'an Application ID URI of another app', resource: 'https://graph.microsoft.com', refused: true },
    { what: 'nothing', resource: '', refused: true },
  ];

  it.each(cases)('that names $what is refused: $refused', async ({ resource, refused }) => {
    const answer = await redirectOf({}, [resource]);
    const redeemed = await redeem({ resource });
    const renewed = await renew({ resource, scope: SCOPE });
    expect([answer.get('error'), redeemed['error_codes'], renewed['error_codes']]).toEqual(
      refused ? ['invalid_target', [9010010], [9010010]] : [null, undefined, undefined],
    );
  });

  it('counts each time it is there', async () => {
    expect((await redirectOf({}, [MCP_SERVER, `${MCP_SERVER}/`])).get('error')).toBe('invalid_target');
  });

  it('is ignored by an Entra of before March 2026', async () => {
    emulator.switches.resourceParameter = 'ignored';
    expect((await redirectOf({}, ['https://api.contoso.com'])).has('code')).toBe(true);
  });
});

describe('a renewal without scope', () => {
  it.each<{ position: Switches['refreshWithoutScope']; code: number }>([
    { position: 'refused', code: 900144 },
    { position: 'itself', code: 90009 },
  ])('is refused with $code where the switch says $position', async ({ position, code }) => {
    emulator.switches.refreshWithoutScope = position;
    expect(await renew({})).toMatchObject({ error: 'invalid_request', error_codes: [code] });
  });

  it('gives a token for Microsoft Graph where the switch says so', async () => {
    emulator.switches.refreshWithoutScope = 'graph';
    expect([GRAPH_APP_ID, 'https://graph.microsoft.com']).toContain(claimsOf((await renew({}))['access_token'])['aud']);
  });
});

describe('a redirect URI', () => {
  const app = emulator.world.apps.find(({ clientId }) => clientId === DESKTOP_CLIENT_ID);
  app?.redirectUris.push(
    { uri: 'http://127.0.0.1/callback', kind: 'native' },
    { uri: 'http://[::1]/callback', kind: 'native' },
    { uri: 'https://client.example/callback', kind: 'web' },
  );

  it.each([
    { uri: 'http://localhost', registered: true },
    { uri: 'http://localhost:49152', registered: true },
    { uri: 'http://127.0.0.1:49152/callback', registered: true },
    { uri: 'https://client.example/callback', registered: true },
    { uri: 'http://localhost:49152/other', registered: false },
    { uri: 'https://localhost:49152/', registered: false },
    { uri: 'http://127.0.0.1:49152/other', registered: false },
    { uri: 'http://[::1]:49152/callback', registered: false },
    { uri: 'https://client.example:8443/callback', registered: false },
    { uri: 'https://client.example/callback/', registered: false },
    { uri: 'https://client.example/callback?next=1', registered: false },
    { uri: 'https://evil.example/callback', registered: false },
    { uri: 'http://localhost.evil.example:49152/', registered: false },
    { uri: '', registered: false },
  ])('$uri is registered: $registered', async ({ uri, registered }) => {
    const response = await authorize({ redirect_uri: uri });
    const text = await response.text();
    expect([response.status, text.includes('AADSTS50011')]).toEqual(registered ? [302, false] : [400, true]);
  });
});
