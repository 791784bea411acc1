import type { IncomingMessage } from 'node:http';
import type { Call } from './call.ts';
import { selectForApi } from './headers.ts';
import type { Route } from './routes.ts';
import { send } from './send.ts';

/** The API did not answer, or what it said is not HTTP. */
export class ApiSilent extends Error {}

/** How an API is called. */
export interface ApiOptions {
  readonly route: Route;
  /** How clients reach the engine. */
  readonly publicOrigin: string;
  /** Milliseconds that it has for the head of its answer. */
  readonly timeoutMs: number;
}

/** Methods whose calls say how long their body is even where there is none (RFC 9110 §8.6). */
const TELL_LENGTH: ReadonlySet<string> = new Set(['PATCH', 'POST', 'PUT']);

/**
 * Makes a call at its API, and streams its body there.
 *
 * @param authorization the API's own; `undefined` where the call needs none
 * @returns the answer, whose body is still to be read
 * @throws {ApiSilent} when there is none
 */
export async function callApi(
  { req, requestId, hasBody, signal }: Call,
  authorization: string | undefined,
  { route, publicOrigin, timeoutMs }: ApiOptions,
): Promise<IncomingMessage> {
  const { method = '', url = '', rawHeaders, socket } = req;
  const isChunked = req.headers['transfer-encoding'] !== undefined;
  const { host, protocol } = new URL(publicOrigin);
  try {
    return await send({
      origin: route.origin,
      method,
      target: `${route.prefix ?? ''}${url}`,
      headers: selectForApi(rawHeaders, [
        ['Authorization', authorization],
        ['X-Request-Id', requestId],
        ['X-Forwarded-For', socket.remoteAddress],
        ['X-Forwarded-Host', host],
        ['X-Forwarded-Proto', protocol.slice(0, -1)],
        ['Transfer-Encoding', isChunked ? 'chunked' : undefined],
        ['Content-Length', isChunked ? undefined : (req.headers['content-length'] ?? lengthOf(method))],
      ]),
      body: hasBody ? req : undefined,
      timeoutMs,
      signal,
    });
  } catch (error) {
    throw new ApiSilent('the API did not answer', { cause: error });
  }
}

function lengthOf(method: string): string | undefined {
  return TELL_LENGTH.has(method) ? '0' : undefined;
}
