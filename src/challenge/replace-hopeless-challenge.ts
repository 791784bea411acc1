import { GatewayError, type LoopRule } from '../failures.ts';
import type { Principal } from '../session/principal.ts';
import { withoutChangingValues, type StepUpLoop } from './step-up-loop.ts';

/** What decides whether a challenge goes to the caller. */
export interface ChallengeRules {
  readonly loop: StepUpLoop;
  /** True when only clients that declared the capability `cp1` get claims challenges. */
  readonly requireClientCapability: boolean;
}

const CAPABILITY_REMEDY =
  'The client must declare cp1, and the registration of the gateway must list the optional claim xms_cc.';

const STEP_UP = {
  code: 'step_up_unsatisfiable',
  remedy: 'Look for a policy that the gateway itself cannot meet, such as one about locations.',
} as const;

/** How often a refusal must have met newer and newer tokens before it counts as a loop. */
const REFUSALS_OF_LOOP = 3;

/**
 * Replaces a challenge that cannot help: one with claims for a client that does not understand claims, and one that the
 * caller's new tokens keep meeting. Counts the challenge for the caller and the operation.
 *
 * @returns the error to answer with; every other error as it is
 */
export function replaceHopelessChallenge(
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
  return found !== undefined && rules.loop.countRefusal(found.refusal, principal, operation) >= REFUSALS_OF_LOOP
    ? new GatewayError(found.code, { log: { ...log, remedy: found.remedy } })
    : error;
}

/** What to do about a loop of this failure; `undefined` for a failure that no new token is expected to end. */
function findLoopRule({ code, facts: { claims, loop } }: GatewayError): LoopRule | undefined {
  if (claims !== undefined) {
    return { ...STEP_UP, refusal: withoutChangingValues(claims) };
  }
  return loop ?? (code === 'interaction_required' ? { ...STEP_UP, refusal: code } : undefined);
}
