import { NameTable } from '../syntax/name-table.ts';
import { namedByConnection } from './request-headers.ts';
import { isWithheld } from './withheld-headers.ts';

/** Headers that could let a cache keep a refusal. */
const CACHING: ReadonlySet<string> = new Set(['cache-control', 'expires', 'pragma']);

/** What becomes of a header of an answer; `caching` is dropped from a refusal. */
type ResponseHeaderHandling = 'drop' | 'pass' | 'caching' | 'connection' | 'length' | 'disposition';

const handlings = new NameTable(decideHandling);

function decideHandling(name: string): ResponseHeaderHandling {
  if (name === 'connection') {
    return 'connection';
  }
  if (isWithheld(name)) {
    return 'drop';
  }
  if (name === 'content-length') {
    return 'length';
  }
  if (name === 'content-disposition') {
    return 'disposition';
  }
  return CACHING.has(name) ? 'caching' : 'pass';
}

/** What one answer may have. */
export interface AnswerRules {
  /** False for a refusal, which holds for one caller only; default true. */
  readonly mayBeCached?: boolean;
  /**
   * False for a 204 and interim answers (RFC 9110 §8.6); default true.
   *
   * @see https://www.rfc-editor.org/rfc/rfc9110#section-8.6
   */
  readonly mayHaveLength?: boolean;
}

/**
 * Selects the headers of a downstream's answer that go on to the caller, in their order. Only a `Content-Length` moves
 * behind a `Content-Disposition`, because Node refuses bytes beyond ASCII in the second once it knows the first.
 *
 * @param rawHeaders names and values in turn
 * @returns names and values in turn
 */
export function selectResponseHeaders(
  rawHeaders: readonly string[],
  { mayBeCached = true, mayHaveLength = true }: AnswerRules = {},
): string[] {
  const headers: string[] = [];
  let connection = '';
  let lengthAt: number | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    const value = rawHeaders[index + 1] ?? '';
    const handling = handlings.find(name);
    if (handling === 'pass' || (handling === 'caching' && mayBeCached)) {
      headers.push(name, value);
    } else if (handling === 'connection') {
      connection = connection === '' ? value : `${connection},${value}`;
    } else if (handling === 'length' && mayHaveLength) {
      lengthAt = headers.push(name, value) - 2;
    } else if (handling === 'disposition') {
      headers.splice(lengthAt ?? headers.length, 0, name, value);
      lengthAt = lengthAt === undefined ? undefined : lengthAt + 2;
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

/**
 * Finds every value of a header, one for each line it came in.
 *
 * @param name in lower case
 */
export function findHeaders(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}
