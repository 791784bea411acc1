import type { IncomingMessage } from 'node:http';
import type { EntraHttpClient, EntraResponse } from '../entra/http-client.ts';
import { postForm } from '../entra/post-form.ts';
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
  const response = await postForm(http, { url, headers, encodedForm }, now);
  return { status: response.status, json: response.text, headers: answerHeaders(response) };
}

function selectHeaders({ headers }: IncomingMessage): Record<string, string> {
  const ofClient = CLIENT_HEADERS.flatMap((name) => {
    const value = headers[name];
    return typeof value === 'string' && PRINTABLE.test(value) ? [[name, value] as const] : [];
  });
  const { traceparent } = headers;
  return {
    ...Object.fromEntries(ofClient),
    ...(typeof traceparent === 'string' && TRACEPARENT.test(traceparent) ? { traceparent } : {}),
  };
}

function answerHeaders({ headers }: EntraResponse): string[] {
  return ['x-ms-request-id', 'retry-after'].flatMap((name) => {
    const value = headers[name];
    return value !== undefined && PRINTABLE.test(value) ? [name, value] : [];
  });
}
