import { scope } from '../support/gateway-contract.ts';
import { startGatewayWorld, type GatewayWorld, type GatewayWorldOptions } from '../support/gateway-world.ts';

/** What opens the tokens of `api` and `orders` to people with a scope, and to programs with a role. */
const TOKEN_ENDPOINTS = {
  downstreams: ['api', 'orders'],
  security: [[scope('Orders.Read')], { app: ['Orders.Read.All'] }],
};

/** What a claims challenge of Entra asks for. */
export const CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';

/** Refusals of Entra by what they are about. */
export const REFUSALS = {
  claims: { error: 'interaction_required', error_codes: [50076], suberror: 'basic_action', claims: CLAIMS },
  'no claims': { error: 'interaction_required', error_codes: [50076], suberror: 'basic_action' },
  consent: { error: 'invalid_grant', error_codes: [65001], suberror: 'consent_required' },
  credential: { error: 'invalid_client', error_codes: [7000215] },
  throttling: { error: 'temporarily_unavailable', error_codes: [90055], status: 429, retryAfter: '7' },
} as const;

/** Starts a gateway with token endpoints. */
export function startTokenWorld(more: GatewayWorldOptions = {}): Promise<GatewayWorld> {
  return startGatewayWorld({ authorizationService: { port: 0, tokenEndpoints: TOKEN_ENDPOINTS }, ...more });
}
