import type { IncomingMessage, ServerResponse } from 'node:http';

/** Seconds for which a browser may remember a preflight. */
const PREFLIGHT_AGE = '600';

/** What a page may read of an answer besides the body. */
const EXPOSED = 'WWW-Authenticate, Retry-After, x-request-id';

/** The rules for pages of other origins (Fetch §3.2), for exact origins only. */
export class CorsPolicy {
  readonly #origins: ReadonlySet<string>;

  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
  }

  /**
   * The headers that let a page of an allowed origin read an answer. As soon as any origin is allowed, every answer
   * varies by origin.
   *
   * @returns names and values in turn
   */
  headersFor(origin: string | undefined): readonly string[] {
    if (this.#origins.size === 0) {
      return [];
    }
    const vary = ['vary', 'Origin'];
    return origin !== undefined && this.#origins.has(origin)
      ? [...vary, 'access-control-allow-origin', origin, 'access-control-expose-headers', EXPOSED]
      : vary;
  }

  /** Answers a preflight of an allowed origin, which never carries a token; false when it is not for us. */
  answerPreflight(req: IncomingMessage, res: ServerResponse, headers: readonly string[]): boolean {
    const { origin } = req.headers;
    const method = req.headers['access-control-request-method'];
    if (req.method !== 'OPTIONS' || method === undefined || origin === undefined || !this.#origins.has(origin)) {
      return false;
    }
    const asked = req.headers['access-control-request-headers'];
    res.writeHead(204, [
      ...headers,
      'access-control-allow-methods',
      method,
      ...(asked === undefined ? [] : ['access-control-allow-headers', asked]),
      'access-control-max-age',
      PREFLIGHT_AGE,
    ]);
    res.end();
    return true;
  }
}
