import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { GatewayError } from '../failures.ts';
import { CallerGone } from '../caller-gone.ts';
import type { Downstream } from './downstream.ts';
import { AnswerReceiver, type DownstreamAnswer } from './downstream-answer.ts';

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
  readonly body: Buffer | AsyncIterable<Buffer> | undefined;
}

/**
 * Sends a request on and waits for the head of the answer. When the caller hangs up, the call is cancelled.
 *
 * @throws {GatewayError} `downstream_unreachable`, `downstream_timeout`, `downstream_unavailable`, or what the body threw
 * @throws {CallerGone} when nobody waits for the answer any more
 */
export async function forward(res: ServerResponse, call: DownstreamCall): Promise<DownstreamAnswer> {
  const { circuit, idleTimeout } = call.downstream;
  const wait = circuit.waitBeforeCall();
  if (wait > 0) {
    throw new GatewayError('downstream_unavailable', { retryAfter: Math.ceil(wait / 1_000) });
  }
  const receiver = new AnswerReceiver(idleTimeout);
  try {
    const answer = await send(res, call, receiver);
    circuit.recordSuccess();
    return answer;
  } catch (error) {
    // What goes wrong on a connection says nothing about other calls; that there is none does.
    if (error instanceof GatewayError && !receiver.wasReached) {
      circuit.recordFailure();
    }
    throw error;
  }
}

function send(res: ServerResponse, call: DownstreamCall, receiver: AnswerReceiver): Promise<DownstreamAnswer> {
  if (res.closed) {
    // The caller left while an earlier step was waiting.
    return Promise.reject(new CallerGone());
  }
  const { downstream, method, path, query, headers, body } = call;
  res.once('close', () => {
    if (!res.writableFinished) {
      receiver.cancel(new CallerGone());
    }
  });
  downstream.pool.dispatch(
    {
      method,
      path: `${downstream.basePath}${path}${query}`,
      headers,
      // undici takes any async iterable; only its types do not know.
      body: (body ?? null) as Buffer | Readable | null,
    },
    receiver,
  );
  return receiver.started;
}
