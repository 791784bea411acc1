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
  /** Is told once that the head of the answer is here, or that there will be none. */
  readonly onHead: () => void;
}

/**
 * Sends a request on and waits for the head of the answer. When the caller hangs up, the call is cancelled.
 *
 * @throws {GatewayError} `downstream_unreachable`, `downstream_timeout`, `downstream_unavailable`, or what the body threw
 * @throws {CallerGone} when nobody waits for the answer any more
 */
export function forward(res: ServerResponse, call: DownstreamCall): Promise<DownstreamAnswer> {
  const { downstream, method, path, query, headers, body, onHead } = call;
  const wait = downstream.circuit.waitBeforeCall();
  if (wait > 0) {
    throw new GatewayError('downstream_unavailable', { retryAfter: Math.ceil(wait / 1_000) });
  }
  if (res.closed) {
    // The caller left while an earlier step was waiting.
    throw new CallerGone();
  }
  const { circuit, responseTimeout, idleTimeout } = downstream;
  const receiver = new AnswerReceiver({ circuit, responseTimeout, idleTimeout, onHead });
  res.on('close', () => {
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
