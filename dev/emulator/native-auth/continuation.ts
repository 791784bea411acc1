import { unixNow, type Directory } from '../directory.ts';
import { EntraError } from '../entra-error.ts';
import { randomHandle } from '../grant-store.ts';
import { demandParameter } from '../token-request.ts';
import type { Continuation, Flow, FlowStep, StepName } from './flow.ts';
import type { NativeRequest } from './native-request.ts';

/** Begins a flow; the answer is the continuation token with which its client goes on. */
export function openFlow({ continuations, switches }: Directory, flow: Flow, step: FlowStep): string {
  const token = randomHandle();
  const expiresAt = unixNow() + switches.continuationTokenLifetimeSeconds;
  continuations.set(token, { token, flow, step, expiresAt });
  return token;
}

/** Takes a flow one step on: its old token is used up, the answer is the new one. */
export function advanceFlow(directory: Directory, from: Continuation, step: FlowStep): string {
  endFlow(directory, from);
  return openFlow(directory, from.flow, step);
}

/** Uses a token up. */
export function endFlow({ continuations }: Directory, { token }: Continuation): void {
  continuations.delete(token);
}

/**
 * Finds what the request's continuation token stands for. It stays good until the flow is taken on, so that a person who
 * mistyped can try again.
 *
 * @param at the steps at which the call may be made
 * @throws {EntraError} 900144, 552003 when it is too old, 55200 when it is another client's or does not fit the call
 */
export function demandContinuation<Name extends StepName>(
  { continuations }: Directory,
  { form, client, tenantId }: NativeRequest,
  ...at: readonly Name[]
): Continuation<Name> {
  const continuation = continuations.get(demandParameter(form, 'continuation_token'));
  if (continuation?.flow.clientId !== client.clientId || continuation.flow.tenantId !== tenantId) {
    throw new EntraError(55200);
  }
  if (continuation.expiresAt <= unixNow()) {
    throw new EntraError(552003);
  }
  if (!isAt(continuation, at)) {
    throw new EntraError(55200, { text: 'The continuation_token is not valid for this endpoint.' });
  }
  return continuation;
}

function isAt<Name extends StepName>(
  continuation: Continuation,
  at: readonly Name[],
): continuation is Continuation<Name> {
  return (at as readonly string[]).includes(continuation.step.at);
}
