import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseJsonObject } from '../syntax/json.ts';
import type { CredentialSettings } from './client-credential.ts';

/** When a credential ends. */
export interface CredentialExpiry {
  /** Its key in gateway.yaml, by which alerts tell a certificate from a token that is replaced every hour. */
  readonly key: string;
  /** Seconds since the epoch. */
  readonly seconds: number;
}

/**
 * Reads when the gateway's own credential ends: a certificate, or the federated token in a file, as the file is now.
 *
 * @returns `undefined` where nobody says: for secrets and managed identities, and for a file that cannot be read
 */
export async function readCredentialExpiry(settings: CredentialSettings): Promise<CredentialExpiry | undefined> {
  const { certificate, federatedTokenFile } = settings;
  try {
    if (certificate !== undefined) {
      const { validTo } = new X509Certificate(await readFile(certificate.cert));
      return expiryOf('certificate', toTime(Date.parse(validTo) / 1_000));
    }
    if (federatedTokenFile !== undefined) {
      return expiryOf('federatedTokenFile', readExpiry(await readFile(federatedTokenFile, 'utf8')));
    }
  } catch {
    // Whoever uses the file reports it; here it only means that nobody knows.
  }
  return undefined;
}

function expiryOf(key: keyof CredentialSettings, seconds: number | undefined): CredentialExpiry | undefined {
  return seconds === undefined ? undefined : { key: `identity.credential.${key}`, seconds };
}

/**
 * The `exp` of a JSON Web Token. Nothing is decided by it, so its signature does not matter.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4
 */
function readExpiry(token: string): number | undefined {
  const [, payload = ''] = token.split('.');
  const { exp } = parseJsonObject(Buffer.from(payload, 'base64url').toString()) ?? {};
  return toTime(exp);
}

/** The end of the year 9999, the last second that a calendar can name in four digits. */
const MAX_TIME_SECONDS = 253_402_300_799;

function toTime(seconds: unknown): number | undefined {
  return typeof seconds === 'number' && seconds > 0 && seconds <= MAX_TIME_SECONDS ? seconds : undefined;
}
