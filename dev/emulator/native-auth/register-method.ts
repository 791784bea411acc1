import type { Directory } from '../directory.ts';
import { EntraError } from '../entra-error.ts';
import { demandParameter } from '../token-request.ts';
import { advanceFlow, demandContinuation } from './continuation.ts';
import type { Continuation } from './flow.ts';
import { demandEmail, type NativeRequest } from './native-request.ts';
import { demandCode, describeCodeChallenge, maskEmail, sendCode } from './one-time-code.ts';

/**
 * `/register/v1.0/introspect`: the second factors that somebody who has none may register.
 * @throws {EntraError} 55200, 552003
 */
export function listRegistrableMethods(directory: Directory, request: NativeRequest): object {
  const continuation = demandContinuation(directory, request, 'registration');
  const { step } = continuation;
  const hint = maskEmail(step.user.userPrincipalName);
  return {
    continuation_token: advanceFlow(directory, continuation, step),
    methods: [{ id: 'email', challenge_type: 'oob', challenge_channel: 'email', login_hint: hint }],
  };
}

/**
 * `/register/v1.0/challenge`: sends a code to the address that is to be registered. The address with which the person
 * signs in was proved when they signed up.
 * @throws {EntraError} 55200, 552003, 90100, 901007
 */
export function challengeRegistration(directory: Directory, request: NativeRequest): object {
  const { form } = request;
  const continuation = demandContinuation(directory, request, 'registration', 'registrationCode');
  demandEmailMethod(form);
  const email = demandEmail(form, 'challenge_target');
  const { user, amr } = continuation.step;
  if (email.toLowerCase() === user.userPrincipalName.toLowerCase()) {
    return {
      continuation_token: advanceFlow(directory, continuation, { at: 'registrationPreverified', user, amr, email }),
      challenge_type: 'preverified',
      challenge_target: email,
      challenge_channel: 'email',
    };
  }
  const code = sendCode(directory, email, 'registration of a second factor');
  return {
    continuation_token: advanceFlow(directory, continuation, { at: 'registrationCode', user, amr, email, code }),
    ...describeCodeChallenge(email),
    challenge_target: email,
  };
}

/**
 * `/register/v1.0/continue`: takes the code, after which the address is the person's second factor, and proved.
 * @throws {EntraError} 55200, 552003, 70003, 50181
 */
export function continueRegistration(directory: Directory, request: NativeRequest): object {
  const continuation = demandProof(directory, request);
  const { user, amr, email } = continuation.step;
  user.canDoMfa = true;
  user.mfaEmail = email;
  return {
    continuation_token: advanceFlow(directory, continuation, { at: 'signedIn', user, amr: [...amr, 'mfa'] }),
  };
}

function demandProof(
  directory: Directory,
  request: NativeRequest,
): Continuation<'registrationCode' | 'registrationPreverified'> {
  const { form } = request;
  const grantType = demandParameter(form, 'grant_type');
  if (grantType === 'continuation_token') {
    return demandContinuation(directory, request, 'registrationPreverified');
  }
  if (grantType !== 'oob') {
    throw new EntraError(70003, { error: 'invalid_grant' });
  }
  const continuation = demandContinuation(directory, request, 'registrationCode');
  demandCode(form, continuation.step);
  return continuation;
}

function demandEmailMethod(form: URLSearchParams): void {
  const channel = form.get('challenge_channel') ?? 'email';
  if (demandParameter(form, 'challenge_type') === 'oob' && channel === 'email') {
    return;
  }
  throw new EntraError(901007, { text: 'The challenge_type list parameter contains an unsupported challenge type.' });
}
