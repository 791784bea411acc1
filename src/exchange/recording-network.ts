import { setTimeout as sleep } from 'node:timers/promises';
import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from '@azure/msal-node';
import { EntraUnreachable, type EntraHttpClient, type EntraResponse } from '../entra/http-client.ts';

/** Says, at the moment when it counts, whether a request that failed may be sent once more. */
export type MayTryAgain = () => boolean;

/** The pause before the second try: a moment, and not the same one for everybody. */
const PAUSE_MS = { least: 50, more: 150 } as const;

/** The connection failed before Entra could answer. */
const LOST = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

/**
 * Carries MSAL's one request of an exchange and keeps Entra's raw answer, because MSAL's errors lose the claims of
 * some refusals, the status and `Retry-After`, and give up on what is not JSON.
 */
export class RecordingNetwork implements INetworkModule {
  readonly #http: EntraHttpClient;
  readonly #mayTryAgain: MayTryAgain;
  #response: EntraResponse | undefined;
  #body: Readonly<Record<string, unknown>> = {};
  #unreachable: EntraUnreachable | undefined;

  /** @param mayTryAgain default never */
  constructor(http: EntraHttpClient, mayTryAgain: MayTryAgain = () => false) {
    this.#http = http;
    this.#mayTryAgain = mayTryAgain;
  }

  /** The answer of the token endpoint; `undefined` when none came. */
  get response(): EntraResponse | undefined {
    return this.#response;
  }

  /** Why no answer came. */
  get unreachable(): EntraUnreachable | undefined {
    return this.#unreachable;
  }

  /** What the answer says of the token; in seconds. */
  readLifetime(): { readonly expiresIn: number; readonly refreshIn: number | undefined } {
    return {
      expiresIn: toSeconds(this.#body['expires_in']) ?? 0,
      refreshIn: toSeconds(this.#body['refresh_in']),
    };
  }

  sendPostRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    return this.#record(() => this.#post(url, options?.headers ?? {}, options?.body ?? ''));
  }

  /** Only managed identities get something: with static metadata, MSAL has nothing else to ask for. */
  sendGetRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    return this.#record(() => this.#http.get(url, options?.headers));
  }

  /** Tries a second time, within the deadline of the first, when the first came to nothing that Entra meant to say. */
  async #post(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<EntraResponse> {
    const start = performance.now();
    let first: EntraResponse | EntraUnreachable;
    try {
      first = await this.#http.post(url, headers, body);
    } catch (error) {
      first = toUnreachable(error);
    }
    const pauseMs = PAUSE_MS.least + Math.random() * PAUSE_MS.more;
    const leftMs = this.#http.deadline - (performance.now() - start) - pauseMs;
    if (isWorthAnotherTry(first) && leftMs > 0 && this.#mayTryAgain()) {
      await sleep(pauseMs);
      return this.#http.post(url, headers, body, Math.ceil(leftMs));
    }
    if (first instanceof EntraUnreachable) {
      throw first;
    }
    return first;
  }

  async #record<T>(send: () => Promise<EntraResponse>): Promise<NetworkResponse<T>> {
    try {
      this.#response = await send();
    } catch (error) {
      this.#unreachable = toUnreachable(error);
      throw this.#unreachable;
    }
    const { status, text } = this.#response;
    this.#body = parse(text);
    // Entra's headers stay here: MSAL would take Retry-After as a reason to refuse the calls of other users.
    return { status, headers: {}, body: this.#body as T };
  }
}

/** Never after a 4xx, and never against a time that Entra named. */
function isWorthAnotherTry(answer: EntraResponse | EntraUnreachable): boolean {
  return answer instanceof EntraUnreachable
    ? LOST.has(answer.message)
    : answer.status >= 500 && answer.headers['retry-after'] === undefined;
}

function toUnreachable(error: unknown): EntraUnreachable {
  return error instanceof EntraUnreachable ? error : new EntraUnreachable('unknown');
}

/** Entra's v1 endpoints write numbers as strings. */
function toSeconds(value: unknown): number | undefined {
  const seconds = typeof value === 'string' ? Number.parseInt(value, 10) : value;
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : NONSENSE;
  } catch {
    return NONSENSE;
  }
}

const NONSENSE = { error: 'temporarily_unavailable' } as const;
