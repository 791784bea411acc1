import { bareMediaType } from '../contract/checks/media-type.ts';
import { isJsonObject, type JsonObject } from '../syntax/json.ts';
import { codeOf, FAILURES, type Failure } from '../failures.ts';
import { readChallenge } from './judge-challenge.ts';
import type { Answer } from './answer.ts';

const TYPE_PREFIX = 'urn:obo-gateway:problem:';

/** The gateway's own problem document in an answer; a downstream's passes as it is and is none. */
export function readProblem(answer: Answer): JsonObject | undefined {
  const { text } = answer;
  if (!isProblemType(answer) || text === undefined) {
    return undefined;
  }
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) && String(value['type']).startsWith(TYPE_PREFIX) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** True when the gateway itself refused; of an answer to HEAD only the content type can tell. */
export function isOwnRefusal(answer: Answer): boolean {
  return answer.method === 'HEAD' ? isProblemType(answer) : readProblem(answer) !== undefined;
}

function isProblemType({ headers }: Answer): boolean {
  return bareMediaType(headers.get('content-type')?.[0] ?? '') === 'application/problem+json';
}

/**
 * Compares an answer that the gateway makes itself with the rules for its problem documents and challenges.
 *
 * @param path the path of the request, without what stands before the paths of the contract
 * @returns a sentence for each difference
 */
export function judgeOwnAnswer(answer: Answer, path: string): string[] {
  const problem = readProblem(answer);
  if (problem !== undefined) {
    return [...judgeMembers(problem, answer, path), ...judgeProblemHeaders(problem, answer), ...judgeLeaks(answer)];
  }
  const reading = answer.status === 401 ? readChallenge(answer) : undefined;
  if (reading !== undefined) {
    return 'fault' in reading ? [reading.fault] : [];
  }
  return answer.headers.has('www-authenticate') && !isOwnRefusal(answer)
    ? ['expected no challenge on an answer of the downstream']
    : [];
}

const TEXTS = ['type', 'title', 'detail', 'instance', 'code', 'requestId'];

function judgeMembers(problem: JsonObject, answer: Answer, path: string): string[] {
  const { status, headers } = answer;
  const code = String(problem['code']);
  const wrongTexts = TEXTS.filter((name) => typeof problem[name] !== 'string' || problem[name] === '');
  const requestId = headers.get('x-request-id')?.[0];
  return [
    ...wrongTexts.map((name) => `expected the problem to have the text ${name}`),
    ...(problem['status'] === status ? [] : [`expected the problem's status to be ${status}`]),
    ...(problem['type'] === `${TYPE_PREFIX}${code}` ? [] : [`expected the problem's type to be ${TYPE_PREFIX}${code}`]),
    ...(rowsOf(code, status).length > 0 ? [] : [`expected a known problem, got ${status} ${code}`]),
    ...(isInstance(String(problem['instance']), answer.path, path)
      ? []
      : [`expected the problem's instance to be ${answer.path}`]),
    ...(requestId === problem['requestId'] ? [] : ["expected the problem's requestId in the header x-request-id"]),
  ];
}

/** A proxy before the gateway may have taken a part of the path away that does not belong to the contract. */
function isInstance(instance: string, whole: string, path: string): boolean {
  return whole.endsWith(instance) && instance.endsWith(path);
}

function judgeProblemHeaders(problem: JsonObject, answer: Answer): string[] {
  const { status, headers } = answer;
  const isSecret = status === 401 || status === 403;
  const mustWait = status === 503 && !/^\d+$/.test(headers.get('retry-after')?.[0] ?? '');
  return [
    ...judgeProblemChallenge(problem, answer),
    ...(isSecret && !/\bno-store\b/.test(headers.get('cache-control')?.[0] ?? '')
      ? ['expected Cache-Control: no-store']
      : []),
    ...(mustWait ? ['expected Retry-After in seconds'] : []),
    ...(status === 405 && !headers.has('allow') ? ['expected Allow with the methods of the path'] : []),
  ];
}

function judgeProblemChallenge(problem: JsonObject, answer: Answer): string[] {
  const code = String(problem['code']);
  const errors: (string | null | undefined)[] = rowsOf(code, answer.status).map((rule) =>
    'challenge' in rule ? rule.challenge : undefined,
  );
  if (!answer.headers.has('www-authenticate') && (errors.length === 0 || errors.includes(undefined))) {
    return [];
  }
  if (errors.length > 0 && errors.every((error) => error === undefined)) {
    return [`expected no challenge with ${code}`];
  }
  const reading = readChallenge(answer);
  if ('fault' in reading) {
    return [reading.fault];
  }
  const { error, claims } = reading.challenge;
  const allowed = errors.filter((known) => known !== undefined);
  return [
    ...(allowed.length === 0 || allowed.includes(error ?? null)
      ? []
      : [`expected the challenge of ${code} to have ${describeError(allowed[0])}, got ${describeError(error)}`]),
    ...(problem['claims'] === claims ? [] : ['expected the same claims in the challenge and in the problem']),
    ...(code === 'insufficient_claims' && claims === undefined ? ['expected claims with insufficient_claims'] : []),
  ];
}

function describeError(error: string | null | undefined): string {
  return typeof error === 'string' ? `error="${error}"` : 'no error';
}

type Rule = (typeof FAILURES)[Failure];

function rowsOf(code: string, status: number): Rule[] {
  return (Object.keys(FAILURES) as Failure[])
    .filter((name) => codeOf(name) === code && FAILURES[name].status === status)
    .map((name) => FAILURES[name]);
}

/** Words of Entra, and lines of a stack. */
const NEVER_TOLD = /AADSTS\d*|node_modules|\bat \S+ \(?\S+:\d+:\d+/;

function judgeLeaks({ headers, text = '' }: Answer): string[] {
  const told = NEVER_TOLD.exec([text, ...[...headers.values()].flat()].join('\n'))?.[0];
  return told === undefined ? [] : [`expected nothing internal in the answer, got ${told}`];
}
