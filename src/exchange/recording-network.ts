import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from '@azure/msal-node';
import { EntraUnreachable, type EntraHttpClient, type EntraResponse } from '../entra/http-client.ts';

/**
 * Carries MSAL's one request of an exchange and keeps Entra's raw answer, because MSAL's errors lose the claims of
 * some refusals, the status and `Retry-After`, and give up on what is not JSON.
 */
export class RecordingNetwork implements INetworkModule {
  readonly #http: EntraHttpClient;
  #response: EntraResponse | undefined;
  #unreachable: EntraUnreachable | undefined;

  constructor(http: EntraHttpClient) {
    this.#http = http;
  }

  /** The answer of the token endpoint; `undefined` when none came. */
  get response(): EntraResponse | undefined {
    return this.#response;
  }

  /** Why no answer came. */
  get unreachable(): EntraUnreachable | undefined {
    return this.#unreachable;
  }

  async sendPostRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    try {
      this.#response = await this.#http.post(url, options?.headers ?? {}, options?.body ?? '');
    } catch (error) {
      this.#unreachable = error instanceof EntraUnreachable ? error : new EntraUnreachable('unknown');
      throw this.#unreachable;
    }
    const { status, text } = this.#response;
    // Entra's headers stay here: MSAL would take Retry-After as a reason to refuse the calls of other users.
    return { status, headers: {}, body: parse(text) as T };
  }

  /** MSAL has static metadata, so it has nothing to get. */
  sendGetRequestAsync<T>(url: string): Promise<NetworkResponse<T>> {
    return Promise.reject(new Error(`MSAL must not fetch ${new URL(url).pathname}`));
  }
}

function parse(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : { error: 'temporarily_unavailable' };
  } catch {
    return { error: 'temporarily_unavailable' };
  }
}
