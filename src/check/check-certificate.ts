import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { CredentialSettings } from '../exchange/client-credential.ts';
import { fail, pass, warn, type Row } from './row.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Milliseconds in which to get and upload a new certificate without haste. */
const SOON_MS = 30 * DAY_MS;

const CHECK = 'credential: certificate';

/**
 * Checks how long the gateway's certificate is still valid; other credentials get no row.
 *
 * @param now milliseconds since the epoch
 */
export async function checkCertificate({ certificate }: CredentialSettings, now: number): Promise<Row[]> {
  const pem = certificate && (await readFile(certificate.cert).catch(() => undefined));
  // The row of the credential reports a file that can no longer be read.
  return pem === undefined ? [] : [judgeValidity(new X509Certificate(pem), now)];
}

function judgeValidity({ validFrom, validTo }: X509Certificate, now: number): Row {
  const start = Date.parse(validFrom);
  const end = Date.parse(validTo);
  const advice = {
    reason: 'Entra refuses every exchange when the certificate is outside its validity',
    remedy: 'upload a new certificate to the app registration, then replace both files; no restart is needed',
    key: 'identity.credential.certificate',
  };
  if (now < start) {
    return fail(CHECK, `valid only from ${toDate(start)} on`, advice);
  }
  if (now > end) {
    return fail(CHECK, `expired on ${toDate(end)}`, advice);
  }
  const found = `valid until ${toDate(end)}`;
  return end - now < SOON_MS ? warn(CHECK, found, advice) : pass(CHECK, found);
}

function toDate(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
