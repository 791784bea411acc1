import type { BindSteps } from '../journey.ts';
import type { BodyMemory } from '../request/body-memory.ts';
import type { Clock } from '../resilience/clock.ts';
import type { Requirement } from '../session/requirement.ts';
import type { DownstreamScopes } from '../session/token-source.ts';
import { authorizationHeaderEndpoint, validateEndpoint } from './sidecar.ts';
import { exchangeEndpoint, introspectEndpoint } from './texas.ts';
import type { TokenEndpoint } from './token-endpoint.ts';
import { TokenJourney } from './token-journey.ts';

/** What the token endpoints of one configuration work with. */
export interface TokenEndpointsOptions {
  /** The downstreams whose tokens are given out. */
  readonly downstreams: readonly DownstreamScopes[];
  /** A caller must meet one of them, whatever it asks for. */
  readonly access: readonly Requirement[];
  readonly bindSteps: BindSteps;
  readonly bodyMemory: BodyMemory;
  readonly now: Clock;
}

/** The paths that are the same in every configuration. */
const TOKEN_PATHS = {
  authorizationHeader: '/AuthorizationHeader',
  validate: '/Validate',
  exchange: '/api/v1/token/exchange',
  introspect: '/api/v1/introspect',
} as const;

/** The paths at which applications ask for tokens, or about them. */
export const TOKEN_ENDPOINT_PATHS: readonly string[] = [
  `${TOKEN_PATHS.authorizationHeader}/{downstream}`,
  TOKEN_PATHS.validate,
  TOKEN_PATHS.exchange,
  TOKEN_PATHS.introspect,
];

const ALL_OF_RESOURCE = '/.default';

/**
 * Makes the endpoints at which an application gets tokens for calls that it makes itself: in the forms of the Microsoft
 * Entra SDK sidecar and of texas, so that what was written for these works.
 *
 * @returns the endpoints by path
 */
export function createTokenEndpoints(options: TokenEndpointsOptions): ReadonlyMap<string, TokenEndpoint> {
  const { downstreams, access, bindSteps, bodyMemory, now } = options;
  const journeys = new Map(
    downstreams.map((downstream) => {
      const { name } = downstream;
      return [downstream, new TokenJourney(nameToken(name), { access, bindSteps, service: name })] as const;
    }),
  );
  const targets = nameTargets(journeys);
  const { authorizationHeader, validate, exchange, introspect } = TOKEN_PATHS;
  const look = (operation: string): TokenJourney => new TokenJourney(operation, { access, bindSteps });
  return new Map<string, TokenEndpoint>([
    ...[...journeys].map(
      ([{ name }, journey]) =>
        [`${authorizationHeader}/${name}`, authorizationHeaderEndpoint(nameToken(name), journey)] as const,
    ),
    [validate, validateEndpoint(validate, look(validate))],
    [exchange, exchangeEndpoint({ operation: exchange, bodyMemory, now, findJourney: (name) => targets.get(name) })],
    [introspect, introspectEndpoint({ operation: introspect, bodyMemory, journey: look(introspect) })],
  ]);
}

/** What the log and the metrics call a token that is given out. */
function nameToken(downstream: string): string {
  return `token ${downstream}`;
}

/** Finds tokens by the names of the downstreams, and by a resource where only one of these downstreams has it. */
function nameTargets(
  journeys: ReadonlyMap<DownstreamScopes, TokenJourney>,
): ReadonlyMap<string, TokenJourney | undefined> {
  const byResource = new Map<string, TokenJourney | undefined>();
  for (const [{ applicationScope }, journey] of journeys) {
    const resource = applicationScope.slice(0, -ALL_OF_RESOURCE.length);
    const only = byResource.has(resource) ? undefined : journey;
    byResource.set(resource, only).set(applicationScope, only);
  }
  return new Map([...byResource, ...[...journeys].map(([{ name }, journey]) => [name, journey] as const)]);
}
