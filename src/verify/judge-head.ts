import type { Answer } from './answer.ts';
import type { HeadAnswer } from './read-head.ts';

/** What belongs to the connection, on which the answers differ. */
const OF_CONNECTION = new Set(['connection', 'date', 'keep-alive', 'transfer-encoding']);

/** What may be missing, because it may show only when the content is made (RFC 9110 §9.3.2). */
const OF_CONTENT = new Set([
  'content-digest',
  'content-encoding',
  'content-length',
  'content-md5',
  'digest',
  'etag',
  'last-modified',
  'repr-digest',
  'trailer',
  'vary',
]);

/**
 * Compares the answer to a HEAD with those to the same GET just before and after it (RFC 9110 §9.3.2). Headers count in
 * which the two agree; the others change from answer to answer.
 *
 * @returns a sentence for each difference
 */
export function judgeHead(head: HeadAnswer, before: Answer, after: Answer): string[] {
  if (head.status !== before.status) {
    return [`expected ${before.status}, as GET is answered, got ${head.status}`];
  }
  const steady = [...before.headers].filter(
    ([name, values]) => !OF_CONNECTION.has(name) && isSame(values, after.headers.get(name)),
  );
  return [
    ...(head.hasBody ? ['expected no body'] : []),
    ...steady.flatMap(([name, values]) => judgeHeader(name, values, head.headers.get(name))),
  ];
}

function judgeHeader(name: string, expected: readonly string[], found: readonly string[] | undefined): string[] {
  if (found === undefined) {
    return OF_CONTENT.has(name) ? [] : [`expected the header ${name}, which the answer to GET has`];
  }
  return isSame(expected, found)
    ? []
    : [`expected the header ${name} to be ${expected.join(', ')}, as for GET, got ${found.join(', ')}`];
}

function isSame(values: readonly string[], others: readonly string[] | undefined): boolean {
  return others !== undefined && values.join('\n') === others.join('\n');
}
