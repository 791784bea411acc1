import { CLIENT_HEADERS } from './ask-entra.ts';

/** Seconds for which a browser may remember a preflight. */
const PREFLIGHT_AGE_SECONDS = '86400';

/** What a page may read of an answer besides the body; MSAL takes `x-ms-request-id` for its correlation id. */
const EXPOSED = 'x-ms-request-id, x-request-id, Retry-After';

/** What preflights are answered, the same to all: names and values in turn. */
const PREFLIGHT = [
  'access-control-allow-methods',
  'POST, OPTIONS',
  'access-control-allow-headers',
  ['content-type', 'client-request-id', 'traceparent', 'x-request-id', ...CLIENT_HEADERS].join(', '),
  'access-control-max-age',
  PREFLIGHT_AGE_SECONDS,
] as const;

/** The rules for pages (Fetch §3.2): exact origins, never `*`, and no credentials, because there are none to send. */
export class NativeAuthCors {
  readonly #origins: ReadonlySet<string>;

  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
  }

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
