import type { NextStep } from '../../../examples/recover/next-step.ts';
import type { FailureCode } from '../../../src/failures.ts';
import type { Answer } from './call.ts';
import { explainClaims, parameterOf, readChallenge } from './challenge.ts';

/** What a person does about an answer: a {@link NextStep}, or what only a person decides. */
export type Remedy =
  Exclude<NextStep, { readonly do: 'use' | 'stop' }> | { readonly do: 'askScopes'; readonly scopes: readonly string[] };

/** What an answer means, and what is done about it. */
export interface Verdict {
  readonly meaning: string;
  readonly remedy: Remedy | undefined;
}

/** What each `code` means for the client; the claims of a challenge say more than its code. */
const MEANINGS: Readonly<Record<FailureCode, string>> = {
  missing_token:
    'No token came in the Authorization header. The challenge tells any client where to get one, and the call can be sent again.',
  invalid_token:
    'The token is not valid here: changed, expired, revoked or meant for another API. A fresh one from Entra is worth one try.',
  invalid_request: 'The request itself is wrong: the problem document says where. No other token will help.',
  insufficient_scope:
    'The token is valid, but lacks a permission that this operation needs. The challenge names it, and the client asks Entra for it with the person at the screen.',
  insufficient_claims:
    'The token does not prove enough yet. The claims of the challenge say what is missing, and the client passes them on to Entra.',
  interaction_required:
    'Entra wants the person at the screen and gave no claims to relay. The client lets them sign in, without a silent try.',
  consent_required:
    'Nobody has agreed that the gateway may act at the API behind it in this person’s name. An exchange cannot show a consent page, so the problem document links to one.',
  access_denied:
    'Denied permanently, by Entra or by the gateway’s own lists of tenants and clients. Signing in again changes nothing; only an administrator can.',
  step_up_unsatisfiable:
    'The same challenge a third time within ten minutes, though each token was newer. The gateway takes it for a loop that no sign-in ends, and asks no more: this person is refused at this operation until the ten minutes are over, or a token has the proof. Another person or another operation works meanwhile; here, “Put everything back” lets the gateway forget it.',
  client_not_capable: 'More proof is required, but the client has not declared that it can take a claims challenge.',
  not_found: 'The contract has no such path. Nothing was asked of anybody.',
  method_not_allowed: 'The contract has the path, but not with this method.',
  request_timeout: 'The request did not arrive whole in time.',
  too_many_requests:
    'Too many requests for native authentication came from one address; the answer says how long to wait.',
  payload_too_large: 'The body is larger than the gateway lets pass.',
  headers_too_large:
    'More than 16 kB of headers, or more than 1,000: the request is refused before anything else is checked.',
  overloaded: 'The gateway itself is full. Nothing is wrong with the caller; the answer says how long to wait.',
  gateway_misconfigured:
    'Entra refused the gateway itself, for example because its secret has expired. The caller learns nothing more; the gateway’s log says what to fix.',
  internal_error: 'A fault of the gateway. Its log has the details under the request id.',
  identity_unavailable:
    'Entra is throttling, down or slow, and the gateway holds no token for this call. Nothing is wrong with the caller; the answer says how long to wait.',
  downstream_rejected_token:
    'The API behind the gateway refused the exchanged token without saying what it requires. The caller did nothing wrong, so this is not a 401.',
  downstream_unreachable: 'The connection to the API behind the gateway broke before it answered.',
  downstream_invalid_response:
    'The API behind the gateway sent an answer that is not valid HTTP, or whose headers are too large.',
  downstream_timeout: 'The API behind the gateway did not answer in time.',
  downstream_unavailable:
    'Too many calls in a row could not connect to the API behind the gateway. The gateway stops trying for a moment, and the answer says how long to wait.',
};

/**
 * Says what an answer means and finds what is to be done about it.
 *
 * @param tried the remedy after which the call was sent, if any
 */
export function judgeAnswer(answer: Answer, tried: Remedy | undefined): Verdict {
  return { meaning: explain(answer), remedy: findRemedy(answer, tried) };
}

/** What the button of a remedy says; the call is always sent again afterwards. */
export function nameRemedy(remedy: Remedy, isSignedIn: boolean): string {
  switch (remedy.do) {
    case 'renew':
      if (!isSignedIn) {
        return 'Sign in and send again';
      }
      return remedy.claims === undefined ? 'Get a fresh token and send again' : 'Step up and send again';
    case 'signIn':
      return 'Sign in and send again';
    case 'consent':
      return 'Give consent and send again';
    case 'wait':
      return `Wait ${remedy.seconds} s and send again`;
    case 'askScopes':
      return `Ask for ${remedy.scopes.map(nameScope).join(', ')} and send again`;
  }
}

/** `api://…/Orders.Read` as people say it. */
export function nameScope(scope: string): string {
  return scope.slice(scope.lastIndexOf('/') + 1);
}

function explain({ status, problem, challenge, nextStep }: Answer): string {
  if (nextStep.do === 'stop' && problem === undefined) {
    return nextStep.why;
  }
  const claims = challenge === undefined ? undefined : readChallenge(challenge).claims;
  if (claims !== undefined) {
    return explainClaims(claims);
  }
  if (problem !== undefined) {
    return MEANINGS[problem.code];
  }
  if (status < 400) {
    return 'It went well. The API behind the gateway answered, and its answer came through as it is.';
  }
  return 'This is not the gateway’s refusal: the API behind it answered so, and its answer came through as it is.';
}

function findRemedy({ nextStep, challenge, problem }: Answer, tried: Remedy | undefined): Remedy | undefined {
  if (problem?.code === 'insufficient_scope' && challenge !== undefined && tried?.do !== 'askScopes') {
    const scopes = parameterOf(readChallenge(challenge), 'scope')?.split(' ') ?? [];
    return scopes.length > 0 ? { do: 'askScopes', scopes } : undefined;
  }
  if (nextStep.do === 'use' || nextStep.do === 'stop') {
    return undefined;
  }
  if (nextStep.do !== 'renew' || nextStep.claims !== undefined) {
    return nextStep;
  }
  // Where a token that was fetched past the cache was no better, a new sign-in is left to try; after that, nothing.
  if (tried?.do === 'signIn') {
    return undefined;
  }
  return tried?.do === 'renew' && tried.claims === undefined ? { do: 'signIn' } : nextStep;
}
