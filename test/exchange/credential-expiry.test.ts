import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { CredentialSettings } from '../../src/exchange/client-credential.ts';
import { readCredentialExpiry, type CredentialExpiry } from '../../src/exchange/credential-expiry.ts';
import { selfSigned } from '../support/token-certificate.ts';

const folder = mkdtempSync(join(tmpdir(), 'credential-expiry-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;

function write(content: string): string {
  files += 1;
  const path = join(folder, `file-${files}`);
  writeFileSync(path, content);
  return path;
}

function jwt(claims: string): string {
  return `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(claims).toString('base64url')}.`;
}

const { cert, key } = selfSigned('gateway');
const certificate = { cert: write(cert), key: write(key) };
/** The certificates of the tests end on 2045-01-01. */
const END = Date.UTC(2045, 0, 1) / 1_000;

describe('when a credential ends', () => {
  it.each<[string, CredentialSettings, CredentialExpiry | undefined]>([
    ['a certificate', { certificate }, { key: 'identity.credential.certificate', seconds: END }],
    ['a certificate that is gone', { certificate: { cert: join(folder, 'gone'), key: certificate.key } }, undefined],
    ['a certificate that is none', { certificate: { cert: write('none'), key: certificate.key } }, undefined],
    [
      'a federated token',
      { federatedTokenFile: write(`${jwt('{"exp":1800000000}')}\n`) },
      { key: 'identity.credential.federatedTokenFile', seconds: 1_800_000_000 },
    ],
    ['a federated token without exp', { federatedTokenFile: write(jwt('{}')) }, undefined],
    ['a federated token that never ends', { federatedTokenFile: write(jwt('{"exp":1e400}')) }, undefined],
    ['a federated token that is none', { federatedTokenFile: write('none') }, undefined],
    ['an empty file', { federatedTokenFile: write('') }, undefined],
    ['a secret', { secret: 'hunter2' }, undefined],
    ['a managed identity', { managedIdentity: { clientId: 'id' } }, undefined],
  ])('%s', async (_, settings, expiry) => {
    expect(await readCredentialExpiry(settings)).toEqual(expiry);
  });
});
