import { randomUUID } from 'node:crypto';
import type { Directory } from '../directory.ts';
import { EntraError } from '../entra-error.ts';
import { demandParameter } from '../token-request.ts';
import type { User } from '../world-model.ts';
import { advanceFlow, demandContinuation, openFlow } from './continuation.ts';
import type { Continuation, NewAccount } from './flow.ts';
import {
  declaredChallengeTypes,
  demandEmail,
  demandNativeAuthentication,
  findMember,
  readFlow,
  type NativeRequest,
} from './native-request.ts';
import { demandNewPassword } from './new-password.ts';
import { demandCode, describeCodeChallenge, sendCode } from './one-time-code.ts';
import { findMissingAttributes, readAttributes } from './user-attributes.ts';
import { findFallback } from './web-fallback.ts';

/**
 * `/signup/v1.0/start`: begins the sign-up of somebody who has no account.
 * @throws {EntraError} 901007, 90100, 1003037, 399246, 55105
 */
export function startSignUp(directory: Directory, request: NativeRequest): object {
  const flow = readFlow(request);
  const account = readAccount(request);
  demandFreeName(directory, request, account);
  const needed = wantsPassword(request) ? ['oob', 'password'] : ['oob'];
  return (
    findFallback(flow.challengeTypes, ...needed) ?? {
      continuation_token: openFlow(directory, flow, { at: 'signUp', account }),
    }
  );
}

/**
 * `/signup/v1.0/challenge`: sends a code, and after that says whether a password is to be chosen.
 * @throws {EntraError} 55200, 552003, 901007
 */
export function challengeSignUp(directory: Directory, request: NativeRequest): object {
  const continuation = demandContinuation(
    directory,
    request,
    'signUp',
    'signUpCode',
    'signUpCredential',
    'signUpPassword',
  );
  const { at, account } = continuation.step;
  const type = ['signUp', 'signUpCode'].includes(at) ? 'oob' : 'password';
  const fallback = findFallback(declaredChallengeTypes(request, continuation.flow), type);
  if (fallback) {
    return fallback;
  }
  if (type === 'password') {
    return {
      continuation_token: advanceFlow(directory, continuation, { at: 'signUpPassword', account }),
      challenge_type: type,
    };
  }
  const code = sendCode(directory, account.username, 'sign-up');
  return {
    continuation_token: advanceFlow(directory, continuation, { at: 'signUpCode', account, code }),
    ...describeCodeChallenge(account.username),
  };
}

/**
 * `/signup/v1.0/continue`: takes the code, the password or the attributes, and makes the account when nothing is missing.
 * @throws {EntraError} 55200, 552003, 70003, 50181, 399246, 55105, and 55103 and 55106 with what is missing
 */
export function continueSignUp(directory: Directory, request: NativeRequest): object {
  const { form } = request;
  const grantType = demandParameter(form, 'grant_type');
  if (grantType === 'oob') {
    const continuation = demandContinuation(directory, request, 'signUpCode');
    demandCode(form, continuation.step);
    return proceed(directory, request, continuation, continuation.step.account);
  }
  if (grantType === 'password') {
    const continuation = demandContinuation(directory, request, 'signUpPassword');
    const password = demandNewPassword(form, 'password');
    return proceed(directory, request, continuation, { ...continuation.step.account, password });
  }
  if (grantType !== 'attributes') {
    throw new EntraError(70003, { error: 'invalid_grant' });
  }
  const continuation = demandContinuation(directory, request, 'signUpAttributes');
  const { account } = continuation.step;
  const attributes = { ...account.attributes, ...readAttributes(request) };
  return proceed(directory, request, continuation, { ...account, attributes });
}

function proceed(
  directory: Directory,
  request: NativeRequest,
  continuation: Continuation,
  account: NewAccount,
): object {
  if (wantsPassword(request) && account.password === undefined) {
    const next = advanceFlow(directory, continuation, { at: 'signUpCredential', account });
    throw new EntraError(55103, { members: { continuation_token: next } });
  }
  const missing = findMissingAttributes(request, account);
  if (missing.length > 0) {
    const next = advanceFlow(directory, continuation, { at: 'signUpAttributes', account });
    throw new EntraError(55106, { members: { continuation_token: next, required_attributes: missing } });
  }
  demandFreeName(directory, request, account);
  const user = describeNewUser(request, account);
  directory.world.users.push(user);
  const amr = [account.password === undefined ? 'otp' : 'pwd'];
  return { continuation_token: advanceFlow(directory, continuation, { at: 'signedIn', user, amr }) };
}

function readAccount(request: NativeRequest): NewAccount {
  const { form } = request;
  return {
    username: demandEmail(form, 'username'),
    password: wantsPassword(request) && form.has('password') ? demandNewPassword(form, 'password') : undefined,
    attributes: form.has('attributes') ? readAttributes(request) : {},
  };
}

function wantsPassword({ client }: NativeRequest): boolean {
  return demandNativeAuthentication(client).signUpWith === 'password';
}

function demandFreeName({ world }: Directory, { tenantId }: NativeRequest, { username }: NewAccount): void {
  if (findMember(world, tenantId, username)) {
    throw new EntraError(1003037);
  }
}

function describeNewUser({ tenantId }: NativeRequest, { username, password, attributes }: NewAccount): User {
  return {
    alias: username,
    name: attributes['displayName'] ?? username,
    about: 'signed up',
    userPrincipalName: username,
    homeTenant: tenantId,
    oid: randomUUID(),
    guestIn: {},
    password,
    canDoMfa: false,
    mfaEmail: undefined,
    status: 'active',
    tokensValidFrom: undefined,
  };
}
