import type { IncomingMessage } from 'node:http';

/**
 * True where nobody can be certain what the next bytes on the connection are: a caller that asked whether to send its
 * body may or may not send it after a refusal, and chunks in HTTP/1.0 are a body to some and requests to others (RFC
 * 9112 §6.1).
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-6.1
 */
export function hasUncertainEnd({ headers, httpVersion }: IncomingMessage): boolean {
  return headers.expect !== undefined || (httpVersion === '1.0' && headers['transfer-encoding'] !== undefined);
}
