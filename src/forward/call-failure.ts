import { CallerGone } from '../request/caller-gone.ts';
import { GatewayError } from '../failures.ts';
import { createDownstreamFailure, type DownstreamFailure } from './downstream-failure.ts';
import { undici } from '../network/undici.ts';

/** The error codes of the system when the gateway itself has no file descriptor, port or memory for a connection. */
const NOTHING_LEFT: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM']);

/** What an operator does about these. */
const NOTHING_LEFT_REMEDY =
  'Raise the limit of open files (ulimit -n) and the range of local ports, or lower server.maxInFlight.';

/** The error codes of a connection that the other side or the network ended. */
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

/** The messages of undici for an answer without a request, which it reports as an error of the connection. */
const UNASKED: ReadonlySet<string> = new Set(['bad response', 'bad upgrade']);

/** `Retry-After` in seconds when the gateway itself has no room for another connection. */
const ROOM_AGAIN_SECONDS = 1;

/** True when the connection itself broke, and nothing wrong was received on it. */
export function isDeadConnection(error: Error): boolean {
  return GIVEN_UP.has(nameReason(error)) && !UNASKED.has(error.message);
}

/** True when a call failed because the gateway itself is full, which says nothing about the downstream. */
export function isOwnFault(error: Error): boolean {
  return NOTHING_LEFT.has(nameReason(error));
}

/**
 * Turns the error of a call that got no answer, or whose answer broke off, into a failure that says whose fault it is.
 */
export function toFailure(error: Error): Error {
  if (error instanceof GatewayError || error instanceof CallerGone) {
    return error;
  }
  if (error instanceof undici.errors.InvalidArgumentError || error instanceof undici.errors.NotSupportedError) {
    return new GatewayError('internal_error', { cause: error });
  }
  const reason = nameReason(error);
  return isOwnFault(error)
    ? new GatewayError('overloaded', {
        retryAfter: ROOM_AGAIN_SECONDS,
        log: { reason, remedy: NOTHING_LEFT_REMEDY },
        cause: error,
      })
    : createDownstreamFailure(nameFailure(error), reason, { cause: error });
}

function nameFailure(error: Error): DownstreamFailure {
  if (
    error instanceof undici.errors.ConnectTimeoutError ||
    error instanceof undici.errors.HeadersTimeoutError ||
    error instanceof undici.errors.BodyTimeoutError
  ) {
    return 'downstream_timeout';
  }
  const isInvalid =
    error instanceof undici.errors.HTTPParserError ||
    error instanceof undici.errors.HeadersOverflowError ||
    error instanceof undici.errors.ResponseContentLengthMismatchError ||
    (error instanceof undici.errors.SocketError && UNASKED.has(error.message));
  return isInvalid ? 'downstream_invalid_response' : 'downstream_unreachable';
}

function nameReason(error: Error): string {
  return 'code' in error ? String(error.code) : error.name;
}
