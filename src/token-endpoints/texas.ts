import { isToken } from '../auth/bearer-token.ts';
import { GatewayError } from '../failures.ts';
import type { InboundRequest } from '../inbound-request.ts';
import type { BodyMemory } from '../request/body-memory.ts';
import type { Clock } from '../resilience/clock.ts';
import { readParameters, refusal, requireParameter, type Parameters } from './read-parameters.ts';
import type { TokenEndpoint } from './token-endpoint.ts';
import { toTokenError } from './token-error.ts';
import type { TokenJourney } from './token-journey.ts';

/** What the endpoints of texas work with. */
export interface TexasOptions {
  readonly operation: string;
  readonly bodyMemory: BodyMemory;
}

/** The names of Entra among the identity providers of texas. */
const ENTRA = ['entra_id', 'azuread'];

const EXCHANGE_PARAMETERS = ['identity_provider', 'target', 'user_token', 'skip_cache'];
/** The hint is one of RFC 7662 §2.1, and there is one kind of tokens here. */
const INTROSPECT_PARAMETERS = ['identity_provider', 'token', 'token_type_hint'];

/**
 * Makes `POST /api/v1/token/exchange` of texas.
 *
 * @param options.findJourney finds the way to the token of a target: the name of a downstream, or its resource
 * @see https://github.com/nais/texas#apiv1tokenexchange
 */
export function exchangeEndpoint(
  options: TexasOptions & {
    readonly findJourney: (target: string) => TokenJourney | undefined;
    readonly now: Clock;
  },
): TokenEndpoint {
  const { operation, bodyMemory, findJourney, now } = options;
  return {
    operation,
    method: 'POST',
    toErrorAnswer: toTokenError,
    async answer(request) {
      const parameters = await readParameters(request, EXCHANGE_PARAMETERS, bodyMemory);
      if (!ENTRA.includes(requireParameter(parameters, 'identity_provider'))) {
        throw refusal(`Send ${ENTRA[0]} as identity_provider; this API exchanges tokens of no other.`);
      }
      const journey = findJourney(requireParameter(parameters, 'target'));
      if (journey === undefined) {
        throw refusal('Send as target the name or the resource of a downstream that the configuration opens here.');
      }
      const userToken = requireParameter(parameters, 'user_token');
      const token = await journey.acquire(withToken(request, userToken), readSkipCache(parameters));
      return {
        access_token: token.accessToken,
        expires_in: Math.max(0, Math.floor((token.expiresAt - now()) / 1_000)),
        token_type: 'Bearer',
      };
    },
  };
}

/**
 * Makes `POST /api/v1/introspect` of texas. Of a token that is not good here it says nothing but that; the log has the
 * reason.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7662#section-2.2
 */
export function introspectEndpoint({
  operation,
  bodyMemory,
  journey,
}: TexasOptions & { readonly journey: TokenJourney }): TokenEndpoint {
  return {
    operation,
    method: 'POST',
    toErrorAnswer: toTokenError,
    async answer(request) {
      const parameters = await readParameters(request, INTROSPECT_PARAMETERS, bodyMemory);
      const token = requireParameter(parameters, 'token');
      if (!ENTRA.includes(parameters.get('identity_provider') ?? 'entra_id')) {
        return { active: false };
      }
      try {
        return { ...(await journey.readClaims(withToken(request, token))), active: true };
      } catch (error) {
        return answerInactive(error, request);
      }
    },
  };
}

/** @throws {unknown} an outage: that Entra's keys cannot be had says nothing about the token */
function answerInactive(error: unknown, { record }: InboundRequest): object {
  if (!(error instanceof GatewayError) || error.rule.status >= 500) {
    throw error;
  }
  record.error = error;
  return { active: false };
}

/**
 * Puts a token where the steps look for one.
 *
 * @throws {GatewayError} `invalid_token` for a text that is none
 */
function withToken(request: InboundRequest, token: string): InboundRequest {
  if (!isToken(token)) {
    throw new GatewayError('invalid_token', { log: { reason: 'the body holds something else in place of a token' } });
  }
  request.req.headers.authorization = `Bearer ${token}`;
  return request;
}

function readSkipCache(parameters: Parameters): boolean {
  const value = parameters.get('skip_cache') ?? 'false';
  if (value !== 'true' && value !== 'false') {
    throw refusal('Send true or false as skip_cache.');
  }
  return value === 'true';
}
