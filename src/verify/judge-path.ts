import { codeOf, FAILURES, type Failure } from '../failures.ts';
import type { Answer } from './answer.ts';
import { judgeOwnAnswer, readProblem } from './judge-problem.ts';

/**
 * Compares `Allow` with the methods of the contract (RFC 9110 §10.2.1).
 *
 * @returns a sentence for each difference
 */
export function judgeAllow({ headers }: Answer, methods: readonly string[]): string[] {
  const found = new Set((headers.get('allow') ?? []).flatMap((line) => line.split(',').map((name) => name.trim())));
  const missing = methods.filter((method) => !found.has(method));
  // Whether HEAD is let in where GET is depends on what answers the GET, and is tried by itself.
  const known = new Set(methods.includes('GET') ? [...methods, 'HEAD'] : methods);
  const foreign = [...found].filter((method) => !known.has(method));
  return missing.length + foreign.length === 0
    ? []
    : [`expected Allow to name ${methods.join(', ')}, got ${[...found].join(', ')}`];
}

/**
 * Compares an answer with a refusal that is decided by the path and the method alone.
 *
 * @param path without what stands before the paths of the contract
 * @returns a sentence for each difference
 */
export function judgeRefusal(answer: Answer, path: string, failure: Failure): string[] {
  const { status } = FAILURES[failure];
  const code = readProblem(answer)?.['code'];
  return answer.status === status && code === codeOf(failure)
    ? judgeOwnAnswer(answer, path)
    : [`expected ${status} ${codeOf(failure)}, got ${answer.status}${typeof code === 'string' ? ` ${code}` : ''}`];
}
