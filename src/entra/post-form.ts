import { GatewayError } from '../failures.ts';
import type { Clock } from '../resilience/clock.ts';
import { EntraUnreachable, type EntraHttpClient, type EntraResponse } from './http-client.ts';
import { readRetryAfter } from './retry-after.ts';

/** A form for an endpoint of Entra. */
export interface EntraForm {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly encodedForm: string;
}

/**
 * Posts a form of a client to Entra.
 *
 * @param now the time of day
 * @returns an answer with JSON and a status below 500
 * @throws {GatewayError} `identity_unavailable` when Entra gives no answer, or one that its endpoint cannot have given
 */
export async function postForm(
  http: EntraHttpClient,
  { url, headers, encodedForm }: EntraForm,
  now: Clock,
): Promise<EntraResponse> {
  let response: EntraResponse;
  try {
    response = await http.post(
      url,
      { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded', ...headers },
      encodedForm,
    );
  } catch (error) {
    const reason = error instanceof EntraUnreachable ? error.message : 'unknown';
    throw new GatewayError('identity_unavailable', { log: { entra: { error: reason } } });
  }
  if (!isAnswer(response)) {
    const { status } = response;
    throw new GatewayError('identity_unavailable', { log: { entra: { status } }, ...readWait(response, now()) });
  }
  return response;
}

/** The wait that Entra asks for, as a fact of a failure: seconds, at least one; nothing where it asks for none. */
export function readWait({ headers }: EntraResponse, now: number): { retryAfter?: number } {
  const wait = readRetryAfter(headers['retry-after'], now);
  return wait === undefined ? {} : { retryAfter: Math.max(1, Math.ceil(wait / 1_000)) };
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
