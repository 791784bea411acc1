import type { Directory } from '../directory.ts';
import { EntraError } from '../entra-error.ts';
import type { User } from '../world-model.ts';
import { advanceFlow, demandContinuation, openFlow } from './continuation.ts';
import type { FlowStep } from './flow.ts';
import { declaredChallengeTypes, demandMember, readFlow, type NativeRequest } from './native-request.ts';
import { describeCodeChallenge, maskEmail, sendCode } from './one-time-code.ts';
import { findFallback, fallBackToBrowser } from './web-fallback.ts';

/** Microsoft Graph's id of everybody's email as an authentication method. */
const EMAIL_METHOD_ID = '3ddfcfc8-9383-446f-83cc-3ab9be4be18f';

const FIRST_FACTOR_STEPS = ['signIn', 'signInPassword', 'signInCode'] as const;
const SECOND_FACTOR_STEPS = ['secondFactor', 'secondFactorCode'] as const;
type SignInStep = FlowStep<(typeof FIRST_FACTOR_STEPS)[number] | (typeof SECOND_FACTOR_STEPS)[number]>;

/**
 * `/oauth2/v2.0/initiate`: begins a sign-in.
 * @throws {EntraError} 901007, 90100, 50034, 50057
 */
export function initiateSignIn(directory: Directory, request: NativeRequest): object {
  const flow = readFlow(request);
  const user = demandMember(directory, request);
  if (user.homeTenant !== request.tenantId) {
    return fallBackToBrowser('The user signs in at another identity provider');
  }
  return (
    findFallback(flow.challengeTypes, firstFactorOf(user)) ?? {
      continuation_token: openFlow(directory, flow, { at: 'signIn', user }),
    }
  );
}

/**
 * `/oauth2/v2.0/challenge`: says what to ask the person for, and sends the code if that is one.
 * @throws {EntraError} 55200, 552003, 901007, 90100 when `id` is no method of the person
 */
export function challengeSignIn(directory: Directory, request: NativeRequest): object {
  const continuation = demandContinuation(directory, request, ...FIRST_FACTOR_STEPS, ...SECOND_FACTOR_STEPS);
  const { step, flow } = continuation;
  const { user } = step;
  const factor = 'amr' in step ? 'oob' : firstFactorOf(user);
  const fallback = findFallback(declaredChallengeTypes(request, flow), factor);
  if (fallback) {
    return fallback;
  }
  if (factor === 'password') {
    const next = advanceFlow(directory, continuation, { at: 'signInPassword', user });
    return { continuation_token: next, challenge_type: 'password' };
  }
  if ('amr' in step) {
    demandOwnMethod(request.form);
  }
  const to = 'amr' in step ? secondFactorEmail(user) : user.userPrincipalName;
  const next = advanceFlow(directory, continuation, awaitCode(step, sendCode(directory, to, 'sign-in')));
  return { continuation_token: next, ...describeCodeChallenge(to) };
}

/**
 * `/oauth2/v2.0/introspect`: the second factors that the person has.
 * @throws {EntraError} 55200, 552003
 */
export function listSecondFactors(directory: Directory, request: NativeRequest): object {
  const continuation = demandContinuation(directory, request, 'secondFactor');
  const { user } = continuation.step;
  const method = {
    id: EMAIL_METHOD_ID,
    challenge_type: 'oob',
    challenge_channel: 'email',
    login_hint: maskEmail(secondFactorEmail(user)),
  };
  return { continuation_token: advanceFlow(directory, continuation, continuation.step), methods: [method] };
}

function awaitCode(step: SignInStep, code: string): FlowStep {
  const { user } = step;
  return 'amr' in step ? { at: 'secondFactorCode', user, amr: step.amr, code } : { at: 'signInCode', user, code };
}

/** A person without a password gets a code. */
function firstFactorOf({ password }: User): 'password' | 'oob' {
  return password === undefined ? 'oob' : 'password';
}

function secondFactorEmail({ mfaEmail, userPrincipalName }: User): string {
  return mfaEmail ?? userPrincipalName;
}

function demandOwnMethod(form: URLSearchParams): void {
  const id = form.get('id') ?? EMAIL_METHOD_ID;
  if (id !== EMAIL_METHOD_ID) {
    throw new EntraError(90100, { text: 'id parameter is empty or not valid.' });
  }
}
