import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import { toProblem } from './problem.ts';
import { formatChallenge, type ChallengeFrame } from '../challenge/www-authenticate.ts';
import type { GatewayError } from '../failures.ts';
import { writeHead } from '../runtime/write-head.ts';

/** What the answer to a failure needs, besides the failure. */
export interface FailureContext {
  readonly frame: ChallengeFrame;
  readonly requestId: string;
  /** The `instance` of the problem document: the path of the request. */
  readonly instance: string;
  /** The headers that all our own answers have: names and values in turn. */
  readonly ownHeaders: readonly string[];
  /**
   * More members of the problem document; default none.
   *
   * @see https://www.rfc-editor.org/rfc/rfc9457#section-3.2
   */
  readonly extensions?: object | undefined;
  /** What stands in the place of the problem document, where another protocol has errors of its own; default none. */
  readonly instead?: ErrorAnswer | undefined;
}

/** An error in the form of another protocol. Its challenge and its `Retry-After` are those of the failure. */
export interface ErrorAnswer {
  readonly status: number;
  /** The members of its JSON; or HTML, where a person reads it. */
  readonly body: object | string;
}

/** An answer as it goes out; of its headers names and values in turn. */
export interface WrittenAnswer {
  readonly status: number;
  readonly headers: string[];
  readonly body: string;
}

/** The `Retry-After` of a 503 or 429 whose cause does not say how long it lasts. */
const DEFAULT_WAIT_SECONDS = 5;

/**
 * Writes the answer to a failure. This is the only place where a failure becomes HTTP. When an answer has already
 * begun, the connection is broken instead, so that the caller cannot take a part of that answer for the whole.
 *
 * @example `insufficient_claims` for the authentication context c1; the long lines are broken here
 * HTTP/1.1 401 Unauthorized
 * content-type: application/problem+json
 * content-length: 376
 * cache-control: no-store
 * x-request-id: 5f2d1c88-6f0e-4a57-9c1f-0d8f4e1b7a32
 * www-authenticate: Bearer realm="", …, error="insufficient_claims", cc_type="authcontext", …,
 *   claims="eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJlc3NlbnRpYWwiOnRydWUsInZhbHVlIjoiYzEifX19"
 *
 * {"type":"urn:obo-gateway:problem:insufficient_claims","title":"More proof is required","status":401,
 *   "detail":"Ask Entra for a new access token for this API with the given claims, then try again.",
 *   "instance":"/orders","code":"insufficient_claims","requestId":"5f2d1c88-6f0e-4a57-9c1f-0d8f4e1b7a32",
 *   "claims":"{\"access_token\":{\"acrs\":{\"essential\":true,\"value\":\"c1\"}}}"}
 *
 * @see https://www.rfc-editor.org/rfc/rfc9457#section-3
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-15
 */
export function answerFailure(res: ServerResponse, error: GatewayError, context: FailureContext): void {
  if (res.headersSent) {
    breakOff(res.socket);
    return;
  }
  const { status, headers, body } = composeAnswer(error, context);
  writeHead(res, status, headers);
  res.end(body);
}

/**
 * Ends a connection in the middle of an answer, so that no caller takes what it has for the whole: an HTTP/1.0 caller
 * takes a plain end for the end of the body. TLS tells an end that was announced (`close_notify`) from any other, and
 * Node announces none here (RFC 8446 §6.1); it cannot reset the connection below TLS.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8446#section-6.1
 */
function breakOff(socket: Socket | null): void {
  if (socket !== null && 'encrypted' in socket) {
    socket.destroy();
  } else {
    socket?.resetAndDestroy();
  }
}

/** Writes the answer to a failure on a connection whose request could not be parsed, and closes the connection. */
export function answerFailureOnSocket(socket: Socket, error: GatewayError, context: FailureContext): void {
  const { status, headers, body } = composeAnswer(error, context);
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, 'connection: close'];
  for (let index = 0; index < headers.length; index += 2) {
    lines.push(`${headers[index]}: ${headers[index + 1]}`);
  }
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

/** Composes the answer to a failure, for whoever writes it himself. */
export function composeAnswer(error: GatewayError, context: FailureContext): WrittenAnswer {
  const { frame, ownHeaders, extensions, instead } = context;
  const { rule, facts } = error;
  const content = instead?.body ?? { ...toProblem(error, context), ...extensions };
  const body = typeof content === 'string' ? content : JSON.stringify(content);
  const headers = [
    'content-type',
    typeof content === 'string' ? 'text/html; charset=utf-8' : typeOf(instead),
    'content-length',
    String(Buffer.byteLength(body)),
    'cache-control',
    'no-store',
    ...ownHeaders,
  ];
  if (rule.challenge !== undefined) {
    const { scopes, authContext, claims, resourceMetadata } = facts;
    const asked = rule.claimsIn === 'scope' ? {} : { authContext, claims };
    headers.push(
      'www-authenticate',
      formatChallenge(frame, { error: rule.challenge, scopes, ...asked, resourceMetadata }),
    );
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
  return { status: instead?.status ?? rule.status, headers, body };
}

function typeOf(instead: ErrorAnswer | undefined): string {
  return instead === undefined ? 'application/problem+json' : 'application/json';
}
