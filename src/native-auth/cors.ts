import { CLIENT_HEADERS } from './ask-entra.ts';

/** Seconds for which a browser may remember a preflight. */
const PREFLIGHT_AGE_SECONDS = '86400';

/** The headers that a page may read; MSAL reads `x-ms-request-id` as its correlation id. */
const EXPOSED = 'x-ms-request-id, x-request-id, Retry-After';

/** The headers of the answer to every preflight: names and values in turn. */
const PREFLIGHT = [
  'access-control-allow-methods',
  'POST, OPTIONS',
  'access-control-allow-headers',
  ['content-type', 'client-request-id', 'traceparent', 'x-request-id', ...CLIENT_HEADERS].join(', '),
  'access-control-max-age',
  PREFLIGHT_AGE_SECONDS,
] as const;

/**
 * The CORS rules: exact origins, never `*`, and no credentials, because native authentication needs none.
 *
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export class NativeAuthCors {
  readonly #origins: ReadonlySet<string>;

  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
  }

  /** True for the origin of a page that may use native authentication. */
  allows(origin: string | undefined): origin is string {
    return origin !== undefined && this.#origins.has(origin);
  }

  /** The headers of every answer: names and values in turn. */
  headersFor(origin: string | undefined): readonly string[] {
    return this.allows(origin)
      ? ['vary', 'Origin', 'access-control-allow-origin', origin, 'access-control-expose-headers', EXPOSED]
      : ['vary', 'Origin'];
  }

  /** The headers of the answer to a preflight, besides those of every answer: names and values in turn. */
  get preflightHeaders(): readonly string[] {
    return PREFLIGHT;
  }
}
