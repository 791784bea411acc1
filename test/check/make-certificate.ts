import { execFileSync } from 'node:child_process';

/** The paths of a certificate for localhost, signed by itself, and its key, both PEM. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** Makes a certificate; false where there is no openssl to make it with. */
export function makeCertificate({ cert, key }: CertificateFiles, days: number): boolean {
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const files = ['-days', String(days), '-keyout', key, '-out', cert];
  try {
    execFileSync('openssl', ['req', '-x509', '-nodes', '-newkey', 'rsa:2048', ...subject, ...files], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}
