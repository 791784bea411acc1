import type { IncomingMessage } from 'node:http';

/** What pages may read of an answer besides its body. */
const EXPOSED = 'WWW-Authenticate, Retry-After, X-Request-Id, ETag, Location, Content-Disposition';

/**
 * The rules for pages of other origins. The gateway writes them into its refusals (`server.cors`); preflights and the
 * answers of the APIs never come there, so they are the engine's.
 *
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export class PagesAllowed {
  readonly #origins: ReadonlySet<string>;

  /** @param origins exact: scheme, host and port */
  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
  }

  /** The headers of a preflight's answer, which goes no further; `undefined` for what is no preflight of these pages. */
  answerPreflight({ method, headers }: IncomingMessage): string[] | undefined {
    const { 'access-control-request-method': asked, 'access-control-request-headers': names } = headers;
    if (method !== 'OPTIONS' || asked === undefined || headers.origin === undefined || !this.#allows(headers)) {
      return undefined;
    }
    return [
      ...this.headersFor(headers),
      'Access-Control-Allow-Methods',
      asked,
      ...(names === undefined ? [] : ['Access-Control-Allow-Headers', names]),
      'Access-Control-Max-Age',
      '600',
    ];
  }

  /** The headers that let a page read an answer: names and values in turn. */
  headersFor(headers: IncomingMessage['headers']): string[] {
    const allowed = ['Access-Control-Allow-Origin', headers.origin ?? '', 'Access-Control-Expose-Headers', EXPOSED];
    return ['Vary', 'Origin', ...(this.#allows(headers) ? allowed : [])];
  }

  #allows({ origin = '' }: IncomingMessage['headers']): boolean {
    return this.#origins.has(origin);
  }
}
