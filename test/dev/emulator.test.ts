import { generateKeyPairSync, randomUUID, X509Certificate } from 'node:crypto';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import { startEmulator } from '../../dev/emulator/emulator.ts';
import {
  DAEMON_CLIENT_ID,
  DAEMON_CLIENT_SECRET,
  DESKTOP_CLIENT_ID,
  GATEWAY_CLIENT_ID,
  HOME_TENANT_ID,
} from '../../dev/emulator/world.ts';
import { describeCertificate } from '../../dev/emulator/world-model.ts';
import { claimsOf, onBehalfOf, postToken } from './token-requests.ts';

const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBejCCASGgAwIBAgIUYvvbpJ/ncVZJwfoaMP4AOgORdLwwCgYIKoZIzj0EAwIw
EjEQMA4GA1UEAwwHZ2F0ZXdheTAgFw0yNjExMjAxMTQ2MzBaGA8yMTI2MTAyNzEx
NDYzMFowEjEQMA4GA1UEAwwHZ2F0ZXdheTBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABJ/XH+tmuYNKa+O1qVK8goAtJybZCKjMaCRSI+PTUw8c5UI1bAQshCq7SLCl
Ldg1bg1Ai/mJm0oc/sxxgI8oCFWjUzBRMB0GA1UdDgQWBBSjz0xlKBeq923KAQhN
r58CHnBuzjAfBgNVHSMEGDAWgBSjz0xlKBeq923KAQhNr58CHnBuzjAPBgNVHRMB
Af8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIF1JB8I4U2poG5ygx/YmHFuDN5kU
y9rm3xqYYi0WmR95AiAVXyCbSWY20fPKCBkuK01Lkt46OhIgrYPfiy8juFnvFw==
-----END CERTIFICATE-----`;

const emulator = await startEmulator();
afterAll(() => emulator.close());
afterEach(() => {
  emulator.resetSwitches();
});

const { origin } = emulator;
const tokenUrl = `${origin}/${HOME_TENANT_ID}/oauth2/v2.0/token`;

async function getJson(path: string): Promise<Record<string, unknown>> {
  return (await (await fetch(origin + path)).json()) as Record<string, unknown>;
}

describe('discovery', () => {
  it.each([
    {
      document: `/${HOME_TENANT_ID}/v2.0`,
      issuer: `/${HOME_TENANT_ID}/v2.0`,
      keys: `/${HOME_TENANT_ID}/discovery/v2.0/keys`,
    },
    { document: `/${HOME_TENANT_ID}`, issuer: `/v1/${HOME_TENANT_ID}/`, keys: `/${HOME_TENANT_ID}/discovery/keys` },
    { document: '/common/v2.0', issuer: '/{tenantid}/v2.0', keys: '/common/discovery/v2.0/keys' },
    { document: '/organizations/v2.0', issuer: '/{tenantid}/v2.0', keys: '/organizations/discovery/v2.0/keys' },
  ])('of $document names its issuer and its keys', async ({ document, issuer, keys }) => {
    const metadata = await getJson(`${document}/.well-known/openid-configuration`);
    expect([metadata['issuer'], metadata['jwks_uri']]).toEqual([origin + issuer, origin + keys]);
  });

  it('lets every page read it', async () => {
    const response = await fetch(`${origin}/common/v2.0/.well-known/openid-configuration`);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
  });

  it('publishes the issuer of each key on v2 only', async () => {
    const [v2] = (await getJson('/common/discovery/v2.0/keys'))['keys'] as object[];
    const [v1] = (await getJson('/common/discovery/keys'))['keys'] as object[];
    expect([v2, v1]).toEqual([
      expect.objectContaining({ issuer: `${origin}/{tenantid}/v2.0` }),
      expect.not.objectContaining({ issuer: expect.anything() }),
    ]);
  });

  it('can be switched off', async () => {
    emulator.switches.keys = 'down';
    expect((await fetch(`${origin}/common/discovery/v2.0/keys`)).status).toBe(503);
  });
});

describe('a token made for a test', () => {
  it.each([
    { order: { user: 'adele' }, claims: { ver: '2.0', aud: GATEWAY_CLIENT_ID, azp: DESKTOP_CLIENT_ID, idtyp: 'user' } },
    {
      order: { user: 'adele', version: 1 as const },
      claims: { ver: '1.0', aud: `api://${GATEWAY_CLIENT_ID}`, appid: DESKTOP_CLIENT_ID },
    },
    { order: { user: 'megan', acrs: ['c1'], capabilities: ['cp1'] }, claims: { acrs: ['c1'], xms_cc: ['cp1'] } },
    { order: { app: 'daemon' }, claims: { roles: ['Orders.Read.All'], idtyp: 'app', azp: DAEMON_CLIENT_ID } },
    { order: { user: 'guest' }, claims: { tid: HOME_TENANT_ID, idp: expect.any(String) } },
    { order: { user: 'adele', claims: { tid: 'x' } }, claims: { tid: 'x' } },
  ])('has the claims of $order', async ({ order, claims }) => {
    const keys = createRemoteJWKSet(new URL(`${origin}/common/discovery/v2.0/keys`));
    const { payload } = await jwtVerify(emulator.issueAccessToken(order), keys);
    expect(payload).toMatchObject(claims);
  });

  it('lacks a claim that is set to undefined', () => {
    const token = emulator.issueAccessToken({ user: 'adele', claims: { scp: undefined } });
    expect(claimsOf(token)).not.toHaveProperty('scp');
  });

  it.each(['none', 'HS256', 'RS512', 'PS256'])('can be signed with alg %s', (alg) => {
    expect(decodeProtectedHeader(emulator.signToken({}, { alg })).alg).toBe(alg);
  });
});

describe('rolling the keys', () => {
  it('publishes the new key before the old one, or alone', async () => {
    const rolled = await startEmulator();
    const [first] = rolled.publishedKeyIds();
    await rolled.rollKeys();
    const both = rolled.publishedKeyIds();
    await rolled.rollKeys({ keepOld: false });
    const alone = rolled.publishedKeyIds();
    await rolled.close();
    expect([both.length, both[1], alone.length, alone.includes(first ?? '')]).toEqual([2, first, 1, false]);
  });
});

describe('switches at the token endpoint', () => {
  it.each([
    { entra: 'throttled', status: 429, type: 'text/plain', body: /^Too Many Requests$/ },
    { entra: 'html503', status: 503, type: 'text/html', body: /<html>/ },
    { entra: 'json500', status: 500, type: 'application/json', body: /server_error/ },
    { entra: 'empty200', status: 200, type: 'application/json', body: /^\{\}$/ },
    { entra: 'garbage', status: 200, type: 'application/json', body: /access_tok$/ },
  ] as const)('answer $status when $entra', async ({ entra, status, type, body }) => {
    emulator.switches.entra = entra;
    const response = await fetch(tokenUrl, { method: 'POST' });
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      status,
      expect.stringContaining(type),
      expect.stringMatching(body),
    ]);
  });

  it('break the connection, or never answer', async () => {
    emulator.switches.entra = 'reset';
    await expect(fetch(tokenUrl, { method: 'POST' })).rejects.toThrow();
    emulator.switches.entra = 'hang';
    await expect(fetch(tokenUrl, { method: 'POST', signal: AbortSignal.timeout(50) })).rejects.toThrow();
  });

  it('refuse with a raw error', async () => {
    const claims = '{"access_token":{}}';
    emulator.switches.refuse = {
      error: 'interaction_required',
      error_codes: [53000],
      suberror: 'x',
      claims,
      retryAfter: '7',
    };
    const answer = await postToken(emulator, onBehalfOf('anything'));
    expect([answer.status, answer.headers.get('retry-after'), answer.body]).toEqual([
      400,
      '7',
      expect.objectContaining({ error: 'interaction_required', error_codes: [53000], suberror: 'x', claims }),
    ]);
  });

  it('answer an exchange with raw text', async () => {
    emulator.switches.body = { status: 418, headers: { 'x-a': 'b' }, body: '{"tea":true}' };
    const { status, headers, body } = await postToken(emulator, onBehalfOf('anything'));
    expect([status, headers.get('x-a'), body]).toEqual([418, 'b', { tea: true }]);
  });

  it('speak the v1 style', async () => {
    emulator.switches.oboErrorStyle = 'v1';
    const { body } = await postToken(emulator, onBehalfOf(emulator.issueAccessToken({ user: 'megan' })));
    expect(body).toMatchObject({ error: 'interaction_required', suberror: 'basic_action' });
  });

  it('can be turned over http', async () => {
    const headers = { 'content-type': 'application/json' };
    await fetch(`${origin}/_emulator/switches`, { method: 'PUT', headers, body: '{"entra":"html503"}' });
    const down = await fetch(tokenUrl, { method: 'POST' });
    await fetch(`${origin}/_emulator/switches`, { method: 'PUT', headers, body: '{"entra":null}' });
    const up = await fetch(tokenUrl, { method: 'POST' });
    expect([down.status, up.status]).toEqual([503, 400]);
  });

  it('are named when one is unknown', async () => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${origin}/_emulator/switches`, { method: 'PUT', headers, body: '{"entr":1}' });
    expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ unknown: ['entr'] })]);
  });
});

describe('client credentials', () => {
  const daemon = { client_id: DAEMON_CLIENT_ID, client_secret: DAEMON_CLIENT_SECRET, grant_type: 'client_credentials' };

  it('give an app its roles and no scope', async () => {
    const { body } = await postToken(emulator, { ...daemon, scope: `api://${GATEWAY_CLIENT_ID}/.default` });
    expect([claimsOf(body['access_token'])['roles'], 'scope' in body]).toEqual([['Orders.Read.All'], false]);
  });

  it('accept the secret in a Basic header', async () => {
    const basic = Buffer.from(`${DAEMON_CLIENT_ID}:${DAEMON_CLIENT_SECRET}`).toString('base64');
    const form = { grant_type: 'client_credentials', scope: `${GATEWAY_CLIENT_ID}/.default` };
    const { status } = await postToken(emulator, form, { headers: { authorization: `Basic ${basic}` } });
    expect([status, emulator.exchanges.at(-1)?.credential]).toEqual([200, 'basic']);
  });

  it('refuse a single scope', async () => {
    const { body } = await postToken(emulator, { ...daemon, scope: `api://${GATEWAY_CLIENT_ID}/Orders.Read` });
    expect(body).toMatchObject({ error: 'invalid_scope', error_codes: [70011] });
  });

  it('refuse an expired secret', async () => {
    emulator.switches.secretExpired = true;
    const { status, body } = await postToken(emulator, { ...daemon, scope: 'api://orders/.default' });
    expect([status, body['error_codes']]).toEqual([401, [7000222]]);
  });
});

describe('a certificate', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const gateway = emulator.world.apps.find(({ alias }) => alias === 'gateway');
  gateway?.certificates.push({
    thumbprintSha256: 'registered',
    thumbprint: 'registered-sha1',
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  });

  const cases = [
    { when: 'PS256 with x5t#S256', header: { alg: 'PS256', 'x5t#S256': 'registered' }, expected: [200, undefined] },
    { when: 'RS256 with x5t', header: { alg: 'RS256', x5t: 'registered-sha1' }, expected: [200, undefined] },
    { when: 'an unknown thumbprint', header: { alg: 'PS256', 'x5t#S256': 'other' }, expected: [401, [700027]] },
    { when: 'a past exp', exp: 1, expected: [401, [700024]] },
    { when: 'another audience', aud: 'https://elsewhere', expected: [401, [700023]] },
    { when: 'another subject', sub: 'x', expected: [401, [700021]] },
  ];

  it.each(cases)('with $when is answered $expected', async ({ header, exp, aud, sub, expected }) => {
    const assertion = await new SignJWT({ jti: randomUUID() })
      .setProtectedHeader(header ?? { alg: 'PS256', 'x5t#S256': 'registered' })
      .setIssuer(GATEWAY_CLIENT_ID)
      .setSubject(sub ?? GATEWAY_CLIENT_ID)
      .setAudience(aud ?? tokenUrl)
      .setExpirationTime(exp ?? '10m')
      .sign(privateKey);
    const form = onBehalfOf(emulator.issueAccessToken({ user: 'adele' }), {
      client_secret: undefined,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    });
    const { status, body } = await postToken(emulator, form);
    expect([status, body['error_codes']]).toEqual(expected);
  });
});

describe('a federated credential', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  emulator.world.apps
    .find(({ alias }) => alias === 'gateway')
    ?.federatedCredentials.push({
      issuer: 'https://issuer',
      subject: 'workload',
      publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    });

  it.each([
    { when: 'the subject is trusted', sub: 'workload', aud: 'api://AzureADTokenExchange', expected: [200, undefined] },
    { when: 'the subject is a stranger', sub: 'other', aud: 'api://AzureADTokenExchange', expected: [401, [700213]] },
    { when: 'the audience is another', sub: 'workload', aud: 'api://x', expected: [401, [700213]] },
  ])('is answered $expected.0 when $when', async ({ sub, aud, expected }) => {
    const claims = { iss: 'https://issuer', sub, aud, exp: 4102444800 };
    const form = onBehalfOf(emulator.issueAccessToken({ user: 'adele' }), {
      client_secret: undefined,
      client_assertion: emulator.signToken(claims, {}, privateKey),
    });
    const { status, body } = await postToken(emulator, form);
    expect([status, body['error_codes']]).toEqual(expected);
  });
});

describe('describing a certificate', () => {
  it('gives the thumbprint that client assertions name', () => {
    const { fingerprint256 } = new X509Certificate(CERTIFICATE);
    const thumbprint = Buffer.from(fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');
    expect(describeCertificate(CERTIFICATE).thumbprintSha256).toBe(thumbprint);
  });
});

describe('the command-line token', () => {
  it('is accepted as an assertion', async () => {
    const token = await (await fetch(`${origin}/_emulator/token?user=megan&mfa=1`)).text();
    const { status } = await postToken(emulator, onBehalfOf(token.trim()));
    expect(status).toBe(200);
  });

  it('satisfies the claims of a challenge', async () => {
    const refused = await postToken(emulator, onBehalfOf(emulator.issueAccessToken({ user: 'megan' })));
    const claims = encodeURIComponent(String(refused.body['claims']));
    const token = await (await fetch(`${origin}/_emulator/token?user=megan&claims=${claims}`)).text();
    const { status } = await postToken(emulator, onBehalfOf(token.trim()));
    expect([refused.status, status]).toEqual([400, 200]);
  });

  it('has the authentication context that the claims of a challenge ask for', async () => {
    const claims = encodeURIComponent('{"access_token":{"acrs":{"essential":true,"value":"c1"}}}');
    const token = await (await fetch(`${origin}/_emulator/token?user=adele&claims=${claims}`)).text();
    expect(claimsOf(token)).toMatchObject({ acrs: ['c1'], amr: ['pwd', 'mfa'] });
  });
});
