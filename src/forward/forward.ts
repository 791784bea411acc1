import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { GatewayError } from '../failures.ts';
import { CallerGone } from '../request/caller-gone.ts';
import type { OutgoingBody } from '../request/body.ts';
import type { Downstream } from './downstream.ts';
import { AnswerReceiver, type DownstreamAnswer } from './downstream-answer.ts';
import { ProxyError } from './proxy.ts';

/** One call to a downstream. */
export interface DownstreamCall {
  readonly downstream: Downstream;
  readonly method: string;
  /** The filled path, still without the downstream's base path. */
  readonly path: string;
  /** As the caller sent it, with its `?`; empty when there is none. */
  readonly query: string;
  /** Names and values in turn. */
  readonly headers: string[];
  readonly body: OutgoingBody;
  /** Called once, when the head of the answer is here or when there will be none. */
  readonly onHead: () => void;
}

/** What may be done twice (RFC 9110 §9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/**
 * Sends a request on and waits for the head of the answer. When the caller hangs up, or gets another answer, the call is
 * cancelled. What may be done twice is sent once more when a kept connection turns out dead before it said anything.
 *
 * @throws {GatewayError} `downstream_unreachable`, `downstream_timeout`, `downstream_unavailable`,
 *   `downstream_invalid_response`, `overloaded`, or what the body threw
 * @throws {CallerGone} when nobody waits for the answer any more
 */
export function forward(res: ServerResponse, call: DownstreamCall): Promise<DownstreamAnswer> {
  const { downstream, method, path, query, headers, body, onHead } = call;
  requireReachable(res, downstream);
  const { basePath, proxyHeaders } = downstream;
  if (proxyHeaders.length > 0) {
    headers.push(...proxyHeaders);
  }
  const request = { method, path: `${basePath}${path}${query}`, headers, body: toSend(body) };
  const receiver: AnswerReceiver = new AnswerReceiver({
    downstream,
    res,
    onHead,
    sendAgain: IDEMPOTENT.has(method) ? () => sendAgain(downstream, request, body, receiver) : undefined,
  });
  res.on('close', () => {
    if (!receiver.isOver) {
      receiver.cancel(new CallerGone());
    }
  });
  downstream.pool.dispatch(request, receiver);
  return proxyHeaders.length === 0 ? receiver.started : receiver.started.then(refuseProxysOwn);
}

/**
 * Refuses what would be in vain.
 *
 * @throws {GatewayError} `downstream_unavailable` while the downstream is known to be down
 * @throws {CallerGone} when the caller left while an earlier step was waiting
 */
export function requireReachable(res: ServerResponse, { circuit }: Downstream): void {
  const wait = circuit.admit();
  if (wait > 0) {
    throw new GatewayError('downstream_unavailable', { retryAfter: Math.ceil(wait / 1_000) });
  }
  if (res.closed) {
    throw new CallerGone();
  }
}

/** What a proxy asks of us is not for the caller to answer. */
function refuseProxysOwn(answer: DownstreamAnswer): DownstreamAnswer {
  if (answer.status === 407) {
    answer.discard();
    const cause = new ProxyError(answer.status);
    throw new GatewayError('downstream_unreachable', { log: { reason: cause.code }, cause });
  }
  return answer;
}

function sendAgain(
  downstream: Downstream,
  request: Dispatcher.DispatchOptions,
  body: OutgoingBody,
  receiver: AnswerReceiver,
): boolean {
  const isAtHand = request.body === null || Buffer.isBuffer(request.body) || body.isReplayable;
  if (isAtHand) {
    downstream.newConnections.dispatch({ ...request, body: toSend(body) }, receiver);
  }
  return isAtHand;
}

/** undici takes any async iterable; only its types do not know. */
function toSend(body: OutgoingBody): Buffer | Readable | null {
  return (body.send() ?? null) as Buffer | Readable | null;
}
