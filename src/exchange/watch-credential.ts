import type { Logger } from '../telemetry/logger.ts';
import { watchExpiry } from '../telemetry/watch-expiry.ts';
import type { CredentialSettings } from './client-credential.ts';
import { readCredentialExpiry } from './credential-expiry.ts';

const CERTIFICATE = 'Upload a new certificate to the app registration, then replace both files; no restart is needed.';
const FEDERATED_TOKEN = 'See why the platform no longer renews the file: Entra refuses every exchange with it.';

/**
 * Tells in the log when the gateway's own credential ends, now and from then on; of secrets and managed identities only
 * Entra knows it.
 *
 * @param now milliseconds since the epoch
 * @param intervalMs milliseconds between two looks; default an hour
 * @returns what ends the watch
 */
export function watchCredential(
  settings: CredentialSettings,
  log: Pick<Logger, 'warn'>,
  now: () => number = Date.now,
  intervalMs?: number,
): () => void {
  const isRenewed = settings.federatedTokenFile !== undefined;
  const kind = isRenewed ? 'federatedTokenFile' : 'certificate';
  const common = { key: `identity.credential.${kind}`, remedy: isRenewed ? FEDERATED_TOKEN : CERTIFICATE, isRenewed };
  return watchExpiry(
    async () => ({ ...common, endSeconds: (await readCredentialExpiry(settings))?.seconds }),
    log,
    now,
    intervalMs,
  );
}
