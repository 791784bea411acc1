import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Configuration } from '@azure/msal-node';

/** How the gateway proves itself to Entra, as gateway.yaml says it: exactly one of the members is there. */
export interface CredentialSettings {
  readonly secret?: string | undefined;
  /** Paths of PEM files. */
  readonly certificate?: { readonly cert: string; readonly key: string } | undefined;
}

/** The part of MSAL's configuration that holds the credential. */
export type ClientCredential = Pick<Configuration['auth'], 'clientSecret' | 'clientCertificate'>;

/**
 * Reads the credential for MSAL. A certificate signs its assertions with PS256 and names itself by `x5t#S256`; the
 * chain goes along (`x5c`), so that registrations by subject name and issuer work too.
 *
 * @throws {Error} when the files cannot be read; the configuration has read them before
 */
export function loadCredential(settings: CredentialSettings): ClientCredential {
  if (settings.certificate === undefined) {
    return { clientSecret: settings.secret ?? '' };
  }
  const chain = readFileSync(settings.certificate.cert, 'utf8');
  const certificate = new X509Certificate(chain);
  return {
    clientCertificate: {
      thumbprintSha256: certificate.fingerprint256.replaceAll(':', ''),
      privateKey: readFileSync(settings.certificate.key, 'utf8'),
      x5c: chain,
    },
  };
}
