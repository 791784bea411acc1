import type { ConfigFault } from '../failures.ts';
import { readCertificates } from '../syntax/pem-certificates.ts';
import { checkKeyPair } from './check-key-pair.ts';
import { readPem } from './read-pem.ts';
import type { GatewaySettings } from './schema.ts';
import { readKey } from './tree.ts';

/**
 * Checks the files that the TLS of a listener names, and whether they belong together.
 *
 * @param at the key of gateway.yaml
 * @param unset the keys whose environment variable is not set, a fault that is reported already
 */
export function checkListenerTls(
  tls: GatewaySettings['server']['tls'],
  at: 'server.tls' | 'authorizationService.tls',
  unset: ReadonlySet<string>,
  faults: ConfigFault[],
): void {
  if (tls === undefined || [...unset].some((key) => key.startsWith(at))) {
    return;
  }
  checkKeyPair(tls, at, faults);
  if (tls.clientCa !== undefined) {
    readPem(tls.clientCa, `${at}.clientCa`, faults, readCertificates);
  }
}

/** Checks that somebody may send PROXY protocol where it is asked for. Reads the tree, also when other keys are wrong. */
export function checkProxyProtocol(tree: unknown): ConfigFault[] {
  const server = readKey(tree, 'server');
  const proxies = readKey(server, 'trustedProxies');
  const hasProxies = proxies !== undefined && !(Array.isArray(proxies) && proxies.length === 0);
  if (readKey(server, 'proxyProtocol') !== 'v2' || hasProxies) {
    return [];
  }
  const message =
    'found nothing; allowed: at least one address or CIDR, because only these may send the PROXY protocol';
  return [{ at: 'server.trustedProxies', message }];
}
