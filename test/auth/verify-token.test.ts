import { generateKeyPairSync } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { startEmulator } from '../../dev/emulator/emulator.ts';
import { DESKTOP_CLIENT_ID, GATEWAY_CLIENT_ID, HOME_TENANT_ID, PARTNER_TENANT_ID } from '../../dev/emulator/world.ts';
import { Clock } from '../support/token-clock.ts';
import { startGate } from '../support/token-gate.ts';
import { json, makeIssuerKey, signText, startTokenIssuer } from '../support/token-issuer.ts';

type Changes = Record<string, unknown>;

const emulator = await startEmulator();
const clock = new Clock();
const gate = await startGate({ origin: emulator.origin, clock });
const openGate = await startGate({ origin: emulator.origin, tenant: 'organizations' });
const issuerKey = makeIssuerKey();
const issuer = await startTokenIssuer([issuerKey.jwk]);
const rawGate = await startGate({ origin: issuer.origin });
afterAll(async () => {
  await Promise.all([gate.close(), openGate.close(), rawGate.close()]);
  await Promise.all([emulator.close(), issuer.close()]);
});

const { origin } = emulator;
const V1_AUDIENCE = `api://${GATEWAY_CLIENT_ID}`;
const foreignKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const v2 = decodeJwt(emulator.issueAccessToken({ user: 'adele' }));
const v1 = decodeJwt(emulator.issueAccessToken({ user: 'adele', version: 1 }));
const appOnly = decodeJwt(emulator.issueAccessToken({ app: 'daemon' }));
const now = clock.seconds;

/** A well-signed token: a good payload with these changes; undefined leaves a claim out. */
function token(changes: Changes = {}, payload: object = v2): string {
  return emulator.signToken({ ...payload, ...changes });
}

/** The claims of an ID token of an app that shares its registration with the gateway. */
function idToken(changes: Changes): string {
  return token({ scp: undefined, azp: undefined, idtyp: undefined, acrs: undefined, ...changes });
}

describe('a token is accepted', () => {
  it.each([
    { which: 'of version 2', sent: token() },
    { which: 'of version 1', sent: token({}, v1) },
    { which: 'of version 1 with the client id as audience', sent: token({ aud: GATEWAY_CLIENT_ID }, v1) },
    { which: 'of version 2 with the App ID URI as audience', sent: token({ aud: V1_AUDIENCE }) },
    { which: 'that does not say its version but keeps the rules of version 2', sent: token({ ver: undefined }) },
    { which: 'that expired within the tolerance', sent: token({ exp: now - 59 }) },
    { which: 'that begins within the tolerance', sent: token({ nbf: now + 60 }) },
    { which: 'whose tenant id is in capitals', sent: token({ tid: HOME_TENANT_ID.toUpperCase() }) },
    { which: 'of a guest of the tenant', sent: emulator.issueAccessToken({ user: 'guest', tenant: 'contoso.com' }) },
    { which: 'of an app that says so', sent: token({}, appOnly) },
    { which: 'of an app that does not say so', sent: token({ idtyp: undefined }, appOnly) },
    { which: 'with a header parameter that nobody knows', sent: emulator.signToken(v2, { 'x-new': 1 }) },
    { which: 'with a deep claim', sent: token({ deep: JSON.parse('['.repeat(500) + ']'.repeat(500)) }) },
  ])('$which', async ({ sent }) => {
    const { session } = await gate.call(sent);
    expect([session === undefined, gate.sessions.find(sent)]).toEqual([false, session]);
  });
});

describe('the signature: a token is refused', () => {
  it.each([
    { when: 'it is not signed (alg none)', sent: emulator.signToken(v2, { alg: 'none' }) },
    {
      when: 'alg is NONE in capitals',
      sent: emulator.signToken(v2, { alg: 'none' }).replace(/^[^.]+/, encode('NONE')),
    },
    { when: 'the public key served as the secret (HS256)', sent: emulator.signToken(v2, { alg: 'HS256' }) },
    { when: 'the right key signed with PS256', sent: emulator.signToken(v2, { alg: 'PS256' }) },
    { when: 'the right key signed with RS512', sent: emulator.signToken(v2, { alg: 'RS512' }) },
    { when: 'a foreign key signed under our kid', sent: emulator.signToken(v2, {}, foreignKey) },
    { when: 'the kid is missing', sent: emulator.signToken(v2, { kid: undefined }) },
    { when: 'the kid is unknown', sent: emulator.signToken(v2, { kid: 'nobody' }) },
    { when: 'the kid is no text', sent: emulator.signToken(v2, { kid: ['x'] as unknown as string }) },
    { when: 'the kid is the name of an inherited member', sent: emulator.signToken(v2, { kid: '__proto__' }) },
    {
      when: 'the key stands in the header',
      sent: emulator.signToken(v2, { kid: 'x', jwk: issuerKey.jwk }, foreignKey),
    },
    { when: 'the header demands an extension (crit)', sent: emulator.signToken(v2, { crit: ['exp'] }) },
    { when: 'crit is empty', sent: emulator.signToken(v2, { crit: [] }) },
    { when: 'the payload was changed', sent: tamper(token()) },
    { when: 'the signature was left out', sent: token().replace(/[^.]+$/, '') },
  ])('when $when', async ({ sent }) => {
    expect(await gate.call(sent)).toEqual({ code: 'invalid_token' });
  });
});

/** The header of a token with another `alg` and a good `kid`. */
function encode(alg: string): string {
  return Buffer.from(JSON.stringify({ alg, kid: emulator.publishedKeyIds()[0] })).toString('base64url');
}

/** The token with more scopes and the old signature. */
function tamper(good: string): string {
  const [header, , signature] = good.split('.');
  const payload = Buffer.from(JSON.stringify({ ...v2, scp: 'Everything' })).toString('base64url');
  return [header, payload, signature].join('.');
}

describe('the claims: a token is refused', () => {
  it.each([
    { when: 'exp is missing', changes: { exp: undefined } },
    { when: 'exp is a text', changes: { exp: String(now + 600) } },
    { when: 'it expired beyond the tolerance', changes: { exp: now - 61 } },
    { when: 'it expired at the very end of the tolerance', changes: { exp: now - 60 } },
    { when: 'exp is beyond every calendar', changes: { exp: 1e15 } },
    { when: 'iat is a text', changes: { iat: String(now) } },
    { when: 'iat is before the epoch', changes: { iat: -1 } },
    { when: 'nbf is before the epoch', changes: { nbf: -1 } },
    { when: 'nbf is missing', changes: { nbf: undefined } },
    { when: 'nbf is a text', changes: { nbf: String(now) } },
    { when: 'it begins beyond the tolerance', changes: { nbf: now + 61 } },
    { when: 'aud is missing', changes: { aud: undefined } },
    { when: 'aud is another API, passport-jwt’s top-level trap', changes: { aud: DESKTOP_CLIENT_ID } },
    { when: 'aud is Microsoft Graph', changes: { aud: 'https://graph.microsoft.com' } },
    { when: 'aud is a path below ours', changes: { aud: `${V1_AUDIENCE}/x` } },
    { when: 'aud is a list with ours in it', changes: { aud: [GATEWAY_CLIENT_ID] } },
    { when: 'aud is a list of several', changes: { aud: [DESKTOP_CLIENT_ID, GATEWAY_CLIENT_ID] } },
    { when: 'iss is missing', changes: { iss: undefined } },
    { when: 'iss is a list', changes: { iss: [`${origin}/${HOME_TENANT_ID}/v2.0`] } },
    { when: 'iss is that of version 1', changes: { iss: `${origin}/v1/${HOME_TENANT_ID}/` } },
    { when: 'iss has a slash too many', changes: { iss: `${origin}/${HOME_TENANT_ID}/v2.0/` } },
    { when: 'iss is another tenant’s', changes: { iss: `${origin}/${PARTNER_TENANT_ID}/v2.0` } },
    { when: 'iss is the template itself', changes: { iss: `${origin}/{tenantid}/v2.0` } },
    { when: 'tid is missing', changes: { tid: undefined } },
    { when: 'tid is another tenant’s', changes: { tid: PARTNER_TENANT_ID } },
    { when: 'tid is a domain', changes: { tid: 'contoso.com', iss: `${origin}/contoso.com/v2.0` } },
    {
      when: 'tid has more around it',
      changes: { tid: `x${HOME_TENANT_ID}`, iss: `${origin}/x${HOME_TENANT_ID}/v2.0` },
    },
    {
      when: 'tid and iss are another tenant’s',
      changes: { tid: PARTNER_TENANT_ID, iss: `${origin}/${PARTNER_TENANT_ID}/v2.0` },
    },
    { when: 'ver is unknown', changes: { ver: '3.0' } },
    { when: 'ver is a number', changes: { ver: 2 } },
    { when: 'ver is that of version 1', changes: { ver: '1.0' } },
    { when: 'it has neither scp nor roles', changes: { scp: undefined } },
    { when: 'scp is empty', changes: { scp: '' } },
    { when: 'scp is a space', changes: { scp: ' ' } },
    { when: 'a user has roles but no scp', changes: { scp: undefined, roles: ['Orders.Read.All'] } },
    {
      when: 'a user has roles, no scp, and nothing says that it is one',
      changes: { scp: undefined, idtyp: undefined, roles: ['Orders.Read.All'] },
    },
    { when: 'an app has a scp', changes: { idtyp: 'app' } },
  ])('when $when', async ({ changes }) => {
    expect(await gate.call(token(changes))).toEqual({ code: 'invalid_token' });
  });

  it.each([
    { when: 'version 1 has the issuer of version 2', changes: { iss: `${origin}/${HOME_TENANT_ID}/v2.0` } },
    { when: 'version 1 lacks the slash of its issuer', changes: { iss: `${origin}/v1/${HOME_TENANT_ID}` } },
    { when: 'version 1 claims to be version 2', changes: { ver: '2.0' } },
    { when: 'version 1 does not say so', changes: { ver: undefined } },
  ])('when $when', async ({ changes }) => {
    expect(await gate.call(token(changes, v1))).toEqual({ code: 'invalid_token' });
  });

  it.each([
    { when: 'no roles at all', changes: { roles: undefined } },
    { when: 'an empty list of roles', changes: { roles: [] } },
    { when: 'no roles, and no word of being an app', changes: { roles: undefined, idtyp: undefined } },
    { when: 'roles but is a device', changes: { idtyp: 'device' } },
  ])('when an app has $when', async ({ changes }) => {
    expect(await gate.call(token(changes, appOnly))).toEqual({ code: 'invalid_token' });
  });
});

describe('a number in a time claim', () => {
  const iss = `${issuer.origin}/${HOME_TENANT_ID}/v2.0`;

  /** A token whose claim is written in this way, which JSON.stringify would not do. */
  function written(claim: string, number: string): string {
    return signText(JSON.stringify({ ...v2, iss, [claim]: 'here' }).replace('"here"', number), issuerKey);
  }

  it.each([
    ['exp', '1e400'],
    ['exp', '-1e400'],
    ['exp', '1e308'],
    ['nbf', '1e400'],
    ['nbf', '-1e400'],
    ['iat', '1e400'],
    ['iat', '-1e400'],
    ['iat', '1e300'],
    ['iat', 'null'],
  ])('that no calendar can name is refused: %s %s', async (claim, number) => {
    expect(await rawGate.call(written(claim, number))).toEqual({ code: 'invalid_token' });
  });

  it.each([
    ['exp', `${now + 600}.5`],
    ['nbf', '0'],
    ['iat', '1e9'],
    ['exp', '253402300799'],
  ])('that a calendar can name is accepted: %s %s', async (claim, number) => {
    expect(await rawGate.call(written(claim, number))).toHaveProperty('session');
  });
});

describe('a token that is bound to a key', () => {
  const bound = { cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } };

  it('is accepted, and the log says so once an hour', async () => {
    const told = await startGate({ origin, clock: new Clock() });
    const lasting = { ...bound, exp: now + 10_000 };
    for (const [count, minutes] of [0, 1, 58, 1].entries()) {
      told.clock.advance(minutes * 60_000);
      await told.call(token({ ...lasting, uti: String(count) }));
    }
    await told.close();
    expect([told.sessions.size, told.warnings]).toEqual([
      4,
      [
        expect.objectContaining({ azp: DESKTOP_CLIENT_ID, remedy: expect.stringContaining('boundTokens') }),
        expect.objectContaining({ azp: DESKTOP_CLIENT_ID }),
      ],
    ]);
  });

  it.each([bound, { cnf: {} }, { cnf: null }])(
    'is refused when identity.boundTokens is refuse: %j',
    async (changes) => {
      const strict = await startGate({ origin, clock, boundTokens: 'refuse' });
      const verdicts = [await strict.call(token(changes)), await strict.call(token())];
      await strict.close();
      expect(verdicts).toEqual([{ code: 'invalid_token' }, expect.objectContaining({ session: expect.anything() })]);
    },
  );
});

describe('what the log says of a refused token', () => {
  const known = { oid: v2['oid'], azp: DESKTOP_CLIENT_ID, tid: HOME_TENANT_ID, ver: '2.0', iss: v2.iss };

  it.each([
    { when: 'it is for another API', changes: { aud: 'api://other' }, told: { aud: 'api://other' } },
    { when: 'it is for several', changes: { aud: ['api://a', 'api://b'] }, told: { aud: 'api://a api://b' } },
    { when: 'its audience is a long one', changes: { aud: 'x'.repeat(300) }, told: { aud: 'x'.repeat(200) } },
    { when: 'its audience is not printable', changes: { aud: 'a\n\u202e{"' }, told: { aud: 'a??{"' } },
    { when: 'its audience is no text', changes: { aud: { a: 1 } }, told: { aud: 'object' } },
    { when: 'it is of another issuer', changes: { iss: 'https://else' }, told: { iss: 'https://else' } },
    { when: 'it is of another tenant', changes: { tid: PARTNER_TENANT_ID }, told: { tid: PARTNER_TENANT_ID } },
    { when: 'it expired', changes: { exp: now - 600 }, told: { reason: 'jwt expired' } },
    { when: 'it is not valid yet', changes: { nbf: now + 600 }, told: { reason: 'jwt not active' } },
    { when: 'it has no scope', changes: { scp: undefined }, told: {} },
  ])('when $when', async ({ changes, told }) => {
    const { log } = await gate.explain(token(changes));
    expect(log).toMatchObject({ reason: expect.any(String), aud: GATEWAY_CLIENT_ID, ...known, ...told });
  });

  it('names the client of a v1 token', async () => {
    const { log } = await gate.explain(token({ aud: 'api://other' }, v1));
    expect(log).toMatchObject({ aud: 'api://other', azp: DESKTOP_CLIENT_ID, ver: '1.0' });
  });

  it.each([
    { when: 'it is signed by another key', sent: emulator.signToken({ ...v2, aud: 'api://forged' }, {}, foreignKey) },
    { when: 'its key is not known', sent: emulator.signToken({ ...v2, aud: 'api://forged' }, { kid: 'nobody' }) },
    { when: 'it was changed', sent: tamper(token()) },
  ])('nothing of its claims when $when', async ({ sent }) => {
    const { log } = await gate.explain(sent);
    expect(Object.keys(log ?? {})).toEqual(['reason']);
  });
});

describe('an ID token with our audience is refused', () => {
  it.each([
    { with: 'nothing special', changes: {} },
    { with: 'a nonce', changes: { nonce: 'n' } },
    { with: 'roles', changes: { roles: ['Orders.Read.All'] } },
    { with: 'roles and a nonce', changes: { roles: ['Orders.Read.All'], nonce: 'n' } },
    {
      with: 'roles, a nonce and a client id',
      changes: { roles: ['Orders.Read.All'], nonce: 'n', azp: GATEWAY_CLIENT_ID },
    },
  ])('with $with', async ({ changes }) => {
    expect(await gate.call(idToken(changes))).toEqual({ code: 'invalid_token' });
  });
});

describe('a malformed or foreign token', () => {
  const [header = '', payload = '', signature = ''] = token().split('.');
  it.each([
    ['one part', header],
    ['two parts', `${header}.${payload}`],
    ['four parts', `${header}.${payload}.${signature}.${signature}`],
    ['five parts, as encrypted tokens have', [header, payload, signature, signature, signature].join('.')],
    ['empty parts', '..'],
    ['a header that is no JSON', `${payload.slice(3)}.${payload}.${signature}`],
    ['a payload that is no JSON', `${header}.AAAA.${signature}`],
    ['an opaque token', 'EwB4A8l6BAAU'],
  ])('is refused: %s', async (_what, sent) => {
    expect(await gate.call(sent)).toEqual({ code: 'invalid_token' });
  });

  it.each([
    ['null', 'null'],
    ['an array', '[]'],
    ['an array with claims', JSON.stringify([v2])],
    ['a text', '"x"'],
    ['a number', '1'],
    ['true', 'true'],
    ['nothing', ''],
    ['half an object', '{"exp":'],
    ['very deep', '['.repeat(4_000) + ']'.repeat(4_000)],
  ])('is refused: a payload with a good signature that is %s', async (_what, text) => {
    expect(await rawGate.call(signText(text, issuerKey))).toEqual({ code: 'invalid_token' });
  });

  it('is refused: a good token of another tenant, though metadata and keys are those of all tenants', async () => {
    const foreign = { ...v2, tid: PARTNER_TENANT_ID, iss: `${issuer.origin}/${PARTNER_TENANT_ID}/v2.0` };
    expect(await rawGate.call(signText(JSON.stringify(foreign), issuerKey))).toEqual({ code: 'invalid_token' });
  });

  it('does not spoil the key: a good token that it signs is accepted', async () => {
    const iss = `${issuer.origin}/${HOME_TENANT_ID}/v2.0`;
    expect(await rawGate.call(signText(JSON.stringify({ ...v2, iss }), issuerKey))).toHaveProperty('session');
  });
});

describe('a gateway for several tenants', () => {
  it.each([
    { whose: 'the home tenant', sent: () => token() },
    { whose: 'another tenant', sent: () => emulator.issueAccessToken({ user: 'guest', tenant: 'fabrikam.com' }) },
    {
      whose: 'another tenant, version 1',
      sent: () => emulator.issueAccessToken({ user: 'guest', tenant: 'fabrikam.com', version: 1 }),
    },
  ])('accepts a token of $whose', async ({ sent }) => {
    expect(await openGate.call(sent())).toHaveProperty('session');
  });

  it.each([
    { when: 'tid and iss differ', changes: { tid: PARTNER_TENANT_ID } },
    { when: 'tid is a domain', changes: { tid: 'contoso.com', iss: `${origin}/contoso.com/v2.0` } },
    { when: 'tid is a pattern of replace()', changes: { tid: '$&', iss: `${origin}/{tenantid}/v2.0` } },
    { when: 'tid is the template', changes: { tid: '{tenantid}', iss: `${origin}/{tenantid}/v2.0` } },
    { when: 'tid is missing', changes: { tid: undefined, iss: `${origin}/undefined/v2.0` } },
  ])('refuses a token when $when', async ({ changes }) => {
    expect(await openGate.call(token(changes))).toEqual({ code: 'invalid_token' });
  });
});

describe('a key that Entra binds to an issuer', () => {
  const own = makeIssuerKey({ issuer: 'to be set' });
  const cases = [
    { bound: 'the template', issuer: (base: string) => `${base}/{tenantid}/v2.0`, expected: { session: {} } },
    { bound: 'this tenant', issuer: (base: string) => `${base}/${HOME_TENANT_ID}/v2.0`, expected: { session: {} } },
    {
      bound: 'this tenant by its v1 name',
      issuer: (base: string) => `${base}/v1/${HOME_TENANT_ID}/`,
      expected: { session: {} },
    },
    {
      bound: 'another tenant',
      issuer: (base: string) => `${base}/${PARTNER_TENANT_ID}/v2.0`,
      expected: { code: 'invalid_token' },
    },
    {
      bound: 'another cloud',
      issuer: () => `https://login.microsoftonline.us/${HOME_TENANT_ID}/v2.0`,
      expected: { code: 'invalid_token' },
    },
    { bound: 'an empty text', issuer: () => '', expected: { code: 'invalid_token' } },
  ];

  it.each(cases)('bound to $bound may sign for our tenant: $expected', async ({ issuer: bind, expected }) => {
    const entra = await startTokenIssuer([]);
    entra.publications.keys = json({ keys: [{ ...own.jwk, issuer: bind(entra.origin) }] });
    const strict = await startGate({ origin: entra.origin, tenant: 'organizations' });
    await strict.keys.refresh();
    const sent = signText(JSON.stringify({ ...v2, iss: `${entra.origin}/${HOME_TENANT_ID}/v2.0` }), own);
    const verdict = await strict.call(sent);
    await Promise.all([strict.close(), entra.close()]);
    expect(verdict).toMatchObject(expected);
  });

  it('bound to an empty issuer may sign for nobody, also where there is no document for v1', async () => {
    const entra = await startTokenIssuer([{ ...own.jwk, issuer: '' }]);
    entra.publications.v1 = { status: 404, body: '' };
    const strict = await startGate({ origin: entra.origin });
    await strict.keys.refresh();
    const verdict = await strict.call(
      signText(JSON.stringify({ ...v2, iss: `${entra.origin}/${HOME_TENANT_ID}/v2.0` }), own),
    );
    await Promise.all([strict.close(), entra.close()]);
    expect(verdict).toEqual({ code: 'invalid_token' });
  });
});
