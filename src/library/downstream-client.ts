import axios, { type AxiosInstance } from 'axios';
import { createAxiosAdapter } from './axios-adapter.ts';
import type { DownstreamCaller } from './downstream-caller.ts';
import { createFetch, type DownstreamFetch } from './fetch-client.ts';
import type { DownstreamAddress } from './named-downstream.ts';

/** A token in the shape of the Azure SDK's `AccessToken`. */
export interface OboAccessToken {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresOnTimestamp: number;
}

/** What is asked of a token besides. */
export interface TokenOptions {
  /** The claims request of a downstream that rejected the token before, as JSON text (decoded); SDKs pass it on. */
  readonly claims?: string | undefined;
}

/**
 * Calls one downstream on behalf of the caller of one request. It is an axios instance, with the base address and the
 * token of the downstream; the rest is for those who call in another way.
 */
export interface DownstreamClient extends AxiosInstance {
  /**
   * As `fetch`: it resolves with every answer, whatever its status, but for a 401 that wants claims which no second call
   * with another token meets: that rejects with an {@link OboError}.
   */
  readonly fetch: DownstreamFetch;
  /** Gives the value of `Authorization`, for the client of an SDK. */
  authorization(options?: TokenOptions): Promise<string>;
  /** Gives the caller's token for the downstream, for the credential of an SDK. */
  token(options?: TokenOptions): Promise<OboAccessToken>;
}

/**
 * The most bytes of an answer, decompressed, that axios holds in memory, unless a call says otherwise: an API that never
 * ends must not end the process. A stream has no limit.
 */
const MAX_CONTENT_BYTES = 100 * 1_024 * 1_024;

/** Makes the client of a downstream for the caller of a request. */
export function createDownstreamClient(caller: DownstreamCaller, downstream: DownstreamAddress): DownstreamClient {
  const { baseUrl } = downstream;
  const instance = axios.create({
    adapter: createAxiosAdapter(caller, downstream),
    ...(baseUrl !== undefined && { baseURL: baseUrl }),
    maxRedirects: 0,
    maxContentLength: MAX_CONTENT_BYTES,
  });
  const acquire = ({ claims }: TokenOptions = {}) =>
    caller.request.follow(() => caller.acquire(claims === '' ? undefined : claims));
  const more = {
    fetch: createFetch(caller, downstream),
    authorization: async (options?: TokenOptions) => (await acquire(options)).authorization,
    token: async (options?: TokenOptions) => {
      const { accessToken, expiresAt } = await acquire(options);
      return { token: accessToken, expiresOnTimestamp: expiresAt };
    },
  };
  const client = ((...call: Parameters<AxiosInstance>) => instance(...call)) as AxiosInstance;
  return keepHandled(Object.assign(client, instance, more));
}

/**
 * Lets the promises of a client fail without anybody who waits for them: a handler that fails for one call waits for none
 * of the others, and Node would end the process.
 */
function keepHandled<T extends object>(client: T): T {
  return new Proxy(client, {
    apply: (target, self, given) => handled(Reflect.apply(target as unknown as () => unknown, self, given)),
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver);
      return typeof member === 'function'
        ? (...given: unknown[]) => handled(Reflect.apply(member, target, given))
        : member;
    },
  });
}

function handled(result: unknown): unknown {
  if (result instanceof Promise) {
    result.catch(() => {});
  }
  // What `create` gives is a client as well.
  return typeof result === 'function' ? keepHandled(result) : result;
}
