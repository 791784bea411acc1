import { errors } from 'undici';
import { CallerGone } from '../request/caller-gone.ts';
import { GatewayError, type Failure } from '../failures.ts';

/** What the kernel says when the gateway itself has no file descriptor, port or memory left for a connection. */
const NOTHING_LEFT: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM']);

/** What is said of a connection that the other side gave up. */
const GIVEN_UP: ReadonlySet<string> = new Set([
  'UND_ERR_SOCKET',
  'ECONNABORTED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
]);

/** undici's words for answers that no request asked for, which it tells by the connection. */
const UNASKED: ReadonlySet<string> = new Set(['bad response', 'bad upgrade']);

/** Seconds after which the gateway may have room again. */
const ROOM_AGAIN_SECONDS = 1;

/** True when the connection broke, whatever was said on it. */
export function isDeadConnection(error: Error): boolean {
  return GIVEN_UP.has(codeOf(error)) && !UNASKED.has(error.message);
}

/** True when a call failed because the gateway is full: that says nothing about the downstream. */
export function isOwnFault(error: Error): boolean {
  return NOTHING_LEFT.has(codeOf(error));
}

/** Whose fault it is that no answer came, or that it broke off. */
export function toFailure(error: Error): Error {
  if (error instanceof GatewayError || error instanceof CallerGone) {
    return error;
  }
  if (error instanceof errors.InvalidArgumentError || error instanceof errors.NotSupportedError) {
    return new GatewayError('internal_error', { cause: error });
  }
  const log = { reason: codeOf(error) };
  return isOwnFault(error)
    ? new GatewayError('overloaded', { retryAfter: ROOM_AGAIN_SECONDS, log, cause: error })
    : new GatewayError(nameFailure(error), { log, cause: error });
}

function nameFailure(error: Error): Failure {
  if (
    error instanceof errors.ConnectTimeoutError ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError
  ) {
    return 'downstream_timeout';
  }
  const isInvalid =
    error instanceof errors.HTTPParserError ||
    error instanceof errors.HeadersOverflowError ||
    error instanceof errors.ResponseContentLengthMismatchError ||
    (error instanceof errors.SocketError && UNASKED.has(error.message));
  return isInvalid ? 'downstream_invalid_response' : 'downstream_unreachable';
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.name;
}
