import type { ConfigFault } from '../failures.ts';
import { readSecretFile } from '../resilience/secret-file.ts';
import type { GatewaySettings } from './schema.ts';

/**
 * Checks that every file with a secret can be used now. The faults do not show the path: the secret itself may stand in
 * its place.
 *
 * @param unset the keys with a variable that is not set
 * @param faults gets an entry for each file that cannot be used
 */
export async function checkSecretFiles(
  settings: Pick<GatewaySettings, 'identity' | 'tokenCache'> | undefined,
  unset: ReadonlySet<string>,
  faults: ConfigFault[],
): Promise<void> {
  for (const [at, file] of listSecretFiles(settings)) {
    if (file !== undefined && !unset.has(at)) {
      const fault = await readSecretFile(file).then(
        () => undefined,
        (error: Error) => error.message,
      );
      if (fault !== undefined) {
        faults.push({ at, message: `${fault}; allowed: a readable file that holds it as text of one line` });
      }
    }
  }
}

function listSecretFiles(
  settings: Pick<GatewaySettings, 'identity' | 'tokenCache'> | undefined,
): readonly (readonly [at: string, file: string | undefined])[] {
  if (settings === undefined) {
    return [];
  }
  const { url: _url, entra: _entra, ...files } = settings.tokenCache.redis ?? { url: undefined, entra: undefined };
  return [
    ['identity.credential.secretFile', settings.identity.credential.secretFile],
    ...Object.entries(files).map(([key, file]) => [`tokenCache.redis.${key}`, file] as const),
  ];
}
