import { STATUS_CODES } from 'node:http';
import type { Readable } from 'node:stream';
import axios, {
  AxiosError,
  AxiosHeaders,
  CanceledError,
  type AxiosAdapter,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';
import { rejectedToken } from '../journey.ts';
import { CallerGone } from '../request/caller-gone.ts';
import { isAbsolute, readAddress, type Address } from './address.ts';
import type { CallLifetime } from './call-lifetime.ts';
import type { DownstreamCaller } from './downstream-caller.ts';
import { makeCall } from './make-call.ts';
import type { DownstreamAddress } from './named-downstream.ts';
import { OboUsageError } from './usage-error.ts';

/**
 * Makes the adapter with which axios calls one downstream: it sends through the gateway's own connections, adds the
 * caller's token itself, and follows no redirect.
 */
export function createAxiosAdapter(caller: DownstreamCaller, downstream: DownstreamAddress): AxiosAdapter {
  return (config) => caller.request.follow(() => send(config, caller, downstream));
}

async function send(
  config: InternalAxiosRequestConfig,
  caller: DownstreamCaller,
  downstream: DownstreamAddress,
): Promise<AxiosResponse> {
  const address = addressOf(config, downstream);
  const lifetime = caller.request.openLifetime();
  const limits = new CallLimits(config, lifetime);
  const finish = (): void => {
    limits.end();
    caller.request.release(lifetime);
  };
  let isStreaming = false;
  try {
    const answer = await makeCall(caller, {
      method: (config.method ?? 'get').toUpperCase(),
      address,
      headers: listHeaders(config),
      data: config.data,
      lifetime,
      decompresses: config.decompress !== false,
    });
    const isStream = config.responseType === 'stream';
    const response: AxiosResponse = {
      data: isStream ? answer.body : await readBody(answer.body, config),
      status: answer.status,
      statusText: STATUS_CODES[answer.status] ?? '',
      headers: collectHeaders(answer.headers),
      config,
      request: null,
    };
    if (isStream) {
      isStreaming = true;
      // The time counts until the head is here; the signal counts until the end.
      limits.endTimeout();
      limits.stream = answer.body;
      answer.body.once('close', finish);
      caller.request.watchAnswer();
    }
    return settle(response, config, caller);
  } catch (error) {
    throw error instanceof CallerGone ? (limits.error ?? error) : error;
  } finally {
    if (!isStreaming) {
      finish();
    }
  }
}

function addressOf(config: InternalAxiosRequestConfig, { name, baseUrl }: DownstreamAddress): Address {
  const { url = '', params, paramsSerializer, allowAbsoluteUrls } = config;
  if (baseUrl === undefined) {
    throw new OboUsageError(
      `downstreams.${name} has no baseUrl, so it cannot be called; write its address there, or use authorization().`,
    );
  }
  const baseURL = config.baseURL ?? baseUrl;
  const whole = isAbsolute(url) ? url : `${baseURL.replace(/\/+$/, '')}${/^[/?#]|^$/.test(url) ? '' : '/'}${url}`;
  return readAddress(
    axios.getUri({
      url: whole,
      baseURL: '',
      params: params as unknown,
      ...(paramsSerializer !== undefined && { paramsSerializer }),
      ...(allowAbsoluteUrls !== undefined && { allowAbsoluteUrls: true }),
    }),
    { name, baseUrl },
  );
}

function listHeaders({ headers, data }: InternalAxiosRequestConfig): string[] {
  const own = hasOwnHeaders(data) ? data.getHeaders() : {};
  return Object.entries(AxiosHeaders.concat(headers, own).toJSON()).flatMap(([name, value]) =>
    [value].flat().flatMap((each) => (each === null || each === undefined ? [] : [name, each])),
  );
}

/** True for the form of the `form-data` package, a stream that knows its boundary. */
function hasOwnHeaders(data: unknown): data is { getHeaders(): Record<string, string> } {
  return typeof (data as { getHeaders?: unknown } | null | undefined)?.getHeaders === 'function';
}

function collectHeaders(rawHeaders: readonly string[]): AxiosHeaders {
  const headers = new AxiosHeaders();
  const cookies: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    const value = rawHeaders[index + 1] ?? '';
    if (name === 'set-cookie') {
      cookies.push(value);
    } else {
      const before = headers.get(name);
      headers.set(name, typeof before === 'string' ? `${before}, ${value}` : value);
    }
  }
  return cookies.length === 0 ? headers : headers.set('set-cookie', cookies);
}

async function readBody(body: Readable, config: InternalAxiosRequestConfig): Promise<unknown> {
  const { maxContentLength = -1, responseType, responseEncoding } = config;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (maxContentLength >= 0 && length > maxContentLength) {
      throw new AxiosError(
        `maxContentLength size of ${maxContentLength} exceeded`,
        AxiosError.ERR_BAD_RESPONSE,
        config,
        null,
      );
    }
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (responseType === 'arraybuffer') {
    return bytes;
  }
  if (responseType === 'blob') {
    return new Blob([bytes]);
  }
  const text = bytes.toString((responseEncoding ?? 'utf8') as BufferEncoding);
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/**
 * Rejects what the application does not accept as an answer, by default what is not 2xx. A 401 that comes this far is about
 * our token and no fault of the caller, which the error tells whoever answers the caller with it.
 */
function settle(
  response: AxiosResponse,
  config: InternalAxiosRequestConfig,
  { request }: DownstreamCaller,
): AxiosResponse {
  const { status } = response;
  if (typeof config.validateStatus !== 'function' || config.validateStatus(status)) {
    return response;
  }
  const error = new AxiosError(
    `Request failed with status code ${status}`,
    status >= 400 && status < 500 ? AxiosError.ERR_BAD_REQUEST : AxiosError.ERR_BAD_RESPONSE,
    config,
    null,
    response,
  );
  throw status === 401 ? Object.assign(error, { cause: request.refuse(rejectedToken()) }) : error;
}

/** What ends a call from the side of the application: its signal, its token and its timeout. */
class CallLimits {
  /** Why it ended, once it did. */
  error: Error | undefined;
  /** The body that fails with it, where that still comes. */
  stream: Readable | undefined;
  readonly #lifetime: CallLifetime;
  readonly #signal: InternalAxiosRequestConfig['signal'];
  readonly #cancelToken: InternalAxiosRequestConfig['cancelToken'];
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #cancel: () => void;

  constructor(config: InternalAxiosRequestConfig, lifetime: CallLifetime) {
    const { timeout = 0, signal, cancelToken } = config;
    this.#lifetime = lifetime;
    this.#signal = signal;
    this.#cancel = () => this.#end(new CanceledError(undefined, undefined, config));
    this.#cancelToken = cancelToken;
    cancelToken?.subscribe(this.#cancel);
    if (signal?.aborted === true) {
      this.#cancel();
    } else {
      signal?.addEventListener?.('abort', this.#cancel);
    }
    if (timeout > 0) {
      const message = config.timeoutErrorMessage ?? `timeout of ${timeout}ms exceeded`;
      const code = config.transitional?.clarifyTimeoutError === true ? AxiosError.ETIMEDOUT : AxiosError.ECONNABORTED;
      this.#timer = setTimeout(() => this.#end(new AxiosError(message, code, config, null)), timeout);
    }
  }

  /** To be called when the call is over. */
  end(): void {
    this.endTimeout();
    this.#signal?.removeEventListener?.('abort', this.#cancel);
    this.#cancelToken?.unsubscribe(this.#cancel);
  }

  /** To be called when the call can take as long as it likes from now on. */
  endTimeout(): void {
    clearTimeout(this.#timer);
  }

  #end(error: Error): void {
    this.error ??= error;
    this.stream?.destroy(error);
    this.#lifetime.end();
  }
}
