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

  sendPostRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    return this.#record(() => this.#http.post(url, options?.headers ?? {}, options?.body ?? ''));
  }

  /** Only managed identities get something: with static metadata, MSAL has nothing else to ask for. */
  sendGetRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    return this.#record(() => this.#http.get(url, options?.headers));
  }

  async #record<T>(send: () => Promise<EntraResponse>): Promise<NetworkResponse<T>> {
    try {
      this.#response = await send();
    } catch (error) {
      this.#unreachable = error instanceof EntraUnreachable ? error : new EntraUnreachable('unknown');
      throw this.#unreachable;
    }
    const { status, text } = this.#response;
    // Entra's headers stay here: MSAL would take Retry-After as a reason to refuse the calls of other users.
    return { status, headers: {}, body: parse(text) as T };
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
