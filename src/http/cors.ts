import type { IncomingMessage, ServerResponse } from 'node:http';
import { writeHead } from '../runtime/write-head.ts';

/** Seconds for which a browser may remember a preflight. */
export const PREFLIGHT_AGE_SECONDS = '600';

/**
 * What a page may read of an answer besides the body and the headers that every page may read (Fetch §2.2.6).
 *
 * @see https://fetch.spec.whatwg.org/#http-responses
 */
const EXPOSED = [
  'WWW-Authenticate',
  'Retry-After',
  'x-request-id',
  'ETag',
  'Location',
  'Content-Location',
  'Content-Disposition',
  'Content-Range',
  'Accept-Ranges',
  'Link',
  'Operation-Location',
  'Preference-Applied',
] as const;

/**
 * True for the question of a browser whether a page may send a request (Fetch §4.8).
 *
 * @see https://fetch.spec.whatwg.org/#cors-preflight-fetch
 */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined && headers.origin !== undefined;
}

/**
 * The rules for pages of other origins (the CORS protocol of Fetch), for exact origins only.
 *
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export class CorsPolicy {
  readonly #headers: ReadonlyMap<string, readonly string[]>;
  readonly #others: readonly string[];
  /** For what everyone may read, whatever the origin: names and values in turn. */
  readonly publicHeaders: readonly string[];

  /** @param exposedHeaders what pages may read besides the usual ones */
  constructor(origins: readonly string[], exposedHeaders: readonly string[] = []) {
    const vary = ['vary', 'Origin'];
    const expose = ['access-control-expose-headers', [...EXPOSED, ...exposedHeaders].join(', ')];
    this.publicHeaders = ['access-control-allow-origin', '*', ...expose];
    this.#headers = new Map(
      origins.map((origin) => [origin, [...vary, 'access-control-allow-origin', origin, ...expose]]),
    );
    this.#others = origins.length === 0 ? [] : vary;
  }

  /**
   * The headers that let a page of an allowed origin read an answer. As soon as any origin is allowed, every answer
   * varies by origin.
   *
   * @returns names and values in turn
   */
  headersFor(origin: string | undefined): readonly string[] {
    return (origin === undefined ? undefined : this.#headers.get(origin)) ?? this.#others;
  }

  /** True for a preflight of an allowed origin. */
  allowsPreflight(req: IncomingMessage): boolean {
    return isPreflight(req) && this.#headers.has(req.headers.origin ?? '');
  }

  /** Answers a preflight, which never carries a token. */
  answerPreflight(req: IncomingMessage, res: ServerResponse, headers: readonly string[]): void {
    const method = req.headers['access-control-request-method'] ?? '';
    const asked = req.headers['access-control-request-headers'];
    writeHead(res, 204, [
      ...headers,
      'access-control-allow-methods',
      method,
      ...(asked === undefined ? [] : ['access-control-allow-headers', asked]),
      'access-control-max-age',
      PREFLIGHT_AGE_SECONDS,
    ]);
    res.end();
  }
}
