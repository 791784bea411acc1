import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { HOME_TENANT_ID, PARTNER_TENANT_ID } from '../../dev/emulator/world.ts';
import { describeCertificate } from '../../dev/emulator/world-model.ts';
import { listenOnLoopback, type LoopbackServer } from '../../dev/loopback-server.ts';
import { checkCertificate } from '../../src/check/check-certificate.ts';
import { rowOf, startCheckWorld, type Changes } from './check-world.ts';
import { makeCertificate } from './make-certificate.ts';

const world = await startCheckWorld();
afterEach(() => world.emulator.resetSwitches());
afterAll(() => world.close());

const CHECK = 'Entra: credential';
const CERTIFICATE = 'identity.credential.certificate';

async function checkCredential(credential?: object, deadlineMs = 5_000) {
  const changes: Changes = credential === undefined ? {} : { identity: { credential } };
  return rowOf(await world.rowsOf(changes, { deadlineMs }), CHECK);
}

describe('a client secret', () => {
  it('is accepted', async () => {
    expect(await checkCredential()).toEqual({
      status: 'ok',
      check: CHECK,
      found: `accepted in tenant ${HOME_TENANT_ID}`,
    });
  });

  it('is tried in every tenant that is served', async () => {
    const rows = await world.rowsOf({
      identity: { tenant: 'organizations', allowedTenants: [HOME_TENANT_ID, PARTNER_TENANT_ID] },
    });
    expect(rows.filter(({ check }) => check === CHECK)).toMatchObject([
      { found: expect.stringContaining(HOME_TENANT_ID) },
      { found: expect.stringContaining(PARTNER_TENANT_ID) },
    ]);
  });

  it('is refused when it is wrong', async () => {
    expect(await checkCredential({ secret: 'not-it' })).toMatchObject({
      status: 'fail',
      found: expect.stringContaining('AADSTS7000215'),
      key: 'identity.credential.secret',
    });
  });

  it('is refused when it expired', async () => {
    world.emulator.switches.secretExpired = true;
    expect(await checkCredential()).toMatchObject({
      status: 'fail',
      found: expect.stringContaining('AADSTS7000222'),
      remedy: expect.stringContaining('new client secret'),
    });
  });

  it('is of no use for an app that is not in the tenant', async () => {
    const rows = await world.rowsOf({ identity: { clientId: '00000000-0000-4000-8000-00000000000a' } });
    expect(rowOf(rows, CHECK)).toMatchObject({
      status: 'fail',
      found: expect.stringContaining('AADSTS700016'),
      key: 'identity.clientId',
    });
  });
});

describe('a refusal of Entra', () => {
  it.each([
    ['invalid_scope', 70011],
    ['invalid_resource', 500011],
    ['invalid_grant', 65001],
    ['invalid_grant', 501_051],
    ['interaction_required', 53003],
  ])('that is not about the credential proves it: %s with %d', async (error, code) => {
    world.emulator.switches.refuse = { error, error_codes: [code] };
    expect(await checkCredential()).toMatchObject({
      status: 'ok',
      found: `accepted in tenant ${HOME_TENANT_ID}; no token for another reason: AADSTS${code} (${error})`,
    });
  });

  it.each([
    ['invalid_client', 700027, CERTIFICATE],
    ['invalid_client', 1000502, CERTIFICATE],
    ['invalid_client', 700024, 'identity.credential'],
    ['invalid_client', 700211, 'identity.credential'],
    ['invalid_client', 700212, 'identity.credential'],
    ['invalid_client', 700213, 'identity.credential'],
    ['invalid_client', 7002121, 'identity.credential'],
    ['invalid_client', 7002138, 'identity.credential'],
    ['unauthorized_client', 700016, 'identity.clientId'],
    ['invalid_client', 7000112, 'identity.clientId'],
    ['invalid_request', 90002, 'identity.tenant'],
    ['invalid_request', 90038, 'identity.authority'],
    ['invalid_client', 7_999_999, 'identity'],
    ['invalid_request', 7_999_999, 'identity'],
  ])('that is about it fails: %s with %d', async (error, code, key) => {
    world.emulator.switches.refuse = { error, error_codes: [code], status: 401 };
    expect(await checkCredential()).toMatchObject({
      status: 'fail',
      found: `refused in tenant ${HOME_TENANT_ID}: AADSTS${code} (${error})`,
      key,
    });
  });

  it.each([
    [700211, 'issuer'],
    [700212, 'audience'],
    [700213, 'subject'],
    [7002121, 'issuer, subject and audience'],
  ])('of a federated credential says what differs: %d', async (code, part) => {
    world.emulator.switches.refuse = { error: 'invalid_client', error_codes: [code], status: 401 };
    expect(await checkCredential()).toMatchObject({
      reason: expect.stringContaining('federated identity credential'),
      remedy: expect.stringContaining(part),
    });
  });

  it('shows no word that is none of OAuth', async () => {
    world.emulator.switches.refuse = { error: 'AADSTS1: a sentence', error_codes: [], status: 400 };
    expect(await checkCredential()).toMatchObject({ found: `refused in tenant ${HOME_TENANT_ID}: (status 400)` });
  });
});

describe('a token endpoint that gives no verdict', () => {
  it.each([
    ['throttled', 'warn', 'not tried: Entra throttles the gateway'],
    ['html503', 'fail', 'no usable answer (status 503)'],
    ['json500', 'fail', 'no usable answer (status 500)'],
    ['empty200', 'fail', 'no usable answer (status 200)'],
    ['garbage', 'fail', 'no usable answer (status 200)'],
    ['hang', 'fail', 'not reachable (deadline exceeded)'],
    ['reset', 'fail', 'not reachable (ECONNRESET)'],
  ] as const)('%s', async (entra, status, found) => {
    world.emulator.switches.entra = entra;
    expect(await checkCredential(undefined, entra === 'hang' ? 500 : undefined)).toMatchObject({ status, found });
  });
});

const files = { cert: world.pathOf('app.pem'), key: world.pathOf('app.key') };
const hasOpenssl = makeCertificate(files, 365);

(hasOpenssl ? describe : describe.skip)('a certificate (made with openssl)', () => {
  it('is refused until it is uploaded', async () => {
    expect(await checkCredential({ certificate: files })).toMatchObject({
      status: 'fail',
      found: expect.stringContaining('AADSTS700027'),
      remedy: expect.stringContaining('upload this certificate'),
      key: CERTIFICATE,
    });
  });

  it('is accepted when it is uploaded, and told with its end', async () => {
    world.registration.certificates.push(describeCertificate(await readFile(files.cert, 'utf8')));
    const rows = await world.rowsOf({ identity: { credential: { certificate: files } } });
    expect(rowOf(rows, CHECK)).toMatchObject({ status: 'ok' });
    expect(rowOf(rows, 'credential: certificate')).toMatchObject({
      status: 'ok',
      found: expect.stringMatching(/^valid until \d{4}-\d\d-\d\d$/),
    });
    expect(rowOf(rows, 'kind of credential')).toMatchObject({ status: 'ok', found: 'certificate' });
  });

  it('is refused when it was revoked', async () => {
    world.emulator.switches.certificateRevoked = true;
    expect(await checkCredential({ certificate: files })).toMatchObject({
      status: 'fail',
      found: expect.stringContaining('AADSTS7000214'),
    });
  });

  it.each([
    [334, 'ok', /^valid until/],
    [336, 'warn', /^valid until/],
    [366, 'fail', /^expired on/],
    [-1, 'fail', /^valid only from/],
  ])('after %d of its 365 days it is %s', async (days, status, found) => {
    const now = Date.now() + days * 24 * 60 * 60 * 1_000;
    expect(await checkCertificate({ certificate: files }, now)).toMatchObject([
      { status, found: expect.stringMatching(found) },
    ]);
  });
});

const ISSUER = 'https://cluster.contoso.com';
const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });

/** A token of another issuer that the registration may trust. */
function issueFederatedToken(subject: string): Promise<string> {
  return new SignJWT({ iss: ISSUER, sub: subject, aud: 'api://AzureADTokenExchange' })
    .setProtectedHeader({ alg: 'RS256' })
    .setExpirationTime('10 minutes')
    .sign(privateKey);
}

async function trust(subject: string): Promise<void> {
  world.registration.federatedCredentials.push({ issuer: ISSUER, subject, publicKey: await exportSPKI(publicKey) });
}

describe('a federated token file', () => {
  it('that is not there is named', async () => {
    expect(await checkCredential({ federatedTokenFile: './missing' })).toMatchObject({
      status: 'fail',
      found: 'identity.credential.federatedTokenFile cannot be read (ENOENT)',
      key: 'identity.credential.federatedTokenFile',
    });
  });

  it('is refused while no federated credential fits, and accepted then', async () => {
    await writeFile(world.pathOf('token'), await issueFederatedToken('pod'));
    expect(await checkCredential({ federatedTokenFile: './token' })).toMatchObject({
      status: 'fail',
      found: expect.stringContaining('AADSTS700213'),
      remedy: expect.stringContaining('federated credential'),
    });
    await trust('pod');
    expect(await checkCredential({ federatedTokenFile: './token' })).toMatchObject({ status: 'ok' });
  });

  it('that is empty is of no use', async () => {
    await writeFile(world.pathOf('empty'), '');
    expect(await checkCredential({ federatedTokenFile: './empty' })).toMatchObject({ status: 'fail' });
  });
});

describe('a managed identity', () => {
  const HOST = 'AZURE_POD_IDENTITY_AUTHORITY_HOST';
  const answers: RequestListener[] = [];
  let metadata: LoopbackServer;

  // MSAL finds its metadata endpoint once in a process.
  beforeAll(async () => {
    metadata = await listenOnLoopback({}, () => (req, res) => answers.shift()?.(req, res));
    process.env[HOST] = metadata.origin;
  });
  afterAll(async () => {
    delete process.env[HOST];
    await metadata.close();
  });

  it('is accepted when its token is', async () => {
    const token = await issueFederatedToken('identity');
    await trust('identity');
    answers.push((_req, res) => {
      const expiresOn = String(Math.floor(Date.now() / 1_000) + 3_600);
      res.setHeader('content-type', 'application/json');
      res.end(JSON.stringify({ access_token: token, expires_on: expiresOn, token_type: 'Bearer' }));
    });
    const rows = await world.rowsOf({ identity: { credential: { managedIdentity: { clientId: nameIdentity('a') } } } });
    expect(rowOf(rows, CHECK)).toMatchObject({ status: 'ok' });
    expect(rowOf(rows, 'backup authentication: credential')).toMatchObject({ status: 'ok' });
  });

  it('that the machine does not have is told', async () => {
    answers.push((_req, res) => {
      res.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_request"}');
    });
    expect(await checkCredential({ managedIdentity: { clientId: nameIdentity('b') } })).toMatchObject({
      status: 'fail',
      found: 'identity.credential.managedIdentity got no token (400)',
      key: 'identity.credential.managedIdentity',
    });
  });

  it('needs a metadata endpoint that answers', async () => {
    answers.push((_req, res) => res.destroy());
    expect(await checkCredential({ managedIdentity: { clientId: nameIdentity('c') } })).toMatchObject({
      status: 'fail',
      found: 'identity.credential.managedIdentity got no token (no answer)',
      remedy: expect.stringContaining('metadata endpoint'),
    });
  });
});

/** Each its own, because MSAL keeps their tokens for the whole process. */
function nameIdentity(seed: string): string {
  return createHash('sha256')
    .update(seed)
    .digest('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}
