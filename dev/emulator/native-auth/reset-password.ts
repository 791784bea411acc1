import { revokeGrants } from '../account-state.ts';
import type { Directory } from '../directory.ts';
import { EntraError } from '../entra-error.ts';
import { demandParameter } from '../token-request.ts';
import { advanceFlow, demandContinuation, openFlow } from './continuation.ts';
import { declaredChallengeTypes, demandMember, readFlow, type NativeRequest } from './native-request.ts';
import { demandNewPassword } from './new-password.ts';
import { demandCode, describeCodeChallenge, sendCode } from './one-time-code.ts';
import { findFallback } from './web-fallback.ts';

const POLL_INTERVAL_SECONDS = 2;

/**
 * `/resetpassword/v1.0/start`: begins the reset of a forgotten password.
 * @throws {EntraError} 901007, 90100, 50034, 50057, 500222 when the person has no password here
 */
export function startPasswordReset(directory: Directory, request: NativeRequest): object {
  const flow = readFlow(request);
  const user = demandMember(directory, request);
  if (user.password === undefined || user.homeTenant !== request.tenantId) {
    throw new EntraError(500222);
  }
  return (
    findFallback(flow.challengeTypes, 'oob') ?? {
      continuation_token: openFlow(directory, flow, { at: 'reset', user }),
    }
  );
}

/**
 * `/resetpassword/v1.0/challenge`: sends a code.
 * @throws {EntraError} 55200, 552003, 901007
 */
export function challengePasswordReset(directory: Directory, request: NativeRequest): object {
  const continuation = demandContinuation(directory, request, 'reset', 'resetCode');
  const { user } = continuation.step;
  const fallback = findFallback(declaredChallengeTypes(request, continuation.flow), 'oob');
  if (fallback) {
    return fallback;
  }
  const code = sendCode(directory, user.userPrincipalName, 'password reset');
  return {
    continuation_token: advanceFlow(directory, continuation, { at: 'resetCode', user, code }),
    ...describeCodeChallenge(user.userPrincipalName),
  };
}

/**
 * `/resetpassword/v1.0/continue`: takes the code.
 * @throws {EntraError} 55200, 552003, 70003, 50181
 */
export function continuePasswordReset(directory: Directory, request: NativeRequest): object {
  const { form } = request;
  if (demandParameter(form, 'grant_type') !== 'oob') {
    throw new EntraError(70003, { error: 'invalid_grant' });
  }
  const continuation = demandContinuation(directory, request, 'resetCode');
  demandCode(form, continuation.step);
  const { user } = continuation.step;
  return {
    expires_in: directory.switches.continuationTokenLifetimeSeconds,
    continuation_token: advanceFlow(directory, continuation, { at: 'resetPassword', user }),
  };
}

/**
 * `/resetpassword/v1.0/submit`: takes the new password; what was granted with the old one ends.
 * @throws {EntraError} 55200, 552003, 399246
 */
export function submitNewPassword(directory: Directory, request: NativeRequest): object {
  const continuation = demandContinuation(directory, request, 'resetPassword');
  const { user } = continuation.step;
  user.password = demandNewPassword(request.form, 'new_password', user.password);
  revokeGrants(user);
  return {
    continuation_token: advanceFlow(directory, continuation, { at: 'resetPoll', user, polls: 0 }),
    poll_interval: POLL_INTERVAL_SECONDS,
  };
}

/**
 * `/resetpassword/v1.0/poll_completion`: whether the password is changed; that takes until the second time it is asked.
 * @throws {EntraError} 55200, 552003
 */
export function pollPasswordReset(directory: Directory, request: NativeRequest): object {
  const continuation = demandContinuation(directory, request, 'resetPoll');
  const { step } = continuation;
  step.polls += 1;
  if (step.polls === 1) {
    return { status: 'in_progress' };
  }
  const next = advanceFlow(directory, continuation, { at: 'signedIn', user: step.user, amr: ['pwd'] });
  return { status: 'succeeded', continuation_token: next };
}
