import { GatewayError } from '../failures.ts';
import type { Principal } from '../principal.ts';
import type { StepUpLoop } from './step-up-loop.ts';

/** What decides whether a claims challenge may go out. */
export interface ChallengeRules {
  readonly loop: StepUpLoop;
  /** True when only clients that declared `cp1` get claims challenges. */
  readonly requireClientCapability: boolean;
}

/** Whose request it is and for what. */
export interface ChallengedRequest {
  readonly principal?: Principal | undefined;
  readonly operation?: string | undefined;
}

/**
 * Looks at a failure on its way out: a claims challenge passes when the client can take it and is not going round in
 * circles; everything else passes as it is.
 */
export function checkChallenge(
  error: unknown,
  { principal, operation = '' }: ChallengedRequest,
  rules: ChallengeRules,
): unknown {
  const claims = error instanceof GatewayError ? error.facts.claims : undefined;
  if (claims === undefined || principal === undefined) {
    return error;
  }
  if (rules.requireClientCapability && !principal.handlesClaims) {
    return new GatewayError('client_not_capable', {
      log: {
        remedy: 'The client must declare cp1, and the registration of the gateway must list the optional claim xms_cc.',
      },
    });
  }
  return rules.loop.isGoingRound(claims, principal, operation)
    ? new GatewayError('step_up_unsatisfiable', {
        log: { remedy: 'Look for a policy that the gateway itself cannot meet, such as one about locations.' },
      })
    : error;
}
