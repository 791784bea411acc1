import { createPublicKey, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeProtectedHeader } from 'jose';
import { startEmulator } from '../../dev/emulator/emulator.ts';
import { describeCertificate, findApp } from '../../dev/emulator/world-model.ts';
import { GATEWAY_CLIENT_ID, HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import { listenOnLoopback } from '../../dev/loopback-server.ts';
import {
  createCredentialSource,
  type CredentialSettings,
  type CredentialSource,
} from '../../src/exchange/client-credential.ts';
import { ExchangeRefused } from '../../src/exchange/exchange-refused.ts';
import type { Refusal } from '../../src/exchange/refusal.ts';
import { selfSigned, type CertificateFiles } from '../support/token-certificate.ts';
import { openDesk, type Desk } from '../support/token-exchange.ts';
import { metadataToken, startInstanceMetadata } from '../support/token-imds.ts';
import { makeIssuerKey, signText } from '../support/token-issuer.ts';

const AUDIENCE = 'api://AzureADTokenExchange';

const emulator = await startEmulator();
const metadata = await startInstanceMetadata();
const folder = mkdtempSync(join(tmpdir(), 'credential-source-'));
const registration = findApp(emulator.world, 'gateway');
const desks: Desk[] = [];

afterAll(async () => {
  for (const desk of desks) {
    desk.close();
  }
  rmSync(folder, { recursive: true });
  await Promise.all([emulator.close(), metadata.close()]);
});

/** Old and new credentials, made once: keys take their time. */
const old = selfSigned('old');
const next = selfSigned('next');
beforeEach(() => {
  registration?.certificates.splice(0, Infinity, describeCertificate(old.cert), describeCertificate(next.cert));
});

/** The path of a file that does not exist yet. */
function newPath(): string {
  return join(folder, randomUUID());
}

/** Writes a file as whoever renews credentials does: there is never half of it. */
function replaceFile(path: string, content: string): void {
  const draft = newPath();
  writeFileSync(draft, content);
  renameSync(draft, path);
}

/** Puts a certificate and its key where an operator has them. */
function layDown(pair: CertificateFiles): CertificateFiles {
  const paths = { cert: newPath(), key: newPath() };
  replaceFile(paths.cert, pair.cert);
  replaceFile(paths.key, pair.key);
  return paths;
}

/** A way to exchange tokens with a credential, and what comes of it. */
interface Exchanger {
  /** The refusal, or `undefined` for a token. */
  readonly exchange: () => Promise<Refusal | undefined>;
}

/** Sets up exchanges against an Entra; by default the emulator. */
function exchangeWith(credential: CredentialSource | CredentialSettings, origin = emulator.origin): Exchanger {
  const source = typeof credential === 'function' ? credential : createCredentialSource(credential, AUDIENCE);
  const desk = openDesk({ origin, credential: source });
  desks.push(desk);
  const request = {
    assertion: emulator.issueAccessToken({ user: 'adele' }),
    tenantId: HOME_TENANT_ID,
    scopes: ['https://graph.microsoft.com/User.Read'],
    claims: '',
    handlesClaims: false,
    correlationId: randomUUID(),
  };
  return {
    exchange: async () => {
      try {
        await desk.client.onBehalfOf(request);
        return undefined;
      } catch (error) {
        if (error instanceof ExchangeRefused) {
          return error.refusal;
        }
        throw error;
      }
    },
  };
}

/** Which of the certificates an assertion names. */
function whose(thumbprint: unknown): string {
  const pair = { old, next };
  const names = ['old', 'next'] as const;
  return names.find((name) => describeCertificate(pair[name].cert).thumbprintSha256 === thumbprint) ?? 'unknown';
}

/** The certificates of all token requests since then. */
function signersSince(start: number): string[] {
  return emulator.exchanges.slice(start).map(({ clientAssertion }) => whose(clientAssertion?.header['x5t#S256']));
}

/** An Entra that answers as it is told, and the forms that it got. */
async function withEntra(
  answer: (count: number) => { readonly status: number; readonly body: object },
  play: (origin: string, forms: Record<string, string>[]) => Promise<void>,
): Promise<void> {
  const forms: Record<string, string>[] = [];
  const entra = await listenOnLoopback({}, () => async (req, res) => {
    forms.push(Object.fromEntries(new URLSearchParams(await text(req))));
    const { status, body } = answer(forms.length);
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  try {
    await play(entra.origin, forms);
  } finally {
    await entra.close();
  }
}

const GOOD = { status: 200, body: { token_type: 'Bearer', access_token: 'opaque', expires_in: 3600 } };

/** Entra's refusal of a client with a code. */
function refuse(code: number): { readonly status: number; readonly body: object } {
  return { status: 401, body: { error: 'invalid_client', error_codes: [code] } };
}

describe('a certificate whose files are replaced', () => {
  it.each([
    { how: 'both at once', steps: [['cert', 'key']] as const, signers: ['old', 'next'] },
    { how: 'the certificate first', steps: [['cert'], ['key']] as const, signers: ['old', 'old', 'next'] },
    { how: 'the key first', steps: [['key'], ['cert']] as const, signers: ['old', 'old', 'next'] },
  ])('proves the next exchange with the new one, without a restart: $how', async ({ steps, signers }) => {
    const paths = layDown(old);
    const { exchange } = exchangeWith({ certificate: paths });
    const start = emulator.exchanges.length;
    const refusals = [await exchange()];
    for (const files of steps) {
      for (const file of files) {
        replaceFile(paths[file], next[file]);
      }
      refusals.push(await exchange());
    }
    expect([refusals.filter(Boolean), signersSince(start)]).toEqual([[], signers]);
  });

  it.each([
    { what: 'the certificate is gone', damage: ({ cert }: CertificateFiles) => rmSync(cert) },
    { what: 'the key is gone', damage: ({ key }: CertificateFiles) => rmSync(key) },
    { what: 'the certificate is empty', damage: ({ cert }: CertificateFiles) => replaceFile(cert, '') },
    { what: 'the key is no PEM', damage: ({ key }: CertificateFiles) => replaceFile(key, 'key') },
    {
      what: 'the certificate is cut off',
      damage: ({ cert }: CertificateFiles) => replaceFile(cert, old.cert.slice(0, 300)),
    },
  ])('stays in use while $what, and the new one is found afterwards', async ({ damage }) => {
    const paths = layDown(old);
    const { exchange } = exchangeWith({ certificate: paths });
    const start = emulator.exchanges.length;
    const refusals = [await exchange()];
    damage(paths);
    refusals.push(await exchange());
    replaceFile(paths.cert, next.cert);
    replaceFile(paths.key, next.key);
    refusals.push(await exchange());
    expect([refusals.filter(Boolean), signersSince(start)]).toEqual([[], ['old', 'old', 'next']]);
  });
});

describe('a certificate that was never usable', () => {
  it.each([
    {
      what: 'its key is another’s',
      pair: { cert: old.cert, key: next.key },
      error: /^has a key that belongs to another one$/,
    },
    { what: 'it is no PEM', pair: { cert: 'private words', key: old.key }, error: /^cannot be read \(ERR_\w+\)$/ },
    {
      what: 'its key is no PEM',
      pair: { cert: old.cert, key: 'private words' },
      error: /^cannot be read \(ERR_\w+\)$/,
    },
  ])('is named by its key, never quoted, and Entra is not asked: $what', async ({ pair, error }) => {
    const start = emulator.exchanges.length;
    const refusal = await exchangeWith({ certificate: layDown(pair) }).exchange();
    const [key, ...fault] = refusal?.error?.split(' ') ?? [];
    expect([refusal?.class, refusal?.status, key]).toEqual(['misconfigured', 0, 'identity.credential.certificate']);
    expect(fault.join(' ')).toMatch(error);
    expect(emulator.exchanges).toHaveLength(start);
  });

  it('is found as soon as its files are there', async () => {
    const paths = { cert: newPath(), key: newPath() };
    const { exchange } = exchangeWith({ certificate: paths });
    const before = await exchange();
    replaceFile(paths.cert, old.cert);
    replaceFile(paths.key, old.key);
    expect([before?.class, await exchange()]).toEqual(['misconfigured', undefined]);
  });
});

/** A source whose files are replaced by new ones right after it was asked for the first time. */
function replacedOnTheWay(paths: CertificateFiles, pair: CertificateFiles): CredentialSource {
  const source = createCredentialSource({ certificate: paths }, AUDIENCE);
  let isFirst = true;
  return async () => {
    const credential = await source();
    if (isFirst) {
      isFirst = false;
      replaceFile(paths.cert, pair.cert);
      replaceFile(paths.key, pair.key);
    }
    return credential;
  };
}

describe('a certificate that Entra refuses', () => {
  it('after a new one arrived: the exchange is tried once more with the new one, and succeeds', async () => {
    registration?.certificates.splice(0, Infinity, describeCertificate(next.cert));
    const start = emulator.exchanges.length;
    const refusal = await exchangeWith(replacedOnTheWay(layDown(old), next)).exchange();
    expect([refusal, signersSince(start), emulator.exchanges.slice(start).map(({ errorCode }) => errorCode)]).toEqual([
      undefined,
      ['old', 'next'],
      [700027, undefined],
    ]);
  });

  it('after a new one arrived that is refused, too: there is no third try', async () => {
    registration?.certificates.splice(0, Infinity);
    const start = emulator.exchanges.length;
    const refusal = await exchangeWith(replacedOnTheWay(layDown(old), next)).exchange();
    expect([refusal?.class, refusal?.codes, signersSince(start)]).toEqual(['misconfigured', [700027], ['old', 'next']]);
  });

  it('costs one request while the files are the same', async () => {
    registration?.certificates.splice(0, Infinity);
    const start = emulator.exchanges.length;
    const refusal = await exchangeWith({ certificate: layDown(old) }).exchange();
    expect([refusal?.codes, signersSince(start)]).toEqual([[700027], ['old']]);
  });

  it('costs one request when the files were only rewritten', async () => {
    registration?.certificates.splice(0, Infinity);
    const start = emulator.exchanges.length;
    const refusal = await exchangeWith(replacedOnTheWay(layDown(old), old)).exchange();
    expect([refusal?.codes, signersSince(start)]).toEqual([[700027], ['old']]);
  });

  it.each([
    [700024, ['old', 'next']],
    [700027, ['old', 'next']],
    [1000502, ['old', 'next']],
    [7000214, ['old', 'next']],
    [7000274, ['old', 'next']],
    [7000277, ['old', 'next']],
    [7000215, ['old']],
    [7000222, ['old']],
    [700016, ['old']],
    [700213, ['old']],
  ])('with AADSTS%d after a new one arrived: Entra gets %j', async (code, signers) => {
    await withEntra(
      (count) => (count === 1 ? refuse(code) : GOOD),
      async (origin, forms) => {
        const refusal = await exchangeWith(replacedOnTheWay(layDown(old), next), origin).exchange();
        const assertions = forms.map((form) => decodeProtectedHeader(form['client_assertion'] ?? '')['x5t#S256']);
        expect([assertions.map(whose), refusal?.codes]).toEqual([signers, signers.length > 1 ? undefined : [code]]);
      },
    );
  });
});

describe('a secret that Entra refuses', () => {
  it.each([7000215, 700027])('is never tried again: AADSTS%d', async (code) => {
    await withEntra(
      () => refuse(code),
      async (origin, forms) => {
        const refusal = await exchangeWith({ secret: 'wrong' }, origin).exchange();
        expect([refusal?.class, forms.length]).toEqual(['misconfigured', 1]);
      },
    );
  });
});

const ISSUER = `https://login.microsoftonline.com/${HOME_TENANT_ID}/v2.0`;
const issuerKey = makeIssuerKey();

/** A token of another issuer for Entra's token exchange. */
function federatedToken(subject: string): string {
  const exp = Math.floor(Date.now() / 1_000) + 3_600;
  return signText(JSON.stringify({ iss: ISSUER, sub: subject, aud: AUDIENCE, jti: randomUUID(), exp }), issuerKey);
}

/** Lets the app registration accept the tokens of a subject. */
function trust(subject: string): void {
  const publicKey = createPublicKey({ key: issuerKey.jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  registration?.federatedCredentials.push({ issuer: ISSUER, subject, publicKey: publicKey.toString() });
}

/** What of a form proves the client. */
function proofOf(form: Record<string, string> = {}): Record<string, string | undefined> {
  const { client_id, client_assertion_type, client_assertion, client_secret } = form;
  return { client_id, client_assertion_type, client_assertion, client_secret };
}

/** The proof that carries an assertion. */
function assertionProof(assertion: string): ReturnType<typeof proofOf> {
  return {
    client_id: GATEWAY_CLIENT_ID,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
    client_secret: undefined,
  };
}

describe('a federated token file', () => {
  it('is read for each exchange, and Entra gets exactly its token', async () => {
    const file = newPath();
    const [first, second] = [federatedToken('pod'), federatedToken('pod')];
    await withEntra(
      () => GOOD,
      async (origin, forms) => {
        const { exchange } = exchangeWith({ federatedTokenFile: file }, origin);
        replaceFile(file, first);
        await exchange();
        replaceFile(file, `${second}\n`);
        await exchange();
        expect(forms.map(proofOf)).toEqual([assertionProof(first), assertionProof(second)]);
      },
    );
  });

  it('is accepted by an Entra that trusts its issuer, and refused by one that does not', async () => {
    const file = newPath();
    const { exchange } = exchangeWith({ federatedTokenFile: file });
    replaceFile(file, federatedToken('trusted'));
    trust('trusted');
    const accepted = await exchange();
    const stranger = federatedToken('stranger');
    replaceFile(file, stranger);
    const refused = await exchange();
    expect([accepted, refused?.class, refused?.codes]).toEqual([undefined, 'misconfigured', [700213]]);
    expect(JSON.stringify(refused)).not.toContain(stranger);
    expect(emulator.exchanges.at(-1)).toMatchObject({ credential: 'federated', status: 401 });
  });

  it.each([
    { what: 'is missing', make: () => {}, error: 'cannot be read (ENOENT)' },
    { what: 'is a folder', make: (file: string) => mkdirSync(file), error: 'cannot be read (EISDIR)' },
    { what: 'is empty', make: (file: string) => replaceFile(file, ''), error: 'is empty' },
    { what: 'has only a line break', make: (file: string) => replaceFile(file, '\n'), error: 'is empty' },
  ])('that $what is named by its key, and Entra is not asked', async ({ make, error }) => {
    const file = newPath();
    make(file);
    const start = emulator.exchanges.length;
    expect(await exchangeWith({ federatedTokenFile: file }).exchange()).toMatchObject({
      class: 'misconfigured',
      status: 0,
      error: `identity.credential.federatedTokenFile ${error}`,
    });
    expect(emulator.exchanges).toHaveLength(start);
  });

  it('that comes later is used without a restart', async () => {
    const file = newPath();
    const { exchange } = exchangeWith({ federatedTokenFile: file });
    trust('late');
    const before = await exchange();
    replaceFile(file, federatedToken('late'));
    expect([before?.class, await exchange()]).toEqual(['misconfigured', undefined]);
  });

  it.each([
    { what: 'stays the same costs one request', isReplaced: false, requests: 1 },
    { what: 'was replaced meanwhile is tried once more', isReplaced: true, requests: 2 },
  ])('whose token expired and that $what', async ({ isReplaced, requests }) => {
    const file = newPath();
    const tokens = [federatedToken('pod'), federatedToken('pod')] as const;
    replaceFile(file, tokens[0]);
    await withEntra(
      () => {
        if (isReplaced) {
          replaceFile(file, tokens[1]);
        }
        return refuse(700024);
      },
      async (origin, forms) => {
        await exchangeWith({ federatedTokenFile: file }, origin).exchange();
        expect(forms.map((form) => form['client_assertion'])).toEqual(tokens.slice(0, requests));
      },
    );
  });
});

describe('a managed identity', () => {
  it('proves the gateway by a token of the instance metadata endpoint, which is asked as Microsoft says', async () => {
    const clientId = randomUUID();
    const token = federatedToken(clientId);
    metadata.answer = metadataToken(token);
    const start = metadata.requests.length;
    await withEntra(
      () => GOOD,
      async (origin, forms) => {
        const { exchange } = exchangeWith({ managedIdentity: { clientId } }, origin);
        expect([await exchange(), forms.map(proofOf)]).toEqual([undefined, [assertionProof(token)]]);
      },
    );
    expect(metadata.requests.slice(start)).toEqual([
      {
        path: expect.stringMatching(/^\/metadata\/identity\/oauth2\/token\/?$/),
        query: { 'api-version': '2018-02-01', resource: AUDIENCE, client_id: clientId },
        headers: expect.objectContaining({ metadata: 'true' }),
      },
    ]);
  });

  it('is accepted by an Entra that trusts it, and its token is held for the next exchange', async () => {
    const clientId = randomUUID();
    trust(clientId);
    metadata.answer = metadataToken(federatedToken(clientId));
    const start = metadata.requests.length;
    const { exchange } = exchangeWith({ managedIdentity: { clientId } });
    expect([await exchange(), await exchange(), metadata.requests.length - start]).toEqual([undefined, undefined, 1]);
    expect(emulator.exchanges.at(-1)).toMatchObject({ credential: 'federated', status: 200 });
  });

  it('that Entra refuses is not tried again with the same token', async () => {
    const clientId = randomUUID();
    metadata.answer = metadataToken(federatedToken(clientId));
    await withEntra(
      () => refuse(700024),
      async (origin, forms) => {
        const refusal = await exchangeWith({ managedIdentity: { clientId } }, origin).exchange();
        expect([refusal?.class, forms.length]).toEqual(['misconfigured', 1]);
      },
    );
  });

  it('asks for a token with the audience of its cloud', async () => {
    const source = createCredentialSource({ managedIdentity: { clientId: randomUUID() } }, `${AUDIENCE}USGov`);
    metadata.answer = metadataToken(federatedToken('x'));
    await source();
    expect(metadata.requests.at(-1)?.query['resource']).toBe(`${AUDIENCE}USGov`);
  });

  const error = { error: 'invalid_request', error_description: 'Identity not found: words of the endpoint' };

  it.each([
    { when: '400', answer: { status: 400, body: error }, expected: 'misconfigured' },
    { when: '401', answer: { status: 401, body: { error: 'unknown_source' } }, expected: 'misconfigured' },
    { when: '404', answer: { status: 404, body: error }, expected: 'retry' },
    { when: '408', answer: { status: 408, body: error }, expected: 'retry' },
    { when: '410', answer: { status: 410, body: error }, expected: 'retry' },
    { when: '429', answer: { status: 429, body: error }, expected: 'retry' },
    { when: '500', answer: { status: 500, body: error }, expected: 'retry' },
    { when: '503', answer: { status: 503, body: '<html>' }, expected: 'retry' },
    { when: 'no answer', answer: 'reset' as const, expected: 'retry' },
  ])('that gets $when is $expected, is asked for once, and Entra is not asked', async ({ when, answer, expected }) => {
    metadata.answer = answer;
    const [asked, exchanged] = [metadata.requests.length, emulator.exchanges.length];
    const refusal = await exchangeWith({ managedIdentity: { clientId: randomUUID() } }).exchange();
    expect(refusal).toMatchObject({
      class: expected,
      status: 0,
      error: `identity.credential.managedIdentity got no token (${when})`,
    });
    expect([metadata.requests.length - asked, emulator.exchanges.length - exchanged]).toEqual([1, 0]);
  });

  it.each([
    { what: 'no token', body: {} },
    { what: 'an empty token', body: { access_token: '', expires_on: '9999999999' } },
    { what: 'a page', body: '<html>' },
  ])('that gets 200 with $what proves nothing, and Entra is not asked', async ({ body }) => {
    metadata.answer = { status: 200, body };
    const start = emulator.exchanges.length;
    const refusal = await exchangeWith({ managedIdentity: { clientId: randomUUID() } }).exchange();
    expect(refusal).toMatchObject({ class: 'retry', error: 'identity.credential.managedIdentity got no token (200)' });
    expect(emulator.exchanges).toHaveLength(start);
  });

  it('works again as soon as the endpoint answers', async () => {
    const clientId = randomUUID();
    trust(clientId);
    metadata.answer = { status: 500, body: error };
    const { exchange } = exchangeWith({ managedIdentity: { clientId } });
    const before = await exchange();
    metadata.answer = metadataToken(federatedToken(clientId));
    expect([before?.class, await exchange()]).toEqual(['retry', undefined]);
  });
});
