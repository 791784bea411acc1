import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { AxiosAdapter, AxiosRequestConfig, AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import type { Agent } from 'undici';
import { findProxy } from '../network/proxy-address.ts';
import { undici } from '../network/undici.ts';
import { axios } from './axios.ts';
import { createDirectAdapter } from './direct-adapter.ts';

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
  /** For the whole call; milliseconds. */
  readonly timeout: number;
}

/** Entra could not be reached, hung up, or took too long. */
export class EntraUnreachable extends Error {
  override readonly name = 'EntraUnreachable';
}

/** The longest answer that is read. */
const MAX_RESPONSE_BYTES = 1024 * 1024;

/** How long a connection is kept for the next call, unless Entra names a shorter time; milliseconds. */
const KEPT_MS = 60_000;

/** What every call asks of axios. */
const SETTINGS: AxiosRequestConfig = {
  maxRedirects: 0,
  maxContentLength: MAX_RESPONSE_BYTES,
  responseType: 'text',
  validateStatus: () => true,
};

/** Axios without its interceptors and its merging of defaults, which take 0.04 ms of a call and do nothing here. */
const sendThroughProxy = axios.getAdapter('http');

/**
 * The HTTP client for all calls to Entra: keep-alive connections, a deadline on every call, no redirects, bounded
 * answers. A call to an address of this machine never goes through a proxy: it is in clear text, and the proxy would
 * read the secret in it.
 */
export class EntraHttpClient {
  readonly #useProxy: boolean;
  readonly #connections: Agent;
  readonly #send: AxiosAdapter;
  /** The connections to proxies. */
  readonly #agents = [new HttpAgent({ keepAlive: true }), new HttpsAgent({ keepAlive: true })] as const;
  #isClosed = false;
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
    // For undici, 0 is no limit: each call has a deadline of its own.
    const timeouts = { connect: { timeout: deadlineMs }, headersTimeout: 0, bodyTimeout: 0 };
    this.#connections = new undici.Agent({ ...timeouts, keepAliveTimeout: KEPT_MS });
    this.#send = createDirectAdapter(this.#connections);
  }

  /** @throws {EntraUnreachable} when there is no complete answer within the deadline */
  get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<EntraResponse> {
    return this.#call({
      method: 'GET',
      url,
      headers: { accept: 'application/json', ...headers },
      timeout: this.deadlineMs,
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
    return this.#call({ method: 'POST', url, headers, data: body, timeout: deadlineMs });
  }

  /** Closes all connections, and makes none any more: what broke off is not tried again. */
  close(): void {
    this.#isClosed = true;
    void this.#connections.destroy();
    for (const agent of this.#agents) {
      agent.destroy();
    }
  }

  async #call({ headers: given, ...call }: EntraCall): Promise<EntraResponse> {
    if (this.#isClosed) {
      throw new EntraUnreachable('closed');
    }
    const config = { ...SETTINGS, ...call, headers: axios.AxiosHeaders.from(given) };
    try {
      const hasProxy = this.#useProxy && findProxy(new URL(call.url), process.env) !== undefined;
      const { status, headers, data } = await (hasProxy ? this.#callThroughProxy(config) : this.#send(config));
      return { status, headers: flatten(headers), text: String(data) };
    } catch (error) {
      // The cause would carry the request with its assertion and secret, so only the code of the error is kept.
      throw new EntraUnreachable(describe(error));
    }
  }

  /** The time for the whole call is a signal here, because axios' own timeout ends only silence. */
  async #callThroughProxy({ timeout, ...config }: InternalAxiosRequestConfig): Promise<AxiosResponse> {
    // AbortSignal.timeout would keep each call in memory until its deadline, long after the answer.
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), timeout);
    const [httpAgent, httpsAgent] = this.#agents;
    try {
      return await sendThroughProxy({ ...config, httpAgent, httpsAgent, signal: giveUp.signal });
    } finally {
      clearTimeout(timer);
    }
  }
}

function flatten(headers: object): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
}

function describe(error: unknown): string {
  if (!(error instanceof axios.AxiosError)) {
    return 'unknown';
  }
  return error.code === axios.AxiosError.ERR_CANCELED ? 'deadline exceeded' : (error.code ?? 'unknown');
}
