import { setTimeout as sleep } from 'node:timers/promises';
import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from '@azure/msal-node';
import { EntraUnreachable, type EntraHttpClient, type EntraResponse } from '../entra/http-client.ts';
import { parseJsonObject } from '../syntax/json.ts';

/** Says whether a failed request may be sent once more; called when it has failed. */
export type MayTryAgain = () => boolean;

/** The pause before the second try: `least`, and a random part of `more`, so that callers do not come back together. */
const PAUSE_MS = { least: 50, more: 150 } as const;

/** Errors of a connection that broke before Entra could answer. */
const LOST = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

/** What MSAL gets for a body that is no JSON object, so that it fails; its error is not used. */
const NONSENSE = { error: 'temporarily_unavailable' } as const;

/**
 * Sends the one request that MSAL makes for an exchange, and keeps Entra's raw answer: MSAL's errors lose the claims of
 * some refusals, the status and `Retry-After`, and say nothing about an answer that is not JSON.
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

  /** The answer of the token endpoint; `undefined` when there was none. */
  get response(): EntraResponse | undefined {
    return this.#response;
  }

  /** Why there was no answer. */
  get unreachable(): EntraUnreachable | undefined {
    return this.#unreachable;
  }

  /** The lifetime of the token as the answer says it; in seconds. */
  readLifetime(): { readonly expiresIn: number; readonly refreshIn: number | undefined } {
    return {
      expiresIn: toSeconds(this.#body['expires_in']) ?? 0,
      refreshIn: toSeconds(this.#body['refresh_in']),
    };
  }

  /** Called by MSAL for the request to the token endpoint. */
  sendPostRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    return this.#record(() => this.#post(url, options?.headers ?? {}, options?.body ?? ''));
  }

  /** Called by MSAL for managed identities only: with static metadata, it has nothing else to fetch by GET. */
  sendGetRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    return this.#record(() => this.#http.get(url, options?.headers));
  }

  /** Tries a second time, within the deadline of the first try, when Entra broke instead of deciding. */
  async #post(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<EntraResponse> {
    const start = performance.now();
    let first: EntraResponse | EntraUnreachable;
    try {
      first = await this.#http.post(url, headers, body);
    } catch (error) {
      first = toUnreachable(error);
    }
    const pauseMs = PAUSE_MS.least + Math.random() * PAUSE_MS.more;
    const leftMs = this.#http.deadlineMs - (performance.now() - start) - pauseMs;
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
    this.#body = parseJsonObject(text) ?? NONSENSE;
    const { client_info: _account, id_token: _user, refresh_token: _refresh, ...body } = this.#body;
    // MSAL gets no headers: it would take Retry-After as a reason to refuse the calls of other users. Nor does it get what
    // it would make an account of, for a cache that nobody reads: that takes a fifth of its time.
    return { status, headers: {}, body: body as T };
  }
}

/** False after a 4xx, which is a decision, and when Entra named a time to come back. */
function isWorthAnotherTry(answer: EntraResponse | EntraUnreachable): boolean {
  return answer instanceof EntraUnreachable
    ? LOST.has(answer.message)
    : answer.status >= 500 && answer.headers['retry-after'] === undefined;
}

function toUnreachable(error: unknown): EntraUnreachable {
  return error instanceof EntraUnreachable ? error : new EntraUnreachable('unknown');
}

/** Reads a number of seconds, which Entra's v1 endpoints write as a string. */
function toSeconds(value: unknown): number | undefined {
  const seconds = typeof value === 'string' ? Number.parseInt(value, 10) : value;
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
}
