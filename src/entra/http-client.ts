import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { AxiosError, AxiosHeaders, getAdapter, type AxiosRequestConfig } from 'axios';
import { isLoopback } from '../network/loopback.ts';

/** An answer of Entra, whatever its status and content. */
export interface EntraResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

interface EntraCall {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly data?: string;
  /** Milliseconds. */
  readonly deadline: number;
}

/** Entra could not be reached, hung up, or took too long. */
export class EntraUnreachable extends Error {
  override readonly name = 'EntraUnreachable';
}

const MAX_RESPONSE = 1024 * 1024;

const DIRECT = { proxy: false } as const;

/** Axios without its interceptors and the merging of defaults, which take 0.04 ms of a call and do nothing here. */
const send = getAdapter('http');

/**
 * The one way to talk to Entra: keep-alive connections, a deadline on every call, no redirects, bounded answers. An
 * address of this machine is never asked through a proxy, which would read the secret that goes there in clear.
 */
export class EntraHttpClient {
  readonly #settings: AxiosRequestConfig;
  readonly #useProxy: boolean;
  readonly #agents = [new HttpAgent({ keepAlive: true }), new HttpsAgent({ keepAlive: true })] as const;
  /** Milliseconds from the start of a call to the end of its answer. */
  readonly deadline: number;

  /**
   * @param deadline milliseconds from the start of a call to the end of its answer
   * @param options.useProxy whether HTTP_PROXY and its kin count, but for loopback addresses; default true
   */
  constructor(deadline: number, { useProxy = true }: { readonly useProxy?: boolean } = {}) {
    this.deadline = deadline;
    this.#useProxy = useProxy;
    this.#settings = {
      httpAgent: this.#agents[0],
      httpsAgent: this.#agents[1],
      maxRedirects: 0,
      maxContentLength: MAX_RESPONSE,
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
      deadline: this.deadline,
    });
  }

  /**
   * @param deadline milliseconds, for a call that has less time than others
   * @throws {EntraUnreachable} when there is no complete answer within the deadline
   */
  post(
    url: string,
    headers: Readonly<Record<string, string>>,
    body: string,
    deadline = this.deadline,
  ): Promise<EntraResponse> {
    return this.#send({ method: 'POST', url, headers, data: body, deadline });
  }

  /** Closes idle connections. */
  close(): void {
    for (const agent of this.#agents) {
      agent.destroy();
    }
  }

  async #send({ deadline, headers: given, ...call }: EntraCall): Promise<EntraResponse> {
    // AbortSignal.timeout would keep each call in memory until its deadline, long after its answer.
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), deadline);
    const { signal } = giveUp;
    const headers = AxiosHeaders.from(given);
    try {
      const route = this.#useProxy && !isLoopback(new URL(call.url).hostname) ? {} : DIRECT;
      const response = await send({ ...this.#settings, ...route, ...call, headers, signal });
      return { status: response.status, headers: flatten(response.headers), text: String(response.data) };
    } catch (error) {
      // The cause would carry the request with its assertion and secret, so only its code survives.
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
