import { NameTable } from './name-table.ts';
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

/** What becomes of a header of an answer; `caching` goes where the answer is a refusal. */
type Fate = 'drop' | 'pass' | 'caching' | 'connection';

const fates = new NameTable(decideFate);

function decideFate(name: string): Fate {
  if (name === 'connection') {
    return 'connection';
  }
  if (NEVER_FROM_DOWNSTREAMS.has(name) || name.startsWith(NEVER_PREFIX)) {
    return 'drop';
  }
  return CACHING.has(name) ? 'caching' : 'pass';
}

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
  const headers: string[] = [];
  let connection = '';
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    const value = rawHeaders[index + 1] ?? '';
    const fate = fates.find(name);
    if (fate === 'pass' || (fate === 'caching' && mayBeCached)) {
      headers.push(name, value);
    } else if (fate === 'connection') {
      connection = connection === '' ? value : `${connection},${value}`;
    }
  }
  const named = namedByConnection(connection || undefined);
  const passing = named === undefined ? headers : headers.filter((_, index) => !named.has(nameAt(headers, index)));
  if (!mayBeCached) {
    passing.push('cache-control', 'no-store');
  }
  return passing;
}

function nameAt(headers: readonly string[], index: number): string {
  return (headers[index - (index % 2)] ?? '').toLowerCase();
}

/** Every value of a header, one for each line it came in. */
export function findHeaders(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}
