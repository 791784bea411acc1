import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startEmulator } from '../../dev/emulator/emulator.ts';
import { HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import { fetchSigningKeys, SigningKeys, type KeyChange } from '../../src/auth/signing-keys.ts';
import { Authority, type TokenVersion } from '../../src/entra/authority.ts';
import { EntraHttpClient } from '../../src/entra/http-client.ts';
import { GatewayError } from '../../src/failures.ts';
import { Clock } from '../support/token-clock.ts';
import { until } from '../support/gateway-poll.ts';
import { json, makeIssuerKey, startTokenIssuer, type Publications } from '../support/token-issuer.ts';

const HOUR = 60 * 60 * 1_000;

const emulator = await startEmulator();
const http = new EntraHttpClient(10_000);
/** For an Entra that never answers. */
const hasty = new EntraHttpClient(300);
afterAll(async () => {
  http.close();
  hasty.close();
  await emulator.close();
});
beforeEach(() => emulator.resetSwitches());

const silent = { warn: () => {} };

const { jwk: good, kid: goodKid } = makeIssuerKey();

/** Keys that know nothing yet. */
function newKeys(origin = emulator.origin, client = http): { readonly keys: SigningKeys; readonly clock: Clock } {
  const clock = new Clock();
  const authority = new Authority(origin, HOME_TENANT_ID);
  return { clock, keys: new SigningKeys({ authority, http: client, monotonicMs: clock.monotonicMs, log: silent }) };
}

/** Keys that were fetched once. */
async function loadedKeys(origin?: string): Promise<ReturnType<typeof newKeys>> {
  const fresh = newKeys(origin);
  await fresh.keys.refresh();
  return fresh;
}

/** The id of the key that was found, or the failure. */
async function look(keys: SigningKeys, kid: string, version: TokenVersion = 'v2'): Promise<string> {
  try {
    return (await keys.find(version, kid)).kid;
  } catch (error) {
    return error instanceof GatewayError ? `<${error.code}>` : String(error);
  }
}

/** How many requests for metadata or keys reach the emulator meanwhile. */
async function countRequests(task: () => Promise<unknown>): Promise<number> {
  const before = emulator.requests.length;
  await task();
  return emulator.requests.length - before;
}

/** The id of the key that the emulator signs with now. */
function currentKid(): string {
  return emulator.publishedKeyIds()[0] ?? '';
}

describe('the first load', () => {
  it('brings the keys and the issuers of both versions', async () => {
    const { keys } = await loadedKeys();
    expect({
      isReady: keys.isReady,
      v1: await look(keys, currentKid(), 'v1'),
      v2: await look(keys, currentKid(), 'v2'),
      issuers: (['v1', 'v2'] as const).map((version) => keys.issuerOf(version, HOME_TENANT_ID)),
    }).toEqual({
      isReady: true,
      v1: currentKid(),
      v2: currentKid(),
      issuers: [`${emulator.origin}/v1/${HOME_TENANT_ID}/`, `${emulator.origin}/${HOME_TENANT_ID}/v2.0`],
    });
  });

  it('happens with the first token when nobody asked before', async () => {
    const { keys } = newKeys();
    expect([keys.isReady, await look(keys, currentKid()), keys.isReady]).toEqual([false, currentKid(), true]);
  });

  it('is one fetch for fifty tokens at once', async () => {
    const { keys } = newKeys();
    const requests = await countRequests(() =>
      Promise.all(Array.from({ length: 50 }, () => keys.find('v2', currentKid()))),
    );
    expect(requests).toBe(2);
  });

  it('is tried again on its own until it succeeds', async () => {
    emulator.switches.keys = 'down';
    const { keys } = newKeys();
    const loaded = new Promise<void>((resolve) => {
      const stop = emulator.onRequest(({ path, status }) => {
        emulator.switches.keys = 'up';
        if (status === 200 && path.endsWith('/keys')) {
          stop();
          resolve();
        }
      });
    });
    keys.start([1, 1, 1]);
    await loaded;
    keys.stop();
    expect(await look(keys, currentKid())).toBe(currentKid());
  });
});

describe('when the keys of one version are there and those of the other cannot be fetched', () => {
  it('the missing keys are fetched again without a request', async () => {
    const entra = await startTokenIssuer([good]);
    const { v2 } = entra.publications;
    entra.publications.v2 = { status: 407, body: '' };
    const { keys } = newKeys(entra.origin);
    keys.start([1, 1]);
    await until('the keys of version 1 are there', () => keys.isReady);
    entra.publications.v2 = v2;
    await until('the issuer of version 2 is known', () => keys.issuerOf('v2', HOME_TENANT_ID) !== '');
    keys.stop();
    await entra.close();
  });
});

describe('while there are no keys at all', () => {
  it.each(['down', 'hang'] as const)('a token is answered 503 and not 401, Entra being %s', async (state) => {
    emulator.switches.keys = state;
    const { keys } = newKeys(emulator.origin, hasty);
    const noted = new Promise<unknown>((resolve) => {
      const stop = emulator.onRequest((request) => {
        stop();
        resolve(request);
      });
    });
    expect([await look(keys, currentKid()), keys.isReady]).toEqual(['<identity_unavailable>', false]);
    await noted;
  });

  it('Entra is asked at most once a second, and tokens are accepted as soon as it is back', async () => {
    emulator.switches.keys = 'down';
    const { keys, clock } = newKeys();
    const answers: [number, string][] = [];
    for (const pause of [0, 0, 999, 1]) {
      clock.advance(pause);
      const before = emulator.requests.length;
      const answer = await look(keys, currentKid());
      answers.push([emulator.requests.length - before, answer]);
    }
    emulator.switches.keys = 'up';
    clock.advance(1_000);
    expect([...answers, await look(keys, currentKid())]).toEqual([
      [1, '<identity_unavailable>'],
      [0, '<identity_unavailable>'],
      [0, '<identity_unavailable>'],
      [1, '<identity_unavailable>'],
      currentKid(),
    ]);
  });

  it('a firewall that answers 403 for every document is an outage, not a bad token', async () => {
    const entra = await startTokenIssuer([]);
    const forbidden = { status: 403, body: 'blocked by policy' };
    Object.assign(entra.publications, { v1: forbidden, v2: forbidden });
    const { keys } = await loadedKeys(entra.origin);
    const answer = await look(keys, 'any');
    await entra.close();
    expect(answer).toBe('<identity_unavailable>');
  });
});

describe('an outage after the first load', () => {
  it('leaves the last good keys in use, however long it lasts', async () => {
    const { keys, clock } = await loadedKeys();
    emulator.switches.keys = 'down';
    for (let hour = 0; hour < 48; hour += 1) {
      clock.advance(HOUR);
      await keys.refresh();
    }
    expect([keys.isReady, await look(keys, currentKid())]).toEqual([true, currentKid()]);
  });

  it('is reported with the address, the reason and what is kept', async () => {
    const warnings: object[] = [];
    const log = { warn: (fields: object) => warnings.push(fields) };
    const authority = new Authority(emulator.origin, HOME_TENANT_ID);
    const keys = new SigningKeys({ authority, http, monotonicMs: () => 0, log });
    await keys.refresh();
    emulator.switches.keys = 'down';
    await keys.refresh();
    expect(warnings).toContainEqual({
      url: `${emulator.origin}/${HOME_TENANT_ID}/v2.0/.well-known/openid-configuration`,
      reason: expect.stringContaining('503'),
      kept: emulator.publishedKeyIds().length,
    });
  });
});

describe('an unknown kid', () => {
  it('makes the gateway ask Entra once in 30 seconds, however many tokens come', async () => {
    const { keys, clock } = await loadedKeys();
    const counts = [];
    for (const pause of [0, 0, 29_999, 1]) {
      clock.advance(pause);
      counts.push(await countRequests(async () => [await look(keys, 'nobody'), await look(keys, 'nobody else')]));
    }
    expect(counts).toEqual([2, 0, 0, 2]);
  });

  it('makes the gateway ask Entra once when fifty tokens come at the same time', async () => {
    const { keys } = await loadedKeys();
    const strangers = Array.from({ length: 50 }, (_, index) => look(keys, `stranger ${index}`));
    expect(await countRequests(() => Promise.all(strangers))).toBe(2);
  });

  it('makes its token invalid, and does not affect good tokens', async () => {
    const { keys } = await loadedKeys();
    const requests = await countRequests(() => look(keys, 'nobody'));
    expect([requests, await look(keys, 'nobody'), await look(keys, currentKid())]).toEqual([
      2,
      '<invalid_token>',
      currentKid(),
    ]);
  });

  it('does not make the gateway ask again at once when the keys cannot be fetched', async () => {
    const { keys } = await loadedKeys();
    emulator.switches.keys = 'down';
    const counts = [await countRequests(() => look(keys, 'nobody')), await countRequests(() => look(keys, 'nobody'))];
    expect(counts).toEqual([1, 0]);
  });
});

describe('when Entra rolls its keys', () => {
  it('the new key is found without a restart', async () => {
    const { keys } = await loadedKeys();
    const old = currentKid();
    await emulator.rollKeys();
    expect([await look(keys, currentKid()), await look(keys, old)]).toEqual([currentKid(), old]);
  });

  it('a key that stays remains the very same, so that its sessions live on', async () => {
    const { keys } = await loadedKeys();
    const key = await keys.find('v2', currentKid());
    await emulator.rollKeys();
    await keys.refresh();
    expect([(await keys.find('v2', key.kid)) === key, key.retired]).toEqual([true, false]);
  });

  it('a key that left is retired and found no more', async () => {
    const { keys } = await loadedKeys();
    const key = await keys.find('v2', currentKid());
    await emulator.rollKeys({ keepOld: false });
    await keys.refresh();
    expect([key.retired, await look(keys, key.kid)]).toEqual([true, '<invalid_token>']);
  });

  it('a key that is replaced under its old id is retired as well', async () => {
    const kid = 'the same';
    const entra = await startTokenIssuer([makeIssuerKey({ kid }).jwk]);
    const { keys } = await loadedKeys(entra.origin);
    const key = await keys.find('v2', kid);
    entra.publications.keys = json({ keys: [makeIssuerKey({ kid }).jwk] });
    await keys.refresh();
    const next = await keys.find('v2', kid);
    await entra.close();
    expect([key.retired, next.retired, next === key]).toEqual([true, false, false]);
  });
});

/** How Entra itself refuses. */
function entraError(error: string, code: number): string {
  return JSON.stringify({ error, error_codes: [code] });
}

/** Whether there are keys, and what becomes of a v2 token and of a v1 token, with that document for v1. */
async function lookAtBoth(v1: Publications['v1']): Promise<unknown[]> {
  const entra = await startTokenIssuer([good]);
  entra.publications.v1 = v1;
  const { keys } = await loadedKeys(entra.origin);
  const answers = [keys.isReady, (await look(keys, goodKid, 'v2')) === goodKid, await look(keys, goodKid, 'v1')];
  await entra.close();
  return answers;
}

describe('an authority without a document for v1', () => {
  it.each([
    { status: 404, body: 'not found' },
    { status: 400, body: entraError('invalid_tenant', 90002) },
    { status: 400, body: entraError('invalid_request', 90002) },
    { status: 400, body: entraError('invalid_request', 900023) },
  ])('serves v2 tokens and refuses v1 tokens as invalid: $status $body', async (reply) => {
    expect(await lookAtBoth(reply)).toEqual([true, true, '<invalid_token>']);
  });

  it.each([
    { status: 400, body: '<html>Bad request</html>' },
    { status: 400, body: 'null' },
    { status: 400, body: entraError('invalid_request', 900144) },
    { status: 401, body: '' },
    { status: 403, body: 'blocked by policy' },
    { status: 403, body: entraError('invalid_tenant', 90002) },
    { status: 405, body: '' },
    { status: 407, body: 'Proxy authentication required' },
    { status: 410, body: '' },
    { status: 429, body: '' },
    { status: 451, body: '' },
    { status: 200, body: '<html>Sign in to the network</html>' },
    { status: 302, body: '' },
    { status: 503, body: '' },
  ])('is not assumed when a proxy or firewall keeps the document back: $status $body', async (reply) => {
    expect(await lookAtBoth(reply)).toEqual([true, true, '<identity_unavailable>']);
  });

  it('is not assumed when only its keys are missing', async () => {
    const entra = await startTokenIssuer([good]);
    entra.publications.v1 = json({ issuer: 'i', jwks_uri: `${entra.origin}/v1/.well-known/keys` });
    entra.publications.keys = { status: 404, body: '' };
    const { keys } = await loadedKeys(entra.origin);
    const answer = await look(keys, goodKid, 'v1');
    await entra.close();
    expect(answer).toBe('<identity_unavailable>');
  });
});

describe('an answer that is no key set', () => {
  const huge = 'x'.repeat(2 * 1024 * 1024);
  const cases: { what: string; change: (origin: string) => Partial<Publications> }[] = [
    { what: 'metadata that is no JSON', change: () => ({ v2: { body: '<html>' } }) },
    { what: 'metadata that is null', change: () => ({ v2: json(null) }) },
    { what: 'metadata without jwks_uri', change: (origin) => ({ v2: json({ issuer: origin }) }) },
    { what: 'metadata without an issuer', change: (origin) => ({ v2: json({ jwks_uri: `${origin}/keys` }) }) },
    { what: 'metadata that is too large', change: () => ({ v2: json({ huge }) }) },
    { what: 'a jwks_uri that is no address', change: () => ({ v2: json({ issuer: 'i', jwks_uri: 'keys' }) }) },
    {
      what: 'a jwks_uri that is not https',
      change: () => ({ v2: json({ issuer: 'i', jwks_uri: 'http://192.0.2.1/keys' }) }),
    },
    {
      what: 'metadata that redirect',
      change: (origin) => ({ v2: { status: 302, headers: { location: `${origin}/elsewhere` }, body: '' } }),
    },
    {
      what: 'keys that redirect',
      change: (origin) => ({ keys: { status: 307, headers: { location: `${origin}/elsewhere` }, body: '' } }),
    },
    { what: 'keys that are no JSON', change: () => ({ keys: { body: 'keys' } }) },
    { what: 'keys that are an array', change: () => ({ keys: json([good]) }) },
    { what: 'no keys', change: () => ({ keys: json({ keys: [] }) }) },
    { what: 'keys in an object', change: () => ({ keys: json({ keys: { [goodKid]: good } }) }) },
    { what: 'keys that are null, text and numbers', change: () => ({ keys: json({ keys: [null, 'x', 1, []] }) }) },
    { what: 'keys that are too large', change: () => ({ keys: json({ keys: [good], huge }) }) },
    { what: 'a server error', change: () => ({ keys: { status: 500, body: JSON.stringify({ keys: [good] }) } }) },
    {
      what: 'only elliptic keys',
      change: () => ({ keys: json({ keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: goodKid }] }) }),
    },
    { what: 'only keys for encryption', change: () => ({ keys: json({ keys: [{ ...good, use: 'enc' }] }) }) },
    { what: 'only keys of another algorithm', change: () => ({ keys: json({ keys: [{ ...good, alg: 'RS512' }] }) }) },
    {
      what: 'only keys that may not verify',
      change: () => ({ keys: json({ keys: [{ ...good, key_ops: ['encrypt'] }] }) }),
    },
    { what: 'only shared secrets', change: () => ({ keys: json({ keys: [{ kty: 'oct', k: 'AA', kid: goodKid }] }) }) },
    { what: 'a key without a kid', change: () => ({ keys: json({ keys: [{ ...good, kid: undefined }] }) }) },
    { what: 'a key whose kid is a number', change: () => ({ keys: json({ keys: [{ ...good, kid: 1 }] }) }) },
    { what: 'a key without a modulus', change: () => ({ keys: json({ keys: [{ ...good, n: undefined }] }) }) },
  ];

  it.each(cases)('$what: gives no keys at first, and removes none later', async ({ change }) => {
    const entra = await startTokenIssuer([good]);
    const honest = { ...entra.publications };
    Object.assign(entra.publications, change(entra.origin));
    const { keys, clock } = newKeys(entra.origin);
    const answers = [await look(keys, goodKid)];
    Object.assign(entra.publications, honest);
    clock.advance(1_000);
    answers.push(await look(keys, goodKid));
    Object.assign(entra.publications, change(entra.origin));
    await keys.refresh();
    answers.push(await look(keys, goodKid));
    await entra.close();
    expect([...answers, entra.requests.includes('/elsewhere')]).toEqual([
      '<identity_unavailable>',
      goodKid,
      goodKid,
      false,
    ]);
  });
});

/** A public key of this size and exponent, as base64url; nobody has to sign with it. */
function weak(changes: { readonly bits?: number; readonly e?: string }): object {
  const { n } = generateKeyPairSync('rsa', { modulusLength: changes.bits ?? 2_048 }).publicKey.export({
    format: 'jwk',
  });
  return { kty: 'RSA', use: 'sig', kid: 'weak', n, e: changes.e ?? 'AQAB' };
}

describe('a key that must not verify tokens', () => {
  it.each([
    { what: 'of 1,024 bits', key: weak({ bits: 1_024 }), reason: 'it has 1024 bits, and RS256 needs 2048' },
    { what: 'of 2,047 bits', key: weak({ bits: 2_047 }), reason: 'it has 2047 bits, and RS256 needs 2048' },
    { what: 'with the exponent 1', key: weak({ e: 'AQ' }), reason: 'its exponent is even or less than 3' },
    {
      what: 'with the exponent 1 in many digits',
      key: weak({ e: 'AAAAAAAB' }),
      reason: expect.stringContaining('even'),
    },
    { what: 'with an even exponent', key: weak({ e: 'AQAA' }), reason: 'its exponent is even or less than 3' },
    { what: 'with the exponent 0', key: weak({ e: 'AA' }), reason: 'its exponent is even or less than 3' },
    { what: 'for encryption', key: { ...good, kid: 'weak', use: 'enc' }, reason: 'its use is not sig' },
    {
      what: 'that only encrypts',
      key: { ...good, kid: 'weak', key_ops: ['wrapKey'] },
      reason: 'its key_ops lack verify',
    },
    {
      what: 'whose key_ops are no list',
      key: { ...good, kid: 'weak', key_ops: 'verify' },
      reason: 'its key_ops lack verify',
    },
    { what: 'of PS256', key: { ...good, kid: 'weak', alg: 'PS256' }, reason: 'its alg is not RS256' },
    { what: 'that cannot be read', key: { ...good, kid: 'weak', n: 5 }, reason: 'it cannot be read' },
  ])('$what is ignored and logged once; its neighbours are used', async ({ key, reason }) => {
    const entra = await startTokenIssuer([good]);
    entra.publications.keys = json({ keys: [key, good] });
    entra.publications.v1 = { status: 404, body: '' };
    const warnings: object[] = [];
    const keys = new SigningKeys({
      authority: new Authority(entra.origin, HOME_TENANT_ID),
      http,
      monotonicMs: () => performance.now(),
      log: { warn: (fields) => warnings.push(fields) },
    });
    await keys.refresh();
    await keys.refresh();
    const found = [await look(keys, 'weak'), await look(keys, goodKid)];
    await entra.close();
    expect([found, warnings.filter((fields) => 'kid' in fields)]).toEqual([
      ['<invalid_token>', goodKid],
      [{ url: expect.stringContaining('/v2.0/'), kid: 'weak', reason }],
    ]);
  });

  it('is named when the set has no other key', async () => {
    const entra = await startTokenIssuer([]);
    entra.publications.keys = json({ keys: [weak({ e: 'AQ' })] });
    const failure = fetchSigningKeys(http, `${entra.origin}/t/v2.0/.well-known/openid-configuration`);
    await expect(failure).rejects.toThrow(/^the key set has no usable key; weak is ignored: its exponent/);
    await entra.close();
  });

  it.each([
    ['of 3,072 bits', weak({ bits: 3_072 })],
    ['with the exponent 3', weak({ e: 'Aw' })],
    ['that may verify', { ...good, kid: 'weak', key_ops: ['verify'] }],
    ['that does not say what it is for', { ...good, kid: 'weak', use: undefined }],
  ])('does not mean one %s, which is used', async (_what, key) => {
    const entra = await startTokenIssuer([]);
    entra.publications.keys = json({ keys: [key] });
    const { keys } = await loadedKeys(entra.origin);
    const found = await look(keys, 'weak');
    await entra.close();
    expect(found).toBe('weak');
  });
});

describe('a key set with odd neighbours', () => {
  it.each([
    ['an elliptic key under the same id', { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: goodKid }],
    ['the same key twice', good],
    ['a key of no known kind', { kty: 'AKP', alg: 'ML-DSA-44', kid: 'new', pub: 'x' }],
    ['null', null],
  ])('%s: the good key stays good over every refresh', async (_what, neighbour) => {
    const entra = await startTokenIssuer([good]);
    entra.publications.keys = json({ keys: [neighbour, good, neighbour] });
    const { keys } = await loadedKeys(entra.origin);
    const key = await keys.find('v2', goodKid);
    await keys.refresh();
    await entra.close();
    expect([key.retired, (await keys.find('v2', goodKid)) === key]).toEqual([false, true]);
  });

  it('two keys under one id do not end each other’s sessions at every refresh', async () => {
    const other = makeIssuerKey({ kid: goodKid });
    const entra = await startTokenIssuer([good, other.jwk]);
    const { keys } = await loadedKeys(entra.origin);
    const key = await keys.find('v2', goodKid);
    await keys.refresh();
    await entra.close();
    expect(key.retired).toBe(false);
  });
});

describe('what changed about the keys', () => {
  it('is told for each version: the first keys, and then every change, and nothing else', async () => {
    const next = makeIssuerKey();
    const entra = await startTokenIssuer([good]);
    const authority = new Authority(entra.origin, HOME_TENANT_ID);
    const changes: KeyChange[] = [];
    const onChange = (change: KeyChange): void => void changes.push(change);
    const keys = new SigningKeys({ authority, http, monotonicMs: () => 0, log: silent, onChange });
    for (const published of [[good], [good], [good, next.jwk], [next.jwk], [makeIssuerKey({ kid: next.kid }).jwk]]) {
      entra.publications.keys = json({ keys: published });
      await keys.refresh();
    }
    await entra.close();
    for (const version of ['v1', 'v2'] as const) {
      const own = changes.filter(({ url }) => url === authority.metadataUrl(version));
      expect(own.map(({ added, removed }) => [added, removed])).toEqual([
        [[goodKid], []],
        [[next.kid], []],
        [[], [goodKid]],
        [[next.kid], [next.kid]],
      ]);
    }
  });
});

describe('the age of the keys', () => {
  it('begins with the start, and again with every fetch that succeeds', async () => {
    const { keys, clock } = newKeys();
    const ages = [];
    clock.advance(5_000);
    ages.push(keys.ageMs);
    await keys.refresh();
    ages.push(keys.ageMs);
    clock.advance(HOUR);
    emulator.switches.keys = 'down';
    await keys.refresh();
    ages.push(keys.ageMs);
    expect(ages).toEqual([5_000, 0, HOUR]);
  });
});
