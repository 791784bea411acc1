import { STATUS_CODES, type ServerResponse } from 'node:http';
import { selectResponseHeaders } from './response-headers.ts';

/**
 * Passes an interim answer of a downstream on (RFC 9110 §15.2), by the rules for the headers of every answer. It is
 * dropped, as it may be, for a caller that knows none (HTTP/1.0), does not read, or has its answer already.
 *
 * @param status 102 to 199; 100 is between the gateway and its own callers, 101 is no interim answer
 * @param rawHeaders names and values in turn, in Latin-1
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-15.2
 */
export function passInterimAnswer(res: ServerResponse, status: number, rawHeaders: readonly string[]): void {
  const { socket, req } = res;
  if (socket?.writable !== true || socket.writableNeedDrain || res.headersSent || req.httpVersion === '1.0') {
    return;
  }
  const headers = selectResponseHeaders(rawHeaders, { mayHaveLength: false });
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
  for (let index = 0; index < headers.length; index += 2) {
    head += `${headers[index]}: ${headers[index + 1]}\r\n`;
  }
  // Not writeEarlyHints(), which takes no header but Link in a form of its own.
  socket.write(`${head}\r\n`, 'latin1');
}
