import { codeOf, FAILURES, type FailureFacts, type GatewayError, type RequestFault } from '../failures.ts';

/** An RFC 9457 problem document. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The path of the request. */
  readonly instance: string;
  readonly code: string;
  readonly requestId: string;
  readonly claims?: string;
  readonly suberror?: string;
  readonly scopes?: readonly string[];
  readonly consentUri?: string;
  readonly errors?: readonly RequestFault[];
}

/** Says a failure in the words that a caller may hear; the log and the cause stay behind. */
export function toProblem(
  error: GatewayError,
  request: { readonly instance: string; readonly requestId: string },
): Problem {
  const { failure, facts } = error;
  const { status, title } = FAILURES[failure];
  const code = codeOf(failure);
  return {
    type: `urn:obo-gateway:problem:${code}`,
    title,
    status,
    detail: error.message,
    instance: request.instance,
    code,
    requestId: request.requestId,
    ...pickShown(facts),
  };
}

function pickShown(facts: FailureFacts): Partial<Problem> {
  const { claims, suberror, scopes, consentUri, errors } = facts;
  return Object.fromEntries(
    Object.entries({ claims, suberror, scopes, consentUri, errors }).filter(([, value]) => value !== undefined),
  );
}
