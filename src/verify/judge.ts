import { isJsonObject } from '../syntax/json.ts';
import { codeOf, FAILURES } from '../failures.ts';
import type { Case, Expectation } from './case.ts';
import { readChallenge } from './judge-challenge.ts';
import { judgeByContract } from './judge-contract.ts';
import { isOwnRefusal, judgeOwnAnswer, readProblem } from './judge-problem.ts';

import { toPath } from './request-parts.ts';
import type { Answer } from './answer.ts';

/**
 * Compares an answer with what was expected of the case, with the contract and with the rules of every answer.
 *
 * @param token the token that was sent; no answer may repeat it
 * @returns a sentence for each difference
 */
export function judge(answer: Answer, { expectation, ...rest }: Case, token: string | undefined): string[] {
  return [...judgeExpectation(answer, expectation), ...judgeForm(answer, rest, token)];
}

/** Compares an answer with everything but the expectation of its case. */
export function judgeForm(
  answer: Answer,
  { operation, parts }: Pick<Case, 'operation' | 'parts'>,
  token: string | undefined,
): string[] {
  return [
    ...judgeByContract(answer, operation, isOwnRefusal(answer)),
    ...judgeOwnAnswer(answer, toPath(operation, parts)),
    ...judgeEcho(answer, token),
  ];
}

function judgeExpectation(answer: Answer, expectation: Expectation): string[] {
  switch (expectation.kind) {
    case 'success':
      return answer.status < 400 ? [] : [`expected a success, got ${describe(answer)}`];
    case 'sameAsGet':
      return [];
    case 'refusal':
      return judgeRefusal(answer, expectation);
  }
}

function judgeRefusal(answer: Answer, expectation: Extract<Expectation, { kind: 'refusal' }>): string[] {
  const { failure, scopes, authContext, place } = expectation;
  const { status } = FAILURES[failure];
  const problem = readProblem(answer);
  const isExpected = answer.method === 'HEAD' ? isOwnRefusal(answer) : problem?.['code'] === codeOf(failure);
  if (answer.status !== status || !isExpected) {
    return [`expected ${status} ${codeOf(failure)}, got ${describe(answer)}`];
  }
  return [
    ...(scopes === undefined ? [] : judgeScopes(answer, scopes)),
    ...(authContext === undefined ? [] : judgeContext(answer, authContext)),
    ...(place === undefined || answer.method === 'HEAD' || namesPlace(problem?.['errors'], place)
      ? []
      : [`expected an entry in errors for the ${place.in} ${place.name ?? ''}`.trimEnd()]),
  ];
}

function describe(answer: Answer): string {
  const problem = readProblem(answer);
  const errors = problem?.['errors'];
  return [
    answer.status,
    problem === undefined ? (answer.headers.get('content-type')?.[0] ?? '') : String(problem['code']),
    Array.isArray(errors) ? JSON.stringify(errors) : '',
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function judgeScopes(answer: Answer, allowed: readonly (readonly string[])[]): string[] {
  const reading = readChallenge(answer);
  if ('fault' in reading) {
    return [];
  }
  const named = reading.challenge.scopes.join(' ');
  return allowed.some((scopes) => scopes.join(' ') === named)
    ? []
    : [`expected the challenge to name the scopes of the operation, got ${named || 'none'}`];
}

function judgeContext(answer: Answer, authContext: string): string[] {
  const reading = readChallenge(answer);
  if ('fault' in reading) {
    return [];
  }
  const { asksForContext, claims = '' } = reading.challenge;
  return asksForContext && claims.includes(`"${authContext}"`)
    ? []
    : [`expected cc_type="authcontext" and claims that ask for ${authContext}`];
}

function namesPlace(errors: unknown, place: { readonly in: string; readonly name?: string }): boolean {
  return (
    Array.isArray(errors) &&
    errors.some(
      (entry: unknown) =>
        isJsonObject(entry) && entry['in'] === place.in && (place.name === undefined || entry['name'] === place.name),
    )
  );
}

function judgeEcho({ headers, text = '' }: Answer, token: string | undefined): string[] {
  return token !== undefined && [text, ...[...headers.values()].flat()].some((part) => part.includes(token))
    ? ["expected the caller's token nowhere in the answer"]
    : [];
}
