import { X509Certificate } from 'node:crypto';
import type { ConfigFault } from '../failures.ts';
import { checkKeyPair } from './check-key-pair.ts';
import { readPem } from './read-pem.ts';
import type { DownstreamsSettings } from './schema.ts';

/**
 * Checks the files that `tls` of each downstream names, and whether they belong together.
 *
 * @param unset the keys whose environment variable is not set, a fault that is reported already
 */
export function checkDownstreamTls(
  downstreams: DownstreamsSettings,
  unset: ReadonlySet<string>,
  faults: ConfigFault[],
): void {
  for (const [name, { baseUrl, tls }] of Object.entries(downstreams)) {
    const at = `downstreams.${name}.tls`;
    if ([...unset].some((key) => key.startsWith(at))) {
      continue;
    }
    if (tls === undefined) {
      continue;
    }
    const isSecure = baseUrl !== undefined && new URL(baseUrl).protocol === 'https:';
    if (isSecure) {
      checkFiles(tls, at, faults);
    } else {
      const why = baseUrl === undefined ? 'there is no baseUrl' : 'baseUrl is http';
      faults.push({ at, message: `found a map of keys; allowed: nothing, because ${why}` });
    }
  }
}

function checkFiles(
  { ca, cert, key }: NonNullable<DownstreamsSettings[string]['tls']>,
  at: string,
  faults: ConfigFault[],
): void {
  if (ca !== undefined) {
    readPem(ca, `${at}.ca`, faults, (pem) => new X509Certificate(pem));
  }
  checkKeyPair({ cert, key }, at, faults);
  if ((cert === undefined) !== (key === undefined)) {
    const missing = cert === undefined ? 'cert' : 'key';
    const other = cert === undefined ? 'key' : 'cert';
    faults.push({ at: `${at}.${missing}`, message: `found nothing; allowed: a PEM file, because there is a ${other}` });
  }
}
