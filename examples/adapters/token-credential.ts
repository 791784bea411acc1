import type { TokenCredential } from '@azure/core-auth';
// In a project of your own: from 'obo-gateway'.
import type { DownstreamClient } from '../../src/index.ts';

/**
 * The credential of an Azure SDK client that calls a downstream on behalf of the caller of one request. When the API wants
 * claims of the token (continuous access evaluation), the client asks for another one, and the library exchanges it or
 * throws the challenge for the caller.
 *
 * Make a client for each request: an SDK keeps the token that it got, and would call for the next person with it. The
 * scopes that the SDK names are not asked for; those of the downstream stand in the configuration.
 */
export function toTokenCredential(downstream: DownstreamClient): TokenCredential {
  return { getToken: (_scopes, { claims } = {}) => downstream.token({ claims }) };
}
