import type { Networks } from '../network/networks.ts';
import type { ChallengeFrame } from '../challenge/www-authenticate.ts';
import { FAILURES, GatewayError, toGatewayError } from '../failures.ts';
import { answerFailure } from '../http/answer-failure.ts';
import { writeHeadWithToken } from '../http/write-token.ts';
import {
  RequestAccount,
  lingerAfterAnswer,
  refuseOverload,
  type InboundRequest,
  type RequestAccountOptions,
  type RequestHandler,
} from '../inbound-request.ts';
import type { Steps } from '../journey.ts';
import { CallerGone } from '../request/caller-gone.ts';
import { receive } from '../request/receive.ts';
import { hasUncertainEnd } from '../request/uncertain-end.ts';
import { afterTurn } from '../runtime/after-turn.ts';
import type { DownstreamToken } from '../session/downstream-token.ts';
import { answerTokenRequest } from '../token-endpoints/answer-token-request.ts';
import type { TokenEndpoint } from '../token-endpoints/token-endpoint.ts';
import { authorizeDescribedCall } from './authorize-described-call.ts';
import { refuseUnreadable } from './described-call.ts';
import { readQuestion, refuseForeignCaller, type Question } from './question.ts';

/** What the authorization service of one gateway works with. */
export interface AuthorizationServiceOptions extends RequestAccountOptions {
  /** The steps of the proxy, so that both refuse in the same words. */
  readonly steps: Steps;
  readonly frame: ChallengeFrame;
  /** The networks of the engines that are served. */
  readonly callers: Networks;
  /** Bytes of the request line and the headers of a call. */
  readonly headLimitBytes: number;
  /** Requests under way at a time, those of the proxy among them. */
  readonly maxInFlight: number;
  /** The headers of the proxy's own answers to a page of this origin: names and values in turn. */
  readonly ownHeaders: (origin: string | undefined) => readonly string[];
  /** The headers that let a page of this origin read the answer to a call that passes: names and values in turn. */
  readonly corsHeaders: (origin: string | undefined) => readonly string[];
  /** The endpoints by path at which applications ask for tokens; none unless gateway.yaml turns them on. */
  readonly tokenEndpoints: ReadonlyMap<string, TokenEndpoint>;
}

/** `Retry-After` in seconds of a call that would pass by now: the engine asked why it did not. */
const PASSES_NOW_WAIT_SECONDS = 1;

/**
 * Makes the handler of one configuration: engines that carry the traffic themselves describe a call and learn whether it
 * may pass, with which token, or with which answer it is refused.
 */
export function createAuthorizationHandler(options: AuthorizationServiceOptions): RequestHandler {
  const account = new RequestAccount(options);
  return {
    handle(req, res) {
      const request = account.begin(req, res);
      lingerAfterAnswer(request);
      void handle(request, options);
    },
    untilIdle: () => account.untilIdle(),
  };
}

async function handle(arrived: InboundRequest, options: AuthorizationServiceOptions): Promise<void> {
  const { req, res, record } = arrived;
  record.via = 'check';
  if (hasUncertainEnd(req)) {
    res.shouldKeepAlive = false;
  }
  const tokenEndpoint = options.tokenEndpoints.get(arrived.target.path);
  try {
    refuseForeignCaller(req, options.callers);
    await (tokenEndpoint === undefined
      ? answer(readQuestion(arrived), options)
      : answerApplication(arrived, tokenEndpoint, options));
  } catch (error) {
    refuse(arrived, toGatewayError(error), options);
  }
}

async function answer(
  { endpoint, call, request, report }: Question,
  options: AuthorizationServiceOptions,
): Promise<void> {
  const { req, record } = request;
  const { steps, headLimitBytes, inFlight, maxInFlight } = options;
  try {
    refuseOverload(inFlight, maxInFlight);
    refuseUnreadable(call);
    receive(req, request.target, headLimitBytes);
    const { token } = await authorizeDescribedCall(request, steps, report);
    if (endpoint.asks === 'may it pass') {
      letPass(request, token, options.corsHeaders(req.headers.origin));
      return;
    }
  } catch (error) {
    const failure = toGatewayError(error);
    if (endpoint.hidesRefusals && failure.rule !== FAILURES.call_not_described) {
      refuseSilently(request, failure);
    } else {
      // A second rejection is told to nobody but the endpoint that explains it.
      record.isRepeated = endpoint.asks === 'why not' && report?.attempt !== 2;
      refuse(request, failure, options);
    }
    return;
  }
  refuse(request, new GatewayError('identity_unavailable', { retryAfter: PASSES_NOW_WAIT_SECONDS }), options);
}

/** Answers an application that asks for a token itself. No page may read one: there are no CORS headers. */
async function answerApplication(
  request: InboundRequest,
  endpoint: TokenEndpoint,
  options: AuthorizationServiceOptions,
): Promise<void> {
  const { req, res, requestId, record, target } = request;
  const ownHeaders = ['x-request-id', requestId, ...options.ownHeaders(undefined)];
  try {
    refuseOverload(options.inFlight, options.maxInFlight);
    receive(req, target, options.headLimitBytes);
    await answerTokenRequest(request, endpoint, ownHeaders);
  } catch (error) {
    if (error instanceof CallerGone) {
      res.destroy();
      return;
    }
    const failure = toGatewayError(error);
    record.error = failure;
    const instead = endpoint.toErrorAnswer?.(failure);
    answerFailure(res, failure, { frame: options.frame, requestId, instance: target.path, ownHeaders, instead });
  }
}

/** @param corsHeaders for the engine to add to the answer of the downstream */
function letPass(
  { res, requestId }: InboundRequest,
  token: DownstreamToken | undefined,
  corsHeaders: readonly string[],
): void {
  const headers = ['x-request-id', requestId, 'cache-control', 'no-store', 'content-length', '0', ...corsHeaders];
  if (token === undefined) {
    // Envoy keeps the client's own header unless it is told otherwise; to the others the name means nothing.
    res.writeHead(200, ['x-envoy-auth-headers-to-remove', 'authorization', ...headers]);
  } else {
    writeHeadWithToken(res, 200, token.authorization, headers);
  }
  afterTurn(() => res.end());
}

/** Refuses in the one way that passes through nginx unseen, so that it asks for the refusal itself. */
function refuseSilently({ res, requestId, record }: InboundRequest, failure: GatewayError): void {
  record.error = failure;
  // What the client will see, which is what the log and the metrics tell.
  record.status = failure.rule.status;
  res.writeHead(401, ['x-request-id', requestId, 'cache-control', 'no-store', 'content-length', '0']);
  afterTurn(() => res.end());
}

/** Refuses in the words of the proxy. */
function refuse(request: InboundRequest, failure: GatewayError, options: AuthorizationServiceOptions): void {
  const { req, res, requestId, record, instance } = request;
  record.error = failure;
  answerFailure(res, failure, {
    frame: options.frame,
    requestId,
    instance,
    ownHeaders: ['x-request-id', requestId, ...options.ownHeaders(req.headers.origin)],
  });
}
