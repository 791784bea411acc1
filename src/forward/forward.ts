import type { IncomingMessage, ServerResponse } from 'node:http';
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
 * @throws {GatewayError} `downstream_unreachable`, `downstream_timeout`, or what the body threw
 */
export function forward(req: IncomingMessage, res: ServerResponse, call: DownstreamCall): Promise<DownstreamAnswer> {
  const { downstream, method, path, query, headers, body } = call;
  const receiver = new AnswerReceiver(downstream.idleTimeout);
  res.once('close', () => {
    if (!res.writableFinished) {
      receiver.cancel(new CallerGone());
    }
  });
  if (body !== undefined && !Buffer.isBuffer(body)) {
    // Only a caller that stops sending in the middle of its body is late; a downstream has its own clock.
    req.setTimeout(downstream.idleTimeout, () => receiver.cancel(new GatewayError('request_timeout')));
  }
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
