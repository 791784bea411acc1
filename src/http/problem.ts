import type { FailureFacts, GatewayError, RequestFault } from '../failures.ts';

/**
 * An RFC 9457 problem document.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9457#section-3
 */
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

/** Describes a failure with what a caller may see of it, which leaves out its `log`, its `loop` and its cause. */
export function toProblem(
  error: GatewayError,
  request: { readonly instance: string; readonly requestId: string },
): Problem {
  const { code, rule, facts } = error;
  return {
    type: `urn:obo-gateway:problem:${code}`,
    title: rule.title,
    status: rule.status,
    // Not its message, into which an application may have written.
    detail: facts.detail ?? rule.detail,
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
