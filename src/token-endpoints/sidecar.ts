import type { TokenEndpoint } from './token-endpoint.ts';
import type { TokenJourney } from './token-journey.ts';

/**
 * Makes `GET /AuthorizationHeader/{downstream}` of the Microsoft Entra SDK sidecar, without its parameters.
 *
 * @see https://learn.microsoft.com/entra/msidweb/agent-id-sdk/endpoints
 */
export function authorizationHeaderEndpoint(operation: string, journey: TokenJourney): TokenEndpoint {
  return {
    operation,
    method: 'GET',
    async answer(request) {
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
      return { protocol: 'Bearer', claims: await journey.readClaims(request) };
    },
  };
}
