import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { ORDERS_APP_ID } from '../../dev/emulator/world.ts';
import { readChallenge } from '../support/gateway-world.ts';
import { CLAIMS, REFUSALS, startTokenWorld } from './token-world.ts';

const world = await startTokenWorld();
const { emulator, authorizationServiceUrl: service } = world;
afterAll(() => world.close());
afterEach(() => emulator.resetSwitches());

type Fields = Readonly<Record<string, unknown>>;
type Encoding = 'application/json' | 'application/x-www-form-urlencoded';

const ENCODINGS: readonly Encoding[] = ['application/json', 'application/x-www-form-urlencoded'];

function post(path: string, fields: Fields, type: Encoding = 'application/json'): Promise<Response> {
  const body =
    type === 'application/json'
      ? JSON.stringify(fields)
      : new URLSearchParams(fields as Record<string, string>).toString();
  return fetch(`${service}${path}`, { method: 'POST', headers: { 'content-type': type }, body });
}

/** The request of texas' own examples for Entra (its OpenAPI document, and `hack/roundtrip-azure-obo.sh`). */
function exchange(userToken: string, more: Fields = {}, type?: Encoding): Promise<Response> {
  const fields = { identity_provider: 'entra_id', target: 'api', user_token: userToken, ...more };
  return post('/api/v1/token/exchange', fields, type);
}

function introspect(token: string, more: Fields = { identity_provider: 'entra_id' }, type?: Encoding) {
  return post('/api/v1/introspect', { token, ...more }, type);
}

interface TokenResponse {
  readonly access_token: string;
  readonly expires_in: number;
  readonly token_type: string;
}

describe('an application that was written for texas', () => {
  it.each(ENCODINGS)('exchanges the token of its user, as %s', async (type) => {
    const answer = await exchange(world.token('adele'), {}, type);
    expect(answer.status).toBe(200);
    const token = (await answer.json()) as TokenResponse;
    expect(Object.keys(token)).toEqual(['access_token', 'expires_in', 'token_type']);
    expect(token).toMatchObject({ token_type: 'Bearer' });
    expect(decodeJwt(token.access_token)).toMatchObject({ aud: 'https://graph.microsoft.com' });
    expect(Math.abs(token.expires_in - 3_600)).toBeLessThan(60);
  });

  it.each([
    ['orders', ORDERS_APP_ID],
    ['api://orders/.default', ORDERS_APP_ID],
    ['api://orders', ORDERS_APP_ID],
    ['https://graph.microsoft.com/.default', 'https://graph.microsoft.com'],
  ])('names its target as %s', async (target, audience) => {
    const { access_token } = (await (await exchange(world.token('adele'), { target })).json()) as TokenResponse;
    expect(decodeJwt(access_token).aud).toBe(audience);
  });

  it('gets different tokens for different targets and users, and the same one for the same', async () => {
    const [adele, cody] = [world.token('adele'), world.token('cody')];
    const asked: readonly (readonly [string, string])[] = [
      [adele, 'api'],
      [adele, 'orders'],
      [cody, 'api'],
      [adele, 'api'],
    ];
    const tokens: string[] = [];
    for (const [token, target] of asked) {
      tokens.push(((await (await exchange(token, { target })).json()) as TokenResponse).access_token);
    }
    expect(new Set(tokens).size).toBe(3);
    expect(tokens[3]).toBe(tokens[0]);
  });

  it.each(ENCODINGS)('learns the claims of a token, as %s', async (type) => {
    const token = world.token('adele');
    const answer = await introspect(token, { identity_provider: 'entra_id' }, type);
    expect([answer.status, await answer.json()]).toEqual([200, { ...decodeJwt(token), active: true }]);
  });

  it('need not name the identity provider of a token (RFC 7662 §2.1)', async () => {
    expect(await (await introspect(world.token('adele'), {})).json()).toMatchObject({ active: true });
  });

  it('may say what kind of token it asks about (RFC 7662 §2.1)', async () => {
    const answer = await introspect(world.token('adele'), { token_type_hint: 'access_token' });
    expect(await answer.json()).toMatchObject({ active: true });
  });

  it('may still say azuread, and null for what it does not want to say', async () => {
    const answer = await exchange(world.token('adele'), { identity_provider: 'azuread', skip_cache: null });
    expect(answer.status).toBe(200);
  });

  it('is not asked for an Authorization header, and one that it sends counts for nothing', async () => {
    const answer = await fetch(`${service}/api/v1/introspect`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${world.token('cody')}` },
      body: JSON.stringify({ token: world.token('adele'), identity_provider: 'entra_id' }),
    });
    expect(await answer.json()).toMatchObject({ oid: decodeJwt(world.token('adele'))['oid'] });
  });
});

describe('a token that is to be new', () => {
  it.each([true, 'true'])('is so once a minute, and Entra is not asked more often (%j)', async (flag) => {
    const type = flag === true ? ENCODINGS[0] : ENCODINGS[1];
    const token = world.token('cody');
    const before = emulator.exchanges.length;
    const tokens: string[] = [];
    for (const skip_cache of ['', flag, flag, flag]) {
      const more = skip_cache === '' ? {} : { skip_cache };
      tokens.push(((await (await exchange(token, more, type)).json()) as TokenResponse).access_token);
    }
    expect(emulator.exchanges.length - before).toBe(2);
    expect(tokens[1]).not.toBe(tokens[0]);
    expect(tokens.slice(2)).toEqual([tokens[1], tokens[1]]);
    world.advance(60_000);
    await exchange(token, { skip_cache: flag }, type);
    expect(emulator.exchanges.length - before).toBe(3);
  });

  it('costs one exchange where none was given out before', async () => {
    const token = world.token('cody');
    const before = emulator.exchanges.length;
    await exchange(token, { skip_cache: true });
    expect(emulator.exchanges.length - before).toBe(1);
  });
});

describe('what is refused', () => {
  it.each([
    ['claims', 400, { error: 'interaction_required', claims: CLAIMS }],
    ['no claims', 400, { error: 'interaction_required', suberror: 'basic_action' }],
    ['consent', 400, { error: 'invalid_grant', suberror: 'consent_required' }],
    ['credential', 500, { error: 'server_error' }],
    ['throttling', 503, { error: 'temporarily_unavailable' }],
  ] as const)('by Entra for %s: %d', async (name, status, body) => {
    emulator.switches.refuse = REFUSALS[name];
    const answer = await exchange(world.token('megan', { scopes: ['Orders.Read', name.replace(' ', '')] }));
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'application/json']);
    expect(await answer.json()).toMatchObject({ ...body, error_description: expect.any(String) });
  });

  it('has the challenge of the proxy, which texas never had', async () => {
    emulator.switches.refuse = REFUSALS.claims;
    const answer = await exchange(world.token('megan'));
    expect(readChallenge(answer)).toEqual(readChallenge(await world.call('/me', { token: world.token('megan') })));
  });

  it.each<[question: string, token: () => string, error: string]>([
    ['a token that is none', () => 'a.b.c', 'invalid_grant'],
    ['a text that is no token', () => 'a b', 'invalid_grant'],
    ['a token of an old key', () => `${world.token('adele')}a`, 'invalid_grant'],
    ['a token without the scope', () => world.token('adele', { scopes: ['Profile.Read'] }), 'access_denied'],
  ])('%s', async (_, token, error) => {
    const answer = await exchange(token());
    expect([answer.status, await answer.json()]).toEqual([400, { error, error_description: expect.any(String) }]);
  });

  it.each<[question: string, fields: Fields]>([
    ['no target', { target: undefined }],
    ['a target that is not opened', { target: 'wire' }],
    ['a target of another resource', { target: 'https://vault.azure.net/.default' }],
    ['one scope of a target', { target: 'https://graph.microsoft.com/Mail.Read' }],
    ['another identity provider', { identity_provider: 'maskinporten' }],
    ['no identity provider', { identity_provider: undefined }],
    ['an empty token', { user_token: '' }],
    ['a tenant of its own', { tenant: 'a' }],
    ['scopes of its own', { scope: 'https://graph.microsoft.com/Mail.Read' }],
    ['a flag that is none', { skip_cache: 'yes' }],
    ['a number', { skip_cache: 1 }],
  ])('%s, and no exchange is made', async (_, fields) => {
    const before = emulator.exchanges.length;
    const answer = await exchange(world.token('adele'), fields);
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { error: 'invalid_request', error_description: expect.any(String) },
    ]);
    expect(emulator.exchanges.length).toBe(before);
  });

  const form = 'identity_provider=entra_id&target=api&user_token=a';
  it.each<[question: string, type: string, body: string, status: number]>([
    ['a body of another type', 'text/plain', '{}', 400],
    ['a type that only begins like JSON', 'application/jsonp', '{}', 400],
    ['another character set', 'application/json; charset=utf-16', '{}', 400],
    ['a list', 'application/json', '[]', 400],
    ['no JSON', 'application/json', '{', 400],
    ['a member that is named twice', 'application/json', '{"token":"a","token":"b"}', 400],
    ['a parameter that is named twice', 'application/x-www-form-urlencoded', `${form}&target=orders`, 400],
    ['a body of more than 16 kB', 'application/json', JSON.stringify({ user_token: 'a'.repeat(16_384) }), 413],
  ])('%s', async (_, type, body, status) => {
    for (const path of ['/api/v1/token/exchange', '/api/v1/introspect']) {
      const answer = await fetch(`${service}${path}`, { method: 'POST', headers: { 'content-type': type }, body });
      expect([answer.status, await answer.json()]).toEqual([
        status,
        { error: 'invalid_request', error_description: expect.any(String) },
      ]);
    }
  });

  it.each(['/api/v1/token/exchange', '/api/v1/introspect'])('another method than POST: %s', async (path) => {
    const answer = await fetch(`${service}${path}`);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it.each(['/api/v1/token/exchange?target=orders', '/api/v1/introspect?token=a'])('a query: %s', async (path) => {
    const answer = await post(path, { identity_provider: 'entra_id', target: 'api', user_token: world.token('adele') });
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: 'invalid_request' }]);
  });

  it('a token for nobody, which is another endpoint of texas', async () => {
    expect((await post('/api/v1/token', { identity_provider: 'entra_id', target: 'api' })).status).toBe(404);
  });
});

describe('a token that is not good', () => {
  it.each<[question: string, token: () => string, provider: string]>([
    ['that is none', () => 'a.b.c', 'entra_id'],
    ['whose signature is wrong', () => `${world.token('adele').slice(0, -6)}AAAAAA`, 'entra_id'],
    ['that was issued for a downstream', () => world.token('adele', { resource: 'graph' }), 'entra_id'],
    ['that lacks the scope', () => world.token('adele', { scopes: ['Profile.Read'] }), 'entra_id'],
    ['of another identity provider', () => world.token('adele'), 'tokenx'],
    ['with a line break', () => `a\r\nb`, 'entra_id'],
  ])('%s is not active, and nothing else is told', async (_, token, identity_provider) => {
    const answer = await introspect(token(), { identity_provider });
    expect([answer.status, await answer.text()]).toEqual([200, '{"active":false}']);
    expect(answer.headers.get('www-authenticate')).toBeNull();
  });

  it('is explained in the log', async () => {
    const answer = await introspect('a.b.c');
    expect(await world.log.of(answer.headers.get('x-request-id'))).toMatchObject({
      operation: '/api/v1/introspect',
      status: 200,
      code: 'invalid_token',
      reason: expect.any(String),
    });
  });
});
