import type { IncomingMessage } from 'node:http';
import { EntraUnreachable, type EntraHttpClient, type EntraResponse } from '../entra/http-client.ts';
import { readRetryAfter } from '../entra/retry-after.ts';
import { GatewayError } from '../failures.ts';
import type { Clock } from '../resilience/clock.ts';
import { TRACEPARENT } from '../syntax/http-syntax.ts';

/** The headers in which MSAL tells Entra about itself. */
export const CLIENT_HEADERS = [
  'x-client-cpu',
  'x-client-current-telemetry',
  'x-client-last-telemetry',
  'x-client-os',
  'x-client-sku',
  'x-client-ver',
] as const;

const PRINTABLE = /^[\x20-\x7e]*$/;

/** A checked form on its way to Entra, and the GUID by which Entra's logs know it. */
interface FormRequest {
  readonly url: string;
  readonly encodedForm: string;
  readonly correlationId: string | undefined;
}

/** An answer of the native authentication API: JSON, whatever its status below 500. */
export interface NativeAuthAnswer {
  readonly status: number;
  /** As Entra wrote it. */
  readonly json: string;
  /** `x-ms-request-id` and `Retry-After`, where Entra sent them: names and values in turn. */
  readonly headers: readonly string[];
}

/**
 * Sends a form on to Entra.
 *
 * @param now the time of day
 * @throws {GatewayError} `identity_unavailable` when Entra gives no answer, or one that the API cannot have given
 */
export async function askEntra(
  http: EntraHttpClient,
  req: IncomingMessage,
  { url, encodedForm, correlationId }: FormRequest,
  now: Clock,
): Promise<NativeAuthAnswer> {
  const headers = { ...selectHeaders(req), ...(correlationId && { 'client-request-id': correlationId }) };
  let response: EntraResponse;
  try {
    response = await http.post(url, headers, encodedForm);
  } catch (error) {
    const reason = error instanceof EntraUnreachable ? error.message : 'unknown';
    throw new GatewayError('identity_unavailable', { log: { entra: { error: reason } } });
  }
  const { status, text } = response;
  if (!isAnswer(response)) {
    throw new GatewayError('identity_unavailable', { log: { entra: { status } }, ...readWait(response, now()) });
  }
  return { status, json: text, headers: answerHeaders(response) };
}

function selectHeaders({ headers }: IncomingMessage): Record<string, string> {
  const ofClient = CLIENT_HEADERS.flatMap((name) => {
    const value = headers[name];
    return typeof value === 'string' && PRINTABLE.test(value) ? [[name, value] as const] : [];
  });
  const { traceparent } = headers;
  return {
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
    ...Object.fromEntries(ofClient),
    ...(typeof traceparent === 'string' && TRACEPARENT.test(traceparent) ? { traceparent } : {}),
  };
}

/** False for an error page, a redirect or a fault of the server, which the client must not read. */
function isAnswer({ status, headers, text }: EntraResponse): boolean {
  const isOfApi = (status >= 200 && status < 300) || (status >= 400 && status < 500);
  return isOfApi && /^application\/json *(?:;|$)/i.test(headers['content-type'] ?? '') && isJson(text);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function answerHeaders({ headers }: EntraResponse): string[] {
  return ['x-ms-request-id', 'retry-after'].flatMap((name) => {
    const value = headers[name];
    return value !== undefined && PRINTABLE.test(value) ? [name, value] : [];
  });
}

function readWait({ headers }: EntraResponse, now: number): { retryAfter?: number } {
  const wait = readRetryAfter(headers['retry-after'], now);
  return wait === undefined ? {} : { retryAfter: Math.max(1, Math.ceil(wait / 1_000)) };
}
