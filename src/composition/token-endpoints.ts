import type { GatewayConfig } from '../config/load-config.ts';
import { toAppRequirement, toUserRequirement } from '../contract/operations/security-schemes.ts';
import type { BindSteps } from '../journey.ts';
import type { Requirement } from '../session/requirement.ts';
import type { TokenEndpoint } from '../token-endpoints/token-endpoint.ts';
import { createTokenEndpoints } from '../token-endpoints/token-endpoints.ts';
import type { Core } from './core.ts';
import type { Downstreams } from './downstreams.ts';

type TokenEndpointsConfig = NonNullable<NonNullable<GatewayConfig['authorizationService']>['tokenEndpoints']>;

/**
 * Opens the token endpoints that gateway.yaml asks for.
 *
 * @returns the endpoints by path; none where it asks for none
 */
export function openTokenEndpoints(
  { config, downstreams, bindSteps }: OpenOptions,
  { bodyMemory, clocks }: Core,
): ReadonlyMap<string, TokenEndpoint> {
  const settings = config.authorizationService?.tokenEndpoints;
  return settings === undefined
    ? new Map()
    : createTokenEndpoints({
        downstreams: settings.downstreams.flatMap((name) => downstreams.get(name)?.scopes ?? []),
        access: settings.security.map(toRequirement),
        bindSteps,
        bodyMemory,
        now: clocks.now,
      });
}

interface OpenOptions {
  readonly config: GatewayConfig;
  readonly downstreams: Downstreams;
  readonly bindSteps: BindSteps;
}

function toRequirement(alternative: TokenEndpointsConfig['security'][number]): Requirement {
  if (Array.isArray(alternative)) {
    return toUserRequirement(alternative);
  }
  return 'user' in alternative ? toUserRequirement(alternative.user) : toAppRequirement(alternative.app);
}
