import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The paths of a certificate and its key, both PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Certificates that end with the test, made with openssl; `undefined` where there is none. */
export interface CertificateAuthority {
  /** The path of the authority's own certificate. */
  readonly ca: string;
  /** Makes a certificate for a name. */
  issue(name: string): Certificate;
}

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'ignore' });
}

function newKey(file: string): readonly string[] {
  return ['-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-keyout', file];
}

/** Makes an authority in a folder, with a name of its own. */
export function makeAuthority(folder: string, name: string): CertificateAuthority | undefined {
  const path = (file: string): string => join(folder, file);
  const own = { cert: path(`${name}.pem`), key: path(`${name}.key`) };
  try {
    openssl('req', '-x509', '-days', '1', '-subj', `/CN=${name}`, '-out', own.cert, ...newKey(own.key));
  } catch {
    return undefined;
  }
  return {
    ca: own.cert,
    issue(subject) {
      const base = path(`${name}-${subject}`);
      const made = { cert: `${base}.pem`, key: `${base}.key` };
      openssl('req', '-new', '-subj', `/CN=${subject}`, '-out', `${base}.csr`, ...newKey(made.key));
      writeFileSync(`${base}.ext`, `subjectAltName=DNS:${subject}\n`);
      const signing = ['-CA', own.cert, '-CAkey', own.key, '-CAcreateserial', '-days', '1', '-extfile', `${base}.ext`];
      openssl('x509', '-req', '-in', `${base}.csr`, '-out', made.cert, ...signing);
      return made;
    },
  };
}

/** The texts of a certificate and its key, as servers take them. */
export function readCertificate({ cert, key }: Certificate): { readonly cert: string; readonly key: string } {
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}
