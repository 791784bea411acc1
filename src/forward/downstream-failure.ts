import { GatewayError, type FailureFacts } from '../failures.ts';

/** What an operator does when a downstream fails, by the failure. */
const REMEDIES = {
  downstream_unreachable:
    'Run obo-gateway check --only downstreams on this machine: it says what of the way to the API fails.',
  downstream_timeout: 'See why the API is slow; raise timeout of the downstream if its answers may take that long.',
  downstream_invalid_response:
    'See with the people of the API what it sends; a head that is larger than headLimit of the downstream counts, too.',
  downstream_unavailable:
    'See the lines with downstream_unreachable and downstream_timeout before this one; one call is let through every 2 seconds, and the first that is answered ends this.',
} as const;

/** A failure of a downstream, or of the way to it. */
export type DownstreamFailure = keyof typeof REMEDIES;

/**
 * Makes the failure of a call, with what the log says of it.
 *
 * @param reason what happened; nothing that the downstream wrote
 */
export function createDownstreamFailure(
  failure: DownstreamFailure,
  reason: string | undefined,
  facts: Pick<FailureFacts, 'cause' | 'retryAfter'> = {},
): GatewayError {
  return new GatewayError(failure, { ...facts, log: { reason, remedy: REMEDIES[failure] } });
}
