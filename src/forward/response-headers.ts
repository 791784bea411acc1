import { HOP_BY_HOP, namedByConnection } from './request-headers.ts';

/** What would let a cache keep a refusal. */
const CACHING: ReadonlySet<string> = new Set(['cache-control', 'expires', 'pragma']);

/** Who may read our answers from a page is for `server.cors` to say. */
const NEVER_PREFIX = 'access-control-';

/**
 * What a downstream may never tell a caller: cookies and rules for our whole address, challenges in its own name, and
 * the request id, which is ours.
 */
const NEVER_FROM_DOWNSTREAMS: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  'alt-svc',
  'clear-site-data',
  'proxy-authenticate',
  'proxy-authentication-info',
  'set-cookie',
  'set-cookie2',
  'strict-transport-security',
  'www-authenticate',
  'x-content-type-options',
  'x-request-id',
]);

/**
 * The headers of a downstream's answer that go on to the caller, in their order.
 *
 * @param rawHeaders names and values in turn
 * @param options.mayBeCached false for a refusal, which holds for one caller only; default true
 * @returns names and values in turn
 */
export function selectResponseHeaders(
  rawHeaders: readonly string[],
  { mayBeCached = true }: { readonly mayBeCached?: boolean } = {},
): string[] {
  const named = namedByConnection(findHeaders(rawHeaders, 'connection').join(',') || undefined);
  const headers: string[] = mayBeCached ? [] : ['cache-control', 'no-store'];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    const lower = name.toLowerCase();
    const isOurs = NEVER_FROM_DOWNSTREAMS.has(lower) || lower.startsWith(NEVER_PREFIX);
    const isOverruled = !mayBeCached && CACHING.has(lower);
    if (!isOurs && !isOverruled && named?.has(lower) !== true) {
      headers.push(name, rawHeaders[index + 1] ?? '');
    }
  }
  return headers;
}

/** Every value of a header, one for each line it came in. */
export function findHeaders(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}
