import { issueTimeFor, markSignedIn } from '../account-state.ts';
import { readClaimsRequest, type ClaimsRequest } from '../claims-request.ts';
import { classOf } from '../client-authentication.ts';
import { findUnmetDemands } from '../conditional-access.ts';
import type { Directory } from '../directory.ts';
import { EntraError } from '../entra-error.ts';
import { readScopes } from '../resource-scopes.ts';
import { demandTenant } from '../tenants.ts';
import { grantTokens, type TokenReply } from '../token-reply.ts';
import { demandParameter, wantsClientInfo, type TokenRequest } from '../token-request.ts';
import { objectIdIn, type User } from '../world-model.ts';
import { advanceFlow, demandContinuation, endFlow } from './continuation.ts';
import type { Continuation } from './flow.ts';
import type { NativeRequest } from './native-request.ts';
import { demandCode } from './one-time-code.ts';
import { fallBackToBrowser, type WebFallback } from './web-fallback.ts';

/**
 * Redeems a continuation token and what the person entered.
 * @throws {EntraError} 55200, 552003, 70003, 50126, 50181, and 50076 or 50079 with the token to go on with where a second
 *   factor is needed
 */
export function redeemContinuation(directory: Directory, request: TokenRequest): TokenReply | WebFallback {
  const { form, client } = request;
  const tenantId = demandTenant(directory.world, request.tenant, client).id;
  const proof = demandProof(directory, { form, client, tenantId });
  request.onSubject(objectIdIn(proof.user, tenantId) ?? proof.user.oid);
  const claims = readClaimsRequest(form.get('claims') ?? undefined);
  if (needsSecondFactor(directory, form, proof, claims)) {
    return askForSecondFactor(directory, proof);
  }
  markSignedIn(proof.user);
  const reply = grantTokens(directory, {
    signIn: {
      oid: proof.user.oid,
      tenantId,
      amr: proof.amr,
      acrs: contextsOf(proof, claims),
      authTime: issueTimeFor(proof.user),
    },
    client,
    clientClass: classOf(request.credential),
    scope: demandParameter(form, 'scope'),
    claims,
    // A proxy takes the Origin header away, which the refresh tokens of pages need.
    kind: 'native',
    wantsClientInfo: wantsClientInfo(form),
  });
  endFlow(directory, proof.continuation);
  return reply;
}

/** What a person has proved so far in a flow. */
interface Proof {
  readonly continuation: Continuation;
  readonly user: User;
  readonly amr: readonly string[];
}

function demandProof(directory: Directory, request: NativeRequest): Proof {
  const grantType = demandParameter(request.form, 'grant_type');
  if (grantType === 'password') {
    return demandPassword(directory, request);
  }
  if (grantType === 'oob' || grantType === 'mfa_oob') {
    return demandSentCode(directory, request);
  }
  if (grantType !== 'continuation_token') {
    throw new EntraError(70003);
  }
  const continuation = demandContinuation(directory, request, 'signedIn');
  return { continuation, user: continuation.step.user, amr: continuation.step.amr };
}

function demandPassword(directory: Directory, request: NativeRequest): Proof {
  const continuation = demandContinuation(directory, request, 'signInPassword');
  const { user } = continuation.step;
  if (request.form.get('password') !== user.password) {
    throw new EntraError(50126);
  }
  return { continuation, user, amr: ['pwd'] };
}

function demandSentCode(directory: Directory, request: NativeRequest): Proof {
  const continuation = demandContinuation(directory, request, 'signInCode', 'secondFactorCode');
  const { step } = continuation;
  demandCode(request.form, step);
  return { continuation, user: step.user, amr: 'amr' in step ? [...step.amr, 'mfa'] : ['otp'] };
}

/** What no second factor can satisfy is left to {@link grantTokens}, which refuses it. */
function needsSecondFactor({ world }: Directory, form: URLSearchParams, proof: Proof, claims: ClaimsRequest): boolean {
  const { resource } = readScopes(world, demandParameter(form, 'scope'));
  const { user, amr } = proof;
  const acrs = contextsOf(proof, claims);
  const { policies, contexts } = findUnmetDemands(world, { user, resource, proof: { amr, acrs }, claims });
  return policies.length + contexts.length > 0 && policies.every(({ requires }) => requires === 'mfa');
}

/** The authentication contexts of the emulator's world want nothing but a second factor. */
function contextsOf({ amr }: Proof, { acrs }: ClaimsRequest): readonly string[] {
  return amr.includes('mfa') ? acrs : [];
}

function askForSecondFactor(directory: Directory, { continuation, user, amr }: Proof): WebFallback {
  const suberror = user.canDoMfa ? 'mfa_required' : 'registration_required';
  if (!continuation.flow.capabilities.includes(suberror)) {
    return fallBackToBrowser(`Client is missing ${suberror} capability`);
  }
  // A code by email is no second factor for somebody whose first one it is.
  if (amr.includes('otp')) {
    return fallBackToBrowser('The user has no second factor that a client can ask for');
  }
  const at = user.canDoMfa ? 'secondFactor' : 'registration';
  const next = advanceFlow(directory, continuation, { at, user, amr });
  throw new EntraError(user.canDoMfa ? 50076 : 50079, { suberror, members: { continuation_token: next } });
}
