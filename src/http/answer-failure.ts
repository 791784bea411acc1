import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import { toProblem } from './problem.ts';
import { formatChallenge, type ChallengeFrame } from '../challenge/www-authenticate.ts';
import { FAILURES, type GatewayError } from '../failures.ts';

/** What the answer to a failure needs besides the failure. */
export interface FailureContext {
  readonly frame: ChallengeFrame;
  readonly requestId: string;
  /** The path of the request. */
  readonly instance: string;
  /** Headers that every answer of ours carries: names and values in turn. */
  readonly ownHeaders: readonly string[];
  /** Members of the problem document besides the usual ones (RFC 9457 §3.2). */
  readonly extensions?: object | undefined;
}

interface WrittenAnswer {
  readonly status: number;
  readonly headers: string[];
  readonly body: string;
}

/** Seconds, for a 503 or 429 whose cause does not say how long it lasts. */
const DEFAULT_WAIT_SECONDS = 5;

/**
 * Writes the answer to a failure: the only place where a failure becomes HTTP. Once the answer has begun there is
 * nothing left to say, and the connection breaks so that the caller cannot take a part for the whole.
 *
 * @example `invalid_request` of a body
 * HTTP/1.1 400 Bad Request
 * Content-Type: application/problem+json
 *
 * {"type":"urn:obo-gateway:problem:invalid_request","title":"The request does not match the contract","status":400,…}
 *
 * @see https://www.rfc-editor.org/rfc/rfc9457#section-3
 */
export function answerFailure(res: ServerResponse, error: GatewayError, context: FailureContext): void {
  if (res.headersSent) {
    // Not a plain end, which an HTTP/1.0 caller takes for the end of the body.
    res.socket?.resetAndDestroy();
    return;
  }
  const { status, headers, body } = compose(error, context);
  res.writeHead(status, headers);
  res.end(body);
}

/** The same for a connection whose request could not even be parsed; the connection ends with it. */
export function answerFailureOnSocket(socket: Socket, error: GatewayError, context: FailureContext): void {
  const { status, headers, body } = compose(error, context);
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, 'connection: close'];
  for (let index = 0; index < headers.length; index += 2) {
    lines.push(`${headers[index]}: ${headers[index + 1]}`);
  }
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

function compose(error: GatewayError, context: FailureContext): WrittenAnswer {
  const { frame, ownHeaders, extensions } = context;
  const { failure, facts } = error;
  const rule = FAILURES[failure];
  const body = JSON.stringify({ ...toProblem(error, context), ...extensions });
  const headers = [
    'content-type',
    'application/problem+json',
    'content-length',
    String(Buffer.byteLength(body)),
    'cache-control',
    'no-store',
    ...ownHeaders,
  ];
  if ('challenge' in rule) {
    const { scopes, authContext, claims } = facts;
    headers.push('www-authenticate', formatChallenge(frame, { error: rule.challenge, scopes, authContext, claims }));
  }
  if (rule.status === 503 || rule.status === 429) {
    headers.push('retry-after', String(facts.retryAfter ?? DEFAULT_WAIT_SECONDS));
  }
  if (facts.allow !== undefined) {
    headers.push('allow', facts.allow.join(', '));
  }
  if (facts.upgrade !== undefined) {
    headers.push('upgrade', facts.upgrade, 'connection', 'upgrade, close');
  }
  return { status: rule.status, headers, body };
}
