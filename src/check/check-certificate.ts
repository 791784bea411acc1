import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { CredentialSettings } from '../exchange/client-credential.ts';
import { judgeValidity } from './judge-validity.ts';
import type { Row } from './row.ts';

const ADVICE = {
  reason: 'Entra refuses every exchange when the certificate is outside its validity',
  remedy: 'upload a new certificate to the app registration, then replace both files; no restart is needed',
  key: 'identity.credential.certificate',
};

/**
 * Checks how long the gateway's certificate is still valid; other credentials get no row.
 *
 * @param now milliseconds since the epoch
 */
export async function checkCertificate({ certificate }: CredentialSettings, now: number): Promise<Row[]> {
  const pem = certificate && (await readFile(certificate.cert).catch(() => undefined));
  // The row of the credential reports a file that can no longer be read.
  return pem === undefined ? [] : [judgeValidity('credential: certificate', new X509Certificate(pem), now, ADVICE)];
}
