import type { Operation } from '../contract/operations/operation.ts';
import { GatewayError } from '../failures.ts';
import type { InboundRequest } from '../inbound-request.ts';
import {
  authorizeCall,
  exchangeAfterRejection,
  refuseSecondRejection,
  type AuthorizedCall,
  type DownstreamRejection,
  type FindToken,
  type Steps,
} from '../journey.ts';
import { DownstreamToken, type FetchedToken } from '../session/downstream-token.ts';
import { notDescribed } from './described-call.ts';
import type { RejectionReport } from './rejection-report.ts';

/** A call that may be made, or made once more; its body was not looked at. */
export type AuthorizedDescription = Pick<AuthorizedCall<void>, 'token'>;

/**
 * Takes the call that an engine describes through the same steps as a call that is forwarded, up to the token.
 *
 * @param report what the downstream said to the call, when the engine has made it already
 * @throws {GatewayError} every refusal
 */
export async function authorizeDescribedCall(
  request: InboundRequest,
  steps: Steps,
  report: RejectionReport | undefined,
): Promise<AuthorizedDescription> {
  if (report !== undefined) {
    return authorizeCall(request, steps, steps.validateParameters, tokenAfter(report, steps));
  }
  const call = await authorizeCall(request, steps, steps.validateParameters);
  const { session, route } = call;
  // Nobody tells how a call ended that the engine made. But a token that serves once more was not rejected before, or
  // the challenge would be remembered and stand here in its place. Where challenges are not remembered, which is so of
  // messages to MCP servers, the step lets the count go on.
  if (session !== undefined && request.record.tokenFrom === 'session') {
    steps.noteSuccess(session, route.entry);
  }
  return call;
}

/** Makes the step that finds another token than the one that the downstream rejected. */
function tokenAfter(report: RejectionReport, steps: Steps): FindToken {
  return (request, session, operation) => {
    if (session === undefined) {
      // The downstream wants a token of somebody whom the contract lets be nobody.
      throw new GatewayError('missing_token');
    }
    if (report.authorization === '') {
      throw notDescribed('X-Downstream-Authorization is what the downstream rejected');
    }
    const held = steps.recallToken(session, operation);
    const rejected = held?.authorization === report.authorization ? held : undefined;
    if (report.attempt === 1 && held !== undefined && rejected === undefined) {
      // Another call met the same 401 before, and its new token serves this one, too.
      return held;
    }
    const token = rejected ?? toToken(report.authorization);
    const rejection = { session, token, challenges: report.challenges, correlationId: undefined };
    if (report.attempt === 2) {
      // The token was asked for with what the downstream wanted the first time.
      throw refuseSecondRejection(request, operation, rejection, steps, rejected?.claims || undefined);
    }
    return fetchAnother(request, operation, rejection, steps);
  };
}

async function fetchAnother(
  request: InboundRequest,
  operation: Operation,
  rejection: DownstreamRejection,
  steps: Steps,
): Promise<FetchedToken> {
  const { token, correlationId } = await exchangeAfterRejection(request, operation, rejection, steps);
  return { token, from: 'entra', correlationId };
}

/** A token that is not held any more, as the engine hands it back: it is only compared with others. */
function toToken(authorization: string): DownstreamToken {
  return new DownstreamToken(authorization.replace(/^Bearer /, ''), { expiresAt: 0, usableUntil: 0, refreshAt: 0 });
}
