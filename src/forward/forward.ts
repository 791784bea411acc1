import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { CallerGone } from '../request/caller-gone.ts';
import type { OutgoingBody } from '../request/body.ts';
import { afterTurn } from '../runtime/after-turn.ts';
import { dispatchWithToken } from './checked-token.ts';
import type { Downstream, Timeouts } from './downstream.ts';
import { AnswerReceiver, type DownstreamAnswer } from './downstream-answer.ts';
import { createDownstreamFailure } from './downstream-failure.ts';
import { ProxyError } from './proxy.ts';

/** What a call is made for: when that ends, nobody needs an answer any more. A response is one. */
export interface CallOwner {
  readonly closed: boolean;
  on(event: 'close', listener: () => void): unknown;
}

/** One call to a downstream. */
export interface DownstreamCall {
  readonly downstream: Downstream;
  readonly method: string;
  /** The filled path, still without the downstream's base path. */
  readonly path: string;
  /** As the caller sent it, with the fixed parameters of the downstream and its `?`; empty when there is none. */
  readonly query: string;
  /** Names and values in turn. */
  readonly headers: string[];
  readonly body: OutgoingBody;
  /** Milliseconds, perhaps infinite, that count in the place of the downstream's. */
  readonly timeouts?: Timeouts | undefined;
  /** The response to the caller, which gets interim answers at once; absent where nobody waits for these. */
  readonly res?: ServerResponse | undefined;
  /** Called once, when the head of the answer is here or when there will be none. */
  readonly onHead: () => void;
}

/**
 * The idempotent methods: their requests may be sent twice (RFC 9110 §9.2.2).
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2
 */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'QUERY']);

/**
 * Sends a request and waits for the head of the answer. When its owner closes, because the caller hangs up or gets
 * another answer, the call is cancelled. An idempotent request is sent once more when a kept connection breaks before any of the answer came.
 *
 * @throws {GatewayError} `downstream_unreachable`, `downstream_timeout`, `downstream_unavailable`,
 *   `downstream_invalid_response`, `overloaded`, or what the body threw
 * @throws {CallerGone} when nobody waits for the answer any more
 */
export function forward(owner: CallOwner, call: DownstreamCall): Promise<DownstreamAnswer> {
  const { downstream, method, path, query, headers, body, timeouts, res, onHead } = call;
  const endlessStreams = timeouts?.endlessStreams === true && !downstream.isIdleSet;
  requireReachable(owner, downstream);
  const { basePath, proxyHeaders } = downstream;
  if (proxyHeaders.length > 0) {
    headers.push(...proxyHeaders);
  }
  const usual = { method, path: `${basePath}${path}${query}`, headers, body: toSend(body) };
  const request =
    timeouts === undefined ? usual : { ...usual, ...toOptions(timeouts), ...(endlessStreams && NO_IDLE_END) };
  const receiver: AnswerReceiver = new AnswerReceiver({
    downstream,
    timeouts,
    endlessStreams,
    res,
    onHead,
    sendAgain: IDEMPOTENT.has(method) ? () => sendAgain(downstream, request, body, receiver) : undefined,
  });
  owner.on('close', () => {
    if (!receiver.isOver) {
      receiver.cancel(new CallerGone());
    }
  });
  afterTurn(() => {
    if (!receiver.isOver) {
      dispatchWithToken(downstream.pool, request, receiver);
    }
  });
  return proxyHeaders.length === 0 ? receiver.started : receiver.started.then(refuseProxysOwn);
}

/**
 * Refuses a call that would be in vain. One that is not refused may be the single call that an open circuit lets
 * through after its pause.
 *
 * @throws {GatewayError} `downstream_unavailable` while the downstream is known to be down
 * @throws {CallerGone} when the caller left while an earlier step was waiting
 */
export function requireReachable(owner: CallOwner, { circuit }: Downstream): void {
  const wait = circuit.admit();
  if (wait > 0) {
    const retryAfter = Math.ceil(wait / 1_000);
    throw createDownstreamFailure('downstream_unavailable', 'its circuit is open', { retryAfter });
  }
  if (owner.closed) {
    throw new CallerGone();
  }
}

/** Refuses the 407 of a proxy: it asks the gateway for a password, not the caller. */
function refuseProxysOwn(answer: DownstreamAnswer): DownstreamAnswer {
  if (answer.status === 407) {
    answer.discard();
    const cause = new ProxyError(answer.status);
    throw createDownstreamFailure('downstream_unreachable', cause.code, { cause });
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

/** undici is told before it is known what the answer is, so that the receiver has to watch those that are no streams. */
const NO_IDLE_END = { bodyTimeout: 0 } as const;

/** For undici, 0 is no limit, and what is absent is the limit of the connection. */
function toOptions({ responseMs, idleMs }: Timeouts): { headersTimeout?: number; bodyTimeout?: number } {
  return {
    ...(responseMs !== undefined && { headersTimeout: Number.isFinite(responseMs) ? responseMs : 0 }),
    ...(idleMs !== undefined && { bodyTimeout: Number.isFinite(idleMs) ? idleMs : 0 }),
  };
}

/** Gives undici the body: it takes any async iterable, although its types name only a stream. */
function toSend(body: OutgoingBody): Buffer | Readable | null {
  return (body.send() ?? null) as Buffer | Readable | null;
}
