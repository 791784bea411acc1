import { X509Certificate } from 'node:crypto';

/** Where a certificate begins, by any of the names that OpenSSL knows. */
const BEGIN = /(?=-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----)/;

/**
 * Reads every certificate of a PEM text, and nothing else in it.
 *
 * @throws when there is none, or when one of them cannot be read
 */
export function readCertificates(pem: string): readonly X509Certificate[] {
  const certificates = pem
    .split(BEGIN)
    .filter((part) => /^-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/.test(part))
    .map((part) => new X509Certificate(part));
  if (certificates.length === 0) {
    throw new Error('no certificate');
  }
  return certificates;
}
