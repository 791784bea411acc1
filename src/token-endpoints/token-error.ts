import type { FailureCode, GatewayError } from '../failures.ts';
import type { ErrorAnswer } from '../http/answer-failure.ts';

/** The failures that an application reads by a name of OAuth or of Entra. */
const ERRORS: Partial<Record<FailureCode, string>> = {
  missing_token: 'invalid_grant',
  invalid_token: 'invalid_grant',
  consent_required: 'invalid_grant',
  insufficient_claims: 'interaction_required',
  interaction_required: 'interaction_required',
  insufficient_scope: 'access_denied',
  access_denied: 'access_denied',
  client_not_capable: 'access_denied',
  step_up_unsatisfiable: 'access_denied',
  identity_unavailable: 'temporarily_unavailable',
  overloaded: 'temporarily_unavailable',
};

/** Those of its statuses that a token endpoint answers with 400, whatever is wrong with the token or the request. */
const REFUSALS: ReadonlySet<number> = new Set([400, 401, 403]);

/**
 * Writes a failure as the answer of a token endpoint, with the members that Entra adds.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5.2
 */
export function toTokenError({ code, rule, facts, message }: GatewayError): ErrorAnswer {
  const { claims, scopes, consentUri } = facts;
  const suberror = code === 'consent_required' ? code : facts.suberror;
  return {
    status: REFUSALS.has(rule.status) ? 400 : rule.status,
    body: {
      error: ERRORS[code] ?? (rule.status >= 500 ? 'server_error' : 'invalid_request'),
      error_description: message,
      ...(claims !== undefined && { claims }),
      ...(suberror !== undefined && { suberror }),
      ...(code === 'consent_required' && { scopes, consentUri }),
    },
  };
}
