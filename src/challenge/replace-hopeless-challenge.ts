import { GatewayError, type LoopRule } from '../failures.ts';
import type { Principal } from '../session/principal.ts';
import { isAccessTokenClaims } from '../syntax/claims-request.ts';
import { toClaimsScope } from '../syntax/claims-scope.ts';
import { withoutChangingValues, type StepUpLoop } from './step-up-loop.ts';

/** What decides whether a challenge goes to the caller. */
export interface ChallengeRules {
  readonly loop: StepUpLoop;
  /** True when only clients that declared the capability `cp1` get claims challenges. */
  readonly requireClientCapability: boolean;
}

/** A message to an MCP server that a challenge is about. */
export interface ChallengedMessage {
  /** The scopes that a user needs for it. */
  readonly scopes: readonly string[];
  /** True where clients of the server get their tokens from its façade, so that a scope can stand for claims. */
  readonly hasFacade: boolean;
}

/** The operation that a challenge is about. */
export interface ChallengedOperation {
  /** Refusals of one name are counted together. */
  readonly name: string;
  /** Present for a message to an MCP server. */
  readonly mcp?: ChallengedMessage | undefined;
  /** The authentication context that it needs; absent where it needs none. */
  readonly authContext?: string | undefined;
}

const CAPABILITY_REMEDY =
  'The client must declare cp1, and the registration of the gateway must list the optional claim xms_cc.';

const MCP_REMEDY =
  'Clients of MCP servers read no claims. Set mcp.authorizationServer: facade, so that a scope can stand for them.';

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
 * Clients of MCP servers do not understand claims unless they say so: the 401 makes them sign the user in again and again.
 * They ask for any scope that a 403 names, and so get a scope that stands for the claims.
 *
 * @returns the error to answer with; every other error as it is
 */
export function replaceHopelessChallenge(
  error: unknown,
  principal: Principal | undefined,
  operation: ChallengedOperation,
  rules: ChallengeRules,
): unknown {
  if (!(error instanceof GatewayError) || principal === undefined) {
    return error;
  }
  const form = chooseForm(error, principal, operation, rules);
  if (form.kind === 'none') {
    return new GatewayError('client_not_capable', { log: { remedy: form.remedy } });
  }
  const found = findLoopRule(error);
  if (found !== undefined && rules.loop.countRefusal(found.refusal, principal, operation.name) >= REFUSALS_OF_LOOP) {
    return new GatewayError(found.code, { log: { ...error.facts.log, remedy: found.remedy } });
  }
  return form.kind === 'scopes' ? new GatewayError('claims_as_scope', { ...error.facts, scopes: form.scopes }) : error;
}

/** How a failure asks the client for claims, if it asks for any. */
type ClaimsForm =
  | { readonly kind: 'as it is' }
  | { readonly kind: 'scopes'; readonly scopes: readonly string[] }
  | { readonly kind: 'none'; readonly remedy: string };

function chooseForm(
  { facts: { claims } }: GatewayError,
  { kind, handlesClaims }: Principal,
  { mcp }: ChallengedOperation,
  { requireClientCapability }: ChallengeRules,
): ClaimsForm {
  if (claims === undefined || handlesClaims) {
    return { kind: 'as it is' };
  }
  if (mcp !== undefined && kind === 'user') {
    return mcp.hasFacade && isAccessTokenClaims(claims)
      ? { kind: 'scopes', scopes: [...mcp.scopes, toClaimsScope(claims)] }
      : { kind: 'none', remedy: MCP_REMEDY };
  }
  return requireClientCapability ? { kind: 'none', remedy: CAPABILITY_REMEDY } : { kind: 'as it is' };
}

/** What to do about a loop of this failure; `undefined` for a failure that no new token is expected to end. */
function findLoopRule({ code, facts: { claims, loop } }: GatewayError): LoopRule | undefined {
  if (claims !== undefined) {
    return { ...STEP_UP, refusal: withoutChangingValues(claims) };
  }
  return loop ?? (code === 'interaction_required' ? { ...STEP_UP, refusal: code } : undefined);
}
