import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { AxiosError, AxiosHeaders, getAdapter, type AxiosRequestConfig } from 'axios';
import { isLoopback } from '../network/loopback.ts';

/** An answer of Entra, with any status and any content. */
export interface EntraResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

interface EntraCall {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly data?: string;
  readonly deadlineMs: number;
}

/** Entra could not be reached, hung up, or took too long. */
export class EntraUnreachable extends Error {
  override readonly name = 'EntraUnreachable';
}

/** The longest answer that is read. */
const MAX_RESPONSE_BYTES = 1024 * 1024;

/** Tells axios to use no proxy. */
const DIRECT = { proxy: false } as const;

/** Axios without its interceptors and its merging of defaults, which take 0.04 ms of a call and do nothing here. */
const send = getAdapter('http');

/**
 * The HTTP client for all calls to Entra: keep-alive connections, a deadline on every call, no redirects, bounded
 * answers. A call to an address of this machine never goes through a proxy: it is in clear text, and the proxy would
 * read the secret in it.
 */
export class EntraHttpClient {
  readonly #settings: AxiosRequestConfig;
  readonly #useProxy: boolean;
  #isClosed = false;
  readonly #agents = [new HttpAgent({ keepAlive: true }), new HttpsAgent({ keepAlive: true })] as const;
  /** The time for a whole call, from its start to the end of the answer. */
  readonly deadlineMs: number;

  /**
   * @param deadlineMs the time for a whole call, from its start to the end of the answer
   * @param options.useProxy whether the proxy variables of the environment (`HTTPS_PROXY`, `NO_PROXY` …) count; default
   *   true, but never for loopback addresses
   */
  constructor(deadlineMs: number, { useProxy = true }: { readonly useProxy?: boolean } = {}) {
    this.deadlineMs = deadlineMs;
    this.#useProxy = useProxy;
    this.#settings = {
      httpAgent: this.#agents[0],
      httpsAgent: this.#agents[1],
      maxRedirects: 0,
      maxContentLength: MAX_RESPONSE_BYTES,
      responseType: 'text',
      validateStatus: () => true,
    };
  }

  /** @throws {EntraUnreachable} when there is no complete answer within the deadline */
  get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<EntraResponse> {
    return this.#send({
      method: 'GET',
      url,
      headers: { accept: 'application/json', ...headers },
      deadlineMs: this.deadlineMs,
    });
  }

  /**
   * @param deadlineMs for a call that has less time than others; default {@link EntraHttpClient.deadlineMs}
   * @throws {EntraUnreachable} when there is no complete answer within the deadline
   */
  post(
    url: string,
    headers: Readonly<Record<string, string>>,
    body: string,
    deadlineMs = this.deadlineMs,
  ): Promise<EntraResponse> {
    return this.#send({ method: 'POST', url, headers, data: body, deadlineMs });
  }

  /** Closes all connections, and makes none any more: what broke off is not tried again. */
  close(): void {
    this.#isClosed = true;
    for (const agent of this.#agents) {
      agent.destroy();
    }
  }

  async #send({ deadlineMs, headers: given, ...call }: EntraCall): Promise<EntraResponse> {
    if (this.#isClosed) {
      throw new EntraUnreachable('closed');
    }
    // AbortSignal.timeout would keep each call in memory until its deadline, long after the answer.
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), deadlineMs);
    const { signal } = giveUp;
    const headers = AxiosHeaders.from(given);
    try {
      const route = this.#useProxy && !isLoopback(new URL(call.url).hostname) ? {} : DIRECT;
      const response = await send({ ...this.#settings, ...route, ...call, headers, signal });
      return { status: response.status, headers: flatten(response.headers), text: String(response.data) };
    } catch (error) {
      // The cause would carry the request with its assertion and secret, so only the code of the error is kept.
      throw new EntraUnreachable(describe(error));
    } finally {
      clearTimeout(timer);
    }
  }
}

function flatten(headers: object): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
}

function describe(error: unknown): string {
  if (!(error instanceof AxiosError)) {
    return 'unknown';
  }
  return error.code === AxiosError.ERR_CANCELED ? 'deadline exceeded' : (error.code ?? 'unknown');
}
