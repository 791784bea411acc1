import type { ServerResponse } from 'node:http';
import type { GatewayError } from '../failures.ts';
import { answerFailure, type FailureContext } from '../http/answer-failure.ts';

/**
 * The headers that describe a body (RFC 9110 §8, RFC 9530) and how it is sent. Those of an answer that did not come about
 * would make the problem unreadable, or a file; and Node throws for a `Trailer` beside a length.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-8
 * @see https://www.rfc-editor.org/rfc/rfc9530#section-2
 */
const OF_THE_BODY = [
  'content-digest',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-location',
  'content-range',
  'etag',
  'last-modified',
  'repr-digest',
  'trailer',
  'transfer-encoding',
] as const;

/** Answers with a failure in the place of the answer that a handler had prepared; its other headers stay. */
export function replaceAnswer(res: ServerResponse, failure: GatewayError, context: FailureContext): void {
  if (!res.headersSent) {
    OF_THE_BODY.forEach((name) => res.removeHeader(name));
  }
  answerFailure(res, failure, context);
}
