import { isJson } from '../contract/checks/media-type.ts';
import type { Check, SchemaFault } from '../contract/schema/schemas.ts';
import type { TriedOperation } from './load-operations.ts';
import { findMediaTypeRule, findResponse, type ResponseRule } from './response-rules.ts';
import type { Answer } from './answer.ts';

/**
 * Compares an answer with what the contract declares.
 *
 * @param isOwnProblem true for the gateway's own refusals, which a contract may leave unsaid: whoever wrote it may have known
 *   the errors of the API alone
 * @returns a sentence for each difference
 */
export function judgeByContract(answer: Answer, operation: TriedOperation, isOwnProblem: boolean): string[] {
  const rule = findResponse(operation.responses, answer.status);
  if (isOwnProblem && !declaresProblem(rule)) {
    return [];
  }
  if (rule === undefined) {
    const declared = operation.responses.map(({ status }) => status).join(', ') || 'nothing';
    return [`expected a declared status (${declared}), got ${answer.status}`];
  }
  return [...judgeHeaders(answer, rule), ...(answer.method === 'HEAD' ? [] : judgeBody(answer, rule))];
}

function declaresProblem(rule: ResponseRule | undefined): boolean {
  return rule?.mediaTypes?.some(({ range }) => range === 'application/problem+json') === true;
}

function judgeHeaders({ headers }: Answer, rule: ResponseRule): string[] {
  return rule.headers.flatMap(({ name, required, check }) => {
    const [value] = headers.get(name) ?? [];
    if (value === undefined) {
      return required ? [`expected the header ${name}, which the contract requires`] : [];
    }
    return describe(check?.(value), `the header ${name}`);
  });
}

function judgeBody({ status, headers, text }: Answer, { mediaTypes }: ResponseRule): string[] {
  if (mediaTypes === undefined || mediaTypes.length === 0 || status === 204 || status === 304) {
    return [];
  }
  const contentType = headers.get('content-type')?.[0] ?? '';
  const rule = findMediaTypeRule(mediaTypes, contentType);
  if (rule === undefined) {
    const declared = mediaTypes.map(({ range }) => range).join(' or ');
    return [`expected the content type ${declared}, got ${contentType || 'none'}`];
  }
  if (rule.check === undefined || !isJson(contentType)) {
    return [];
  }
  return text === undefined ? ['expected a JSON body of at most 16 MB'] : judgeJson(text, rule.check);
}

function judgeJson(text: string, check: Check): string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return ['expected a body of JSON, got something that cannot be parsed'];
  }
  return describe(check(value), 'the body');
}

const MAX_FAULTS = 5;

function describe(faults: readonly SchemaFault[] | undefined, what: string): string[] {
  return (faults ?? []).slice(0, MAX_FAULTS).map(({ pointer, detail }) => {
    const where = pointer === '' ? '' : ` at ${pointer}`;
    return `expected ${what} to match the contract:${where} ${detail}`;
  });
}
