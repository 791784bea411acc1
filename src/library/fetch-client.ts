import { Readable } from 'node:stream';
import { STATUS_CODES } from 'node:http';
import { createDownstreamFailure } from '../forward/downstream-failure.ts';
import { CallerGone } from '../request/caller-gone.ts';
import { isAbsolute, readAddress } from './address.ts';
import type { DownstreamCaller } from './downstream-caller.ts';
import { makeCall } from './make-call.ts';
import type { DownstreamAddress } from './named-downstream.ts';
import { isAsyncIterable } from './outgoing-body.ts';
import { OboUsageError } from './usage-error.ts';

/** As `fetch`, with paths below the base address of the downstream. Redirects are answers, and are not followed. */
export type DownstreamFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** Answers that have no body (Fetch §2.2.6). */
const BODILESS: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);

/** Makes the `fetch` of one downstream for the caller of one request. */
export function createFetch(caller: DownstreamCaller, downstream: DownstreamAddress): DownstreamFetch {
  return (input, init) => caller.request.follow(() => send(input, init, caller, downstream));
}

async function send(
  input: string | URL | Request,
  init: RequestInit = {},
  caller: DownstreamCaller,
  { name, baseUrl }: DownstreamAddress,
): Promise<Response> {
  if (baseUrl === undefined) {
    throw new OboUsageError(
      `downstreams.${name} has no baseUrl, so it cannot be called; write its address there, or use authorization().`,
    );
  }
  const written = input instanceof Request ? input.url : String(input);
  const url = isAbsolute(written) ? written : `${baseUrl}${/^[/?#]|^$/.test(written) ? '' : '/'}${written}`;
  const address = readAddress(url, { name, baseUrl });
  const isStream = isAsyncIterable(init.body);
  const request = new Request(input instanceof Request ? input : new URL(url), {
    ...init,
    ...(isStream && { duplex: 'half' }),
  });
  const { method, headers, signal } = request;
  if (signal.aborted) {
    throw signal.reason;
  }
  const lifetime = caller.request.openLifetime();
  const abort = (): void => lifetime.end();
  const toError = (error: unknown): Error =>
    (error instanceof CallerGone && signal.aborted ? signal.reason : error) as Error;
  signal.addEventListener('abort', abort);
  try {
    const answer = await makeCall(caller, {
      method,
      address,
      headers: [...headers].flat(),
      data: isStream || request.body === null ? request.body : Buffer.from(await request.arrayBuffer()),
      lifetime,
      toError,
    });
    answer.body.once('close', () => {
      signal.removeEventListener('abort', abort);
      caller.request.release(lifetime);
    });
    caller.request.watchAnswer();
    return toResponse(answer, url);
  } catch (error) {
    signal.removeEventListener('abort', abort);
    caller.request.release(lifetime);
    throw toError(error);
  }
}

/** The largest status of an answer that `Response` takes (Fetch §2.2.6). */
const MAX_STATUS = 599;

/** @throws {GatewayError} `downstream_invalid_response` for a status that is none */
function toResponse(
  { status, headers: rawHeaders, body }: Awaited<ReturnType<typeof makeCall>>,
  url: string,
): Response {
  if (status > MAX_STATUS) {
    body.destroy();
    throw createDownstreamFailure('downstream_invalid_response', 'its status');
  }
  const headers = new Headers();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    headers.append(rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '');
  }
  const isBodiless = BODILESS.has(status);
  if (isBodiless) {
    body.resume();
  }
  const response = new Response(isBodiless ? null : Readable.toWeb(body), {
    status,
    statusText: STATUS_CODES[status] ?? '',
    headers,
  });
  return Object.defineProperty(response, 'url', { value: url });
}
