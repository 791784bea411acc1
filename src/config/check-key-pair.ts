import { createPrivateKey } from 'node:crypto';
import type { ConfigFault } from '../failures.ts';
import { readCertificates } from '../syntax/pem-certificates.ts';
import { readPem } from './read-pem.ts';

/**
 * Checks a certificate and its key, as far as they are there: whether both are PEM and belong together.
 *
 * @param at the key of gateway.yaml that has them as `cert` and `key`
 */
export function checkKeyPair(
  { cert, key }: { readonly cert?: string | undefined; readonly key?: string | undefined },
  at: string,
  faults: ConfigFault[],
): void {
  const certificate =
    cert === undefined ? undefined : readPem(cert, `${at}.cert`, faults, (pem) => readCertificates(pem)[0]);
  const privateKey = key === undefined ? undefined : readPem(key, `${at}.key`, faults, (pem) => createPrivateKey(pem));
  if (certificate && privateKey && !certificate.checkPrivateKey(privateKey)) {
    faults.push({ at: `${at}.key`, message: 'does not belong to the certificate' });
  }
}
