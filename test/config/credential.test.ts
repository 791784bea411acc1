import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { linesOf, makeConfigFolder, withKeys } from './config-folder.ts';

const folder = await makeConfigFolder();
afterAll(() => folder.remove());

const KEYS = { rsa: ['rsa:2048'], ec: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] } as const;

/** Makes `{name}.pem` and `{name}.key` in the folder; false where there is no openssl to make them with. */
function makeCertificate(name: string, kind: keyof typeof KEYS): boolean {
  const path = (ending: string): string => join(folder.path, `${name}.${ending}`);
  const subject = ['-days', '1', '-subj', '/CN=gateway', '-keyout', path('key'), '-out', path('pem')];
  try {
    execFileSync('openssl', ['req', '-x509', '-nodes', '-newkey', ...KEYS[kind], ...subject], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const CERTIFICATE = 'identity.credential.certificate';

/** gateway.yaml with this certificate, by file names relative to it. */
function withCertificate(cert: string, key: string): string {
  return withKeys({ 'identity.credential': { certificate: { cert, key } } });
}

describe('the credential', () => {
  it.each([
    [{}, 'none'],
    [{ secret: 'a', federatedTokenFile: '/t' }, 'secret and federatedTokenFile'],
    [{ secret: 'a', secretFile: '/t' }, 'secret and secretFile'],
    [{ secret: 'a', certificate: { cert: 'c', key: 'k' } }, 'secret and certificate'],
    [
      { secret: 'a', federatedTokenFile: '/t', managedIdentity: {} },
      'secret and federatedTokenFile and managedIdentity',
    ],
  ])('%j is not exactly one', async (credential, found) => {
    const faults = await folder.faultsOf(withKeys({ 'identity.credential': credential }));
    expect(linesOf(faults)).toContain(
      `identity.credential: found ${found}; allowed: exactly one of secret, secretFile, certificate, federatedTokenFile, managedIdentity`,
    );
  });
});

describe('a certificate that cannot be read', () => {
  it('needs both files', async () => {
    const faults = await folder.faultsOf(withKeys({ 'identity.credential': { certificate: { cert: 'app.pem' } } }));
    expect(linesOf(faults)).toEqual([
      `${CERTIFICATE}.key: found nothing; allowed: the path of the PEM private key of the certificate`,
    ]);
  });

  it.each(['missing.pem', 'text.pem', '.'])('is named: %s', async (file) => {
    await folder.write('text.pem', 'no certificate\n');
    const faults = await folder.faultsOf(withCertificate(file, file));
    const why = file === 'missing.pem' ? 'which does not exist' : 'which cannot be used';
    expect(linesOf(faults)).toEqual(
      ['cert', 'key'].map(
        (key) => `${CERTIFICATE}.${key}: found ${join(folder.path, file)}, ${why}; allowed: a readable PEM file`,
      ),
    );
  });
});

const hasOpenssl = makeCertificate('app', 'rsa') && makeCertificate('other', 'rsa') && makeCertificate('curve', 'ec');

(hasOpenssl ? describe : describe.skip)('a certificate and its key (made with openssl)', () => {
  it('are read, relative to gateway.yaml', async () => {
    const { identity } = await folder.load(withCertificate('app.pem', './app.key'));
    expect(identity.credential).toEqual({
      certificate: { cert: join(folder.path, 'app.pem'), key: join(folder.path, 'app.key') },
    });
  });

  it('must belong together', async () => {
    expect(linesOf(await folder.faultsOf(withCertificate('app.pem', 'other.key')))).toEqual([
      `${CERTIFICATE}.key: does not belong to the certificate`,
    ]);
  });

  it('cannot stand in for each other', async () => {
    const faults = await folder.faultsOf(withCertificate('app.key', 'app.pem'));
    expect(faults.map(({ at }) => at)).toEqual([`${CERTIFICATE}.cert`, `${CERTIFICATE}.key`]);
  });

  it('must be PEM, because Entra is sent the text of the chain', async () => {
    await folder.write('binary.pem', new X509Certificate(await readFile(join(folder.path, 'app.pem'))).raw);
    const faults = await folder.faultsOf(withCertificate('binary.pem', 'app.key'));
    expect(faults.map(({ at }) => at)).toEqual([`${CERTIFICATE}.cert`]);
  });

  it('must be RSA, because Entra takes no other signature of a client', async () => {
    const faults = await folder.faultsOf(withCertificate('curve.pem', 'curve.key'));
    expect(faults.map(({ at }) => at.startsWith(CERTIFICATE))).toEqual([true]);
  });
});

/** gateway.yaml with a wrong port and, in the place of the credential, a text that may be no YAML at all. */
function withCredentialText(text: string): string {
  return withKeys({ 'server.port': 'http' }).replace(/ credential:\n\s+secret: .*\n/, ` credential: ${text}\n`);
}

describe('a secret stands in no message', () => {
  const secret = 'hunter2';
  it.each([
    ['when another key is wrong', '{ secret: hunter2 }'],
    ['when there is a second credential', '{ secret: hunter2, federatedTokenFile: x }'],
    ['when it stands one level too high', 'hunter2'],
    ['when it is a list', '[hunter2]'],
    ['when it is a list where a text belongs', '{ secret: [hunter2] }'],
    ['when its key is misspelt', '{ secrte: hunter2 }'],
    ['when it stands under another key', '{ certificate: hunter2 }'],
    ['when it stands in the place of a file', '{ secretFile: hunter2 }'],
    ['when it stands under a key of the certificate', '{ certificate: { cert: hunter2, kee: hunter2 } }'],
    ['when a quote is missing', '{ secret: "hunter2 }'],
    ['when a brace is missing', '{ secret: hunter2'],
    ['when a colon follows', '{ secret: hunter2: x }'],
    ['when YAML takes it for an alias', '{ secret: *hunter2 }'],
    ['when YAML takes it for a tag', '{ secret: !hunter2 }'],
    ['when YAML takes it for a directive', '{ secret: %hunter2 }'],
    ['when YAML has a reserved character before it', '{ secret: @hunter2 }'],
    ['when it is there twice', '{ secret: hunter2, secret: hunter2 }'],
    ['when the colon after its key is missing', '{ secret hunter2 }'],
  ])('%s', async (_case, credential) => {
    const faults = await folder.faultsOf(withCredentialText(credential));
    expect(linesOf(faults).filter((line) => line.includes(secret))).toEqual([]);
  });

  it.each([
    ['in the place of a credential', { 'identity.credential': '${THE_SECRET}' }],
    ['in an address', { 'downstreams.graph.baseUrl': 'ftp://user:${THE_SECRET}@a.example' }],
    ['in a number', { 'server.port': '${THE_SECRET}' }],
    ['in a list', { 'identity.tenant': ['${THE_SECRET}'] }],
  ])('that came from the environment, %s', async (_case, changes) => {
    const faults = await folder.faultsOf(withKeys(changes), { GATEWAY_CLIENT_SECRET: 'x', THE_SECRET: secret });
    expect(linesOf(faults).filter((line) => line.includes(secret))).toEqual([]);
  });
});
