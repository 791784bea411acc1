import { logMemoryAdvice } from '../config/advise-memory.ts';
import type { GatewayConfig } from '../config/load-config.ts';
import { logNotices } from '../contract/log-notices.ts';
import { watchCredential } from '../exchange/watch-credential.ts';
import { watchCertificate } from '../http/watch-certificate.ts';
import type { Logger } from '../telemetry/logger.ts';

/**
 * Tells in the log what an operator should know of a deployment: at the start, and later when its credential or the
 * certificate of its listener ends.
 *
 * @param now milliseconds since the epoch
 * @returns what ends it
 */
export function startNotices(config: GatewayConfig, logger: Logger, now: () => number = Date.now): () => void {
  logNotices(config.contract, logger);
  logMemoryAdvice(config.memory, logger);
  const { identity, server } = config;
  const watches = [
    watchCredential(identity.credential, logger, now),
    ...(server.tls === undefined ? [] : [watchCertificate(server.tls, logger, now)]),
  ];
  return () => watches.forEach((end) => end());
}
