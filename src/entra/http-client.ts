import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import axios, { AxiosError, type AxiosInstance } from 'axios';

/** An answer of Entra, whatever its status and content. */
export interface EntraResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Entra could not be reached, hung up, or took too long. */
export class EntraUnreachable extends Error {
  override readonly name = 'EntraUnreachable';
}

const LARGEST_RESPONSE = 1024 * 1024;

/** The one way to talk to Entra: keep-alive connections, a deadline on every call, no redirects, bounded answers. */
export class EntraHttpClient {
  readonly #axios: AxiosInstance;
  readonly #agents = [new HttpAgent({ keepAlive: true }), new HttpsAgent({ keepAlive: true })] as const;
  readonly #deadline: number;

  /**
   * @param deadline milliseconds from the start of a call to the end of its answer
   * @param options.useProxy whether HTTP_PROXY and its kin count; default true
   */
  constructor(deadline: number, { useProxy = true }: { readonly useProxy?: boolean } = {}) {
    this.#deadline = deadline;
    this.#axios = axios.create({
      httpAgent: this.#agents[0],
      httpsAgent: this.#agents[1],
      maxRedirects: 0,
      ...(useProxy ? {} : { proxy: false }),
      maxContentLength: LARGEST_RESPONSE,
      responseType: 'text',
      transformResponse: [],
      transformRequest: [],
      validateStatus: () => true,
    });
  }

  /** @throws {EntraUnreachable} when there is no complete answer within the deadline */
  get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<EntraResponse> {
    return this.#send('GET', url, { accept: 'application/json', ...headers });
  }

  /** @throws {EntraUnreachable} when there is no complete answer within the deadline */
  post(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<EntraResponse> {
    return this.#send('POST', url, headers, body);
  }

  /** Closes idle connections. */
  close(): void {
    for (const agent of this.#agents) {
      agent.destroy();
    }
  }

  async #send(
    method: string,
    url: string,
    headers: Readonly<Record<string, string>>,
    data?: string,
  ): Promise<EntraResponse> {
    try {
      const signal = AbortSignal.timeout(this.#deadline);
      const response = await this.#axios.request<string>({ method, url, headers, data, signal });
      return { status: response.status, headers: flatten(response.headers), text: response.data };
    } catch (error) {
      // The cause would carry the request with its assertion and secret, so only its code survives.
      throw new EntraUnreachable(describe(error));
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
