import { GatewayError, type LoopRule } from '../failures.ts';
import type { Principal } from '../session/principal.ts';
import { toWish, type StepUpLoop } from './step-up-loop.ts';

/** What decides whether a challenge may go out. */
export interface ChallengeRules {
  readonly loop: StepUpLoop;
  /** True when only clients that declared `cp1` get claims challenges. */
  readonly requireClientCapability: boolean;
}

const CAPABILITY_REMEDY =
  'The client must declare cp1, and the registration of the gateway must list the optional claim xms_cc.';

const STEP_UP = {
  failure: 'step_up_unsatisfiable',
  remedy: 'Look for a policy that the gateway itself cannot meet, such as one about locations.',
} as const;

/** The time that is not asked any more. */
const MAX_REFUSALS = 3;

/**
 * Looks at a failure on its way out: a challenge passes when the client can take it and is not going round in circles;
 * everything else passes as it is.
 */
export function checkChallenge(
  error: unknown,
  principal: Principal | undefined,
  operation: string,
  rules: ChallengeRules,
): unknown {
  if (!(error instanceof GatewayError) || principal === undefined) {
    return error;
  }
  const { claims, log } = error.facts;
  if (claims !== undefined && rules.requireClientCapability && !principal.handlesClaims) {
    return new GatewayError('client_not_capable', { log: { remedy: CAPABILITY_REMEDY } });
  }
  const found = findLoopRule(error);
  return found !== undefined && rules.loop.countRefusal(found.refusal, principal, operation) >= MAX_REFUSALS
    ? new GatewayError(found.failure, { log: { ...log, remedy: found.remedy } })
    : error;
}

/** `undefined` for what no new token is meant to end. */
function findLoopRule({ failure, facts: { claims, loop } }: GatewayError): LoopRule | undefined {
  if (claims !== undefined) {
    return { ...STEP_UP, refusal: toWish(claims) };
  }
  return loop ?? (failure === 'interaction_required' ? { ...STEP_UP, refusal: failure } : undefined);
}
