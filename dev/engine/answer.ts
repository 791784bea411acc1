import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { ApiSilent } from './api.ts';
import type { Call } from './call.ts';
import { selectFromApi, selectFromRefusal } from './headers.ts';
import { GatewaySilent } from './question.ts';
import { NoRoute } from './routes.ts';
import { TooSlow } from './send.ts';

/** Passes the answer of an API to the client, as a stream. */
export function passAnswer(answer: IncomingMessage, call: Call, forPages: readonly string[]): Promise<void> {
  const { statusCode = 502, statusMessage, rawHeaders } = answer;
  const headers = [...selectFromApi(rawHeaders, [['X-Request-Id', call.requestId]]), ...forPages];
  call.res.writeHead(statusCode, statusMessage, headers);
  return pipeline(answer, call.res);
}

/** Passes a refusal of the gateway to the client: its status, its challenge, its problem. */
export function passRefusal(refusal: IncomingMessage, { res }: Call): Promise<void> {
  const { statusCode = 503, statusMessage, rawHeaders } = refusal;
  res.writeHead(statusCode, statusMessage, selectFromRefusal(rawHeaders));
  return pipeline(refusal, res);
}

/** What the engine says where nobody else has said anything: of the gateway, in its words. */
interface OwnWords {
  readonly status: number;
  readonly problem: Readonly<Record<string, unknown>>;
  readonly headers?: readonly string[];
}

/** Answers in the engine's own name; where an answer has begun, breaks it off, so that it does not look complete. */
export function refuseByItself({ res, requestId }: Call, error: unknown, forPages: readonly string[]): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const { status, problem, headers = [] } = inOwnWords(error);
  const body = JSON.stringify({ ...problem, status, requestId });
  res.writeHead(status, [
    'Content-Type',
    'application/problem+json',
    'Cache-Control',
    'no-store',
    'X-Request-Id',
    requestId,
    ...headers,
    ...forPages,
  ]);
  res.end(body);
}

function inOwnWords(error: unknown): OwnWords {
  if (error instanceof GatewaySilent) {
    return {
      status: 503,
      headers: ['Retry-After', '5'],
      problem: {
        type: 'urn:obo-gateway:problem:identity_unavailable',
        title: 'The identity service is unavailable',
        detail: 'Wait as long as Retry-After says and send the same request again.',
        code: 'identity_unavailable',
      },
    };
  }
  if (error instanceof NoRoute) {
    return { status: 404, problem: { type: 'about:blank', title: 'Not Found' } };
  }
  const isSlow = error instanceof ApiSilent && error.cause instanceof TooSlow;
  return isSlow
    ? { status: 504, problem: { type: 'about:blank', title: 'Gateway Timeout' } }
    : { status: 502, problem: { type: 'about:blank', title: 'Bad Gateway' } };
}
