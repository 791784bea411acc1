import { requestAuthenticationContext, requestPolicies, type ClaimsRequest } from './claims-request.ts';
import { EntraError, type EntraErrorCode } from './entra-error.ts';
import type { App, Policy, User, World } from './world-model.ts';

/** What a token or a sign-in proved. */
export interface Proof {
  readonly amr: readonly string[];
  readonly acrs: readonly string[];
}

/** Who wants to reach what, with which proof. */
export interface AccessQuestion {
  readonly user: User;
  readonly resource: App;
  readonly proof: Proof;
  readonly claims: ClaimsRequest;
}

/** What is still missing: policies and authentication contexts. */
export interface UnmetDemands {
  readonly policies: readonly Policy[];
  readonly contexts: readonly string[];
}

const REFUSAL_OF = {
  mfa: 50076,
  termsOfUse: 50158,
  compliantDevice: 53000,
  block: 53003,
} as const satisfies Record<Policy['requires'], EntraErrorCode>;

/** The demands of policies and of the claims request that the proof does not satisfy. */
export function findUnmetDemands(world: World, { user, resource, proof, claims }: AccessQuestion): UnmetDemands {
  return {
    policies: world.policies.filter(
      (policy) =>
        policy.enabled &&
        (claims.capolids.includes(policy.id) || guards(policy, user, resource)) &&
        !(policy.requires === 'mfa' && proof.amr.includes('mfa')),
    ),
    contexts: claims.acrs.filter((id) => !proof.acrs.includes(id) && !isFree(world, id)),
  };
}

/**
 * Lets pass only who satisfies every policy and claim.
 * @throws {EntraError} 50076, 50079, 50158, 53000, 53003, each with the claims to ask for
 */
export function demandAccess(world: World, question: AccessQuestion): void {
  const { policies, contexts } = findUnmetDemands(world, question);
  const hardest = policies.find(({ requires }) => requires !== 'mfa') ?? policies[0];
  if (hardest) {
    const claims = requestPolicies(policies.map(({ id }) => id));
    throw new EntraError(refusalFor(hardest, question.user), { claims });
  }
  const context = contexts[0];
  if (context !== undefined) {
    throw new EntraError(50076, { claims: requestAuthenticationContext(context) });
  }
}

/** The refusal of a person who cannot satisfy a demand even on a sign-in page; none when a second factor will do. */
export function findUnmeetable(user: User, { policies, contexts }: UnmetDemands): EntraError | undefined {
  const policy = policies.find(({ requires }) => requires !== 'mfa');
  if (policy) {
    return new EntraError(REFUSAL_OF[policy.requires]);
  }
  const wantsMfa = policies.length > 0 || contexts.length > 0;
  return wantsMfa && !user.canDoMfa ? new EntraError(50079) : undefined;
}

/** Whether whoever asks for an authentication context gets it. */
function isFree({ authenticationContexts }: World, id: string): boolean {
  return authenticationContexts.some((context) => context.id === id && context.requires === 'nothing');
}

function guards(policy: Policy, user: User, resource: App): boolean {
  return policy.on === resource.clientId && (policy.users === 'all' || policy.users.includes(user.alias));
}

function refusalFor({ requires }: Policy, user: User): EntraErrorCode {
  return requires === 'mfa' && !user.canDoMfa ? 50079 : REFUSAL_OF[requires];
}
