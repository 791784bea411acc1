import { readFile } from 'node:fs/promises';
import { readCertificates } from '../syntax/pem-certificates.ts';
import type { Logger } from '../telemetry/logger.ts';
import { watchExpiry } from '../telemetry/watch-expiry.ts';
import type { ListenerTlsSettings } from './listener-tls.ts';

const REMEDY = 'Put a new certificate and its key in the place of both files; no restart is needed.';

/**
 * Tells in the log when the certificate of the listener ends, as its file is now and from then on.
 *
 * @param now milliseconds since the epoch
 * @param intervalMs milliseconds between two looks; default an hour
 * @returns what ends the watch
 */
export function watchCertificate(
  { cert }: ListenerTlsSettings,
  log: Pick<Logger, 'warn'>,
  now: () => number = Date.now,
  intervalMs?: number,
): () => void {
  return watchExpiry(
    async () => ({ key: 'server.tls.cert', remedy: REMEDY, endSeconds: await readEnd(cert) }),
    log,
    now,
    intervalMs,
  );
}

/** Seconds since the epoch; `undefined` for a file that cannot be used, which the listener itself tells. */
async function readEnd(file: string): Promise<number | undefined> {
  try {
    const [certificate] = readCertificates(await readFile(file, 'utf8'));
    return certificate && Date.parse(certificate.validTo) / 1_000;
  } catch {
    return undefined;
  }
}
