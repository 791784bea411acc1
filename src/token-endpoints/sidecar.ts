import { GatewayError } from '../failures.ts';
import type { InboundRequest } from '../inbound-request.ts';
import type { TokenEndpoint } from './token-endpoint.ts';
import type { TokenJourney } from './token-journey.ts';

/**
 * Makes `GET /AuthorizationHeader/{downstream}` of the Microsoft Entra SDK sidecar. It takes no parameters: the sidecar
 * lets them replace scopes, tenant and address, and here gateway.yaml alone says these.
 *
 * @see https://learn.microsoft.com/entra/msidweb/agent-id-sdk/endpoints
 */
export function authorizationHeaderEndpoint(operation: string, journey: TokenJourney): TokenEndpoint {
  return {
    operation,
    method: 'GET',
    async answer(request) {
      refuseQuery(request);
      const { authorization } = await journey.acquire(request);
      return { authorizationHeader: authorization };
    },
  };
}

/**
 * Makes `GET /Validate` of the Microsoft Entra SDK sidecar, without the token in the answer: whoever asks has it.
 *
 * @see https://learn.microsoft.com/entra/msidweb/agent-id-sdk/endpoints
 */
export function validateEndpoint(operation: string, journey: TokenJourney): TokenEndpoint {
  return {
    operation,
    method: 'GET',
    async answer(request) {
      refuseQuery(request);
      return { protocol: 'Bearer', claims: await journey.readClaims(request) };
    },
  };
}

function refuseQuery({ target }: InboundRequest): void {
  if (target.query.length > 1) {
    throw new GatewayError('invalid_request', {
      detail: 'Send the request without a query: scopes, tenant and address are those of the configuration.',
    });
  }
}
