import { randomUUID } from 'node:crypto';
import { REDIS_SCOPE } from '../redis/entra-login.ts';
import type { DownstreamToken } from '../session/downstream-token.ts';
import { EntraTokenClient, type EntraTokenClientOptions } from './entra-token-client.ts';

/**
 * Makes the function that gets the gateway's own token for Redis. It has a client of its own, so that a refusal of this one
 * permission does not count as one of the gateway's credential, which would make the gateway unready.
 *
 * @returns throws an {@link ExchangeRefused} when there is no token
 */
export function createRedisTokenFetch(options: EntraTokenClientOptions): () => Promise<DownstreamToken> {
  const client = new EntraTokenClient(options);
  const { tenant: tenantId } = options.authority;
  return () => client.asApplication({ tenantId, scope: REDIS_SCOPE, correlationId: randomUUID() });
}
