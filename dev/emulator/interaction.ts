import { issueTimeFor, markSignedIn, wereGrantsRevoked } from './account-state.ts';
import type { ClaimsRequest } from './claims-request.ts';
import { findUnmeetable, findUnmetDemands } from './conditional-access.ts';
import type { Directory } from './directory.ts';
import { EntraError } from './entra-error.ts';
import type { SignIn } from './grant-store.ts';
import { missingConsent, type RequestedScopes } from './resource-scopes.ts';
import { SHARED_TENANTS } from './tenants.ts';
import { findTenant, findUser, objectIdIn, type App, type User } from './world-model.ts';

/** What a client wants from a person at the browser. */
export interface InteractionRequest {
  readonly client: App;
  /** The tenant segment of the path. */
  readonly tenant: string;
  readonly scopes: RequestedScopes;
  /** Those of other resources, to which the person is asked to consent as well. Default none. */
  readonly furtherScopes?: readonly RequestedScopes[];
  readonly claims: ClaimsRequest;
  readonly prompt: string | undefined;
  readonly loginHint: string | undefined;
  /** The browser's session, if it has one. */
  readonly session: SignIn | undefined;
}

/** What the person answered so far on the pages. */
export interface Answers {
  /** Alias or object id. */
  readonly user?: string | undefined;
  readonly mfa?: string | undefined;
  readonly consent?: string | undefined;
}

/** What comes next in the browser. */
export type NextStep =
  | { readonly page: 'chooseUser'; readonly users: readonly User[] }
  | { readonly page: 'approveMfa'; readonly user: User }
  | { readonly page: 'consent'; readonly user: User; readonly scopes: readonly string[] }
  | { readonly page: 'done'; readonly user: User; readonly signIn: SignIn };

/**
 * Finds the next page, or the finished sign-in when nothing is left to ask.
 * @throws {EntraError} when the person cannot get further
 */
export function decideNextStep(directory: Directory, request: InteractionRequest, answers: Answers): NextStep {
  const { world } = directory;
  const session = reusableSession(directory, request, answers);
  const user = findUser(world, answers.user ?? session?.oid ?? '');
  if (!user) {
    return { page: 'chooseUser', users: offeredUsers(directory, request) };
  }
  if (user.status === 'blocked') {
    throw new EntraError(50057);
  }
  const signIn = describeSignIn(directory, { request, user, session, answers });
  const unmet = findUnmetDemands(world, { ...request, user, resource: request.scopes.resource, proof: signIn });
  const dead = findUnmeetable(user, unmet);
  if (dead) {
    throw dead;
  }
  if (unmet.policies.length + unmet.contexts.length > 0) {
    return { page: 'approveMfa', user };
  }
  const missing = scopesToAsk(directory, request, signIn);
  if (missing.length === 0) {
    return finish(user, signIn);
  }
  if (answers.consent === 'denied') {
    throw new EntraError(65004);
  }
  if (answers.consent !== 'granted') {
    return { page: 'consent', user, scopes: missing.flatMap(({ scopes }) => scopes) };
  }
  missing.forEach((each) => recordConsent(directory, request, signIn, each));
  return finish(user, signIn);
}

/** A session serves unless the client asked for a new sign-in, another person, or its grants were revoked. */
function reusableSession(
  { world }: Directory,
  { session, prompt, loginHint }: InteractionRequest,
  answers: Answers,
): SignIn | undefined {
  const user = findUser(world, session?.oid ?? '');
  if (!session || !user || prompt === 'login' || wereGrantsRevoked(user, session.authTime)) {
    return undefined;
  }
  if (answers.user !== undefined) {
    return session;
  }
  const hinted = loginHint === undefined || findUser(world, loginHint) === user;
  return hinted && prompt !== 'select_account' ? session : undefined;
}

function offeredUsers({ world }: Directory, { loginHint, tenant }: InteractionRequest): User[] {
  const tenantId = findTenant(world, tenant)?.id;
  const members = world.users.filter((user) => tenantId === undefined || objectIdIn(user, tenantId) !== undefined);
  const hinted = members.filter((user) => user.userPrincipalName === loginHint);
  return hinted.length > 0 ? hinted : members;
}

interface SignInParts {
  readonly request: InteractionRequest;
  readonly user: User;
  readonly session: SignIn | undefined;
  readonly answers: Answers;
}

function describeSignIn({ world }: Directory, { request, user, session, answers }: SignInParts): SignIn {
  const tenantId = SHARED_TENANTS.includes(request.tenant)
    ? user.homeTenant
    : (findTenant(world, request.tenant)?.id ?? '');
  const oid = objectIdIn(user, tenantId);
  if (oid === undefined) {
    throw new EntraError(50020);
  }
  const earlier = session?.oid === oid ? session : undefined;
  const approved = answers.mfa === 'approved' && user.canDoMfa;
  return {
    oid,
    tenantId,
    amr: [...new Set([...(earlier?.amr ?? ['pwd']), ...(approved ? ['mfa'] : [])])],
    acrs: [...new Set([...(earlier?.acrs ?? []), ...(approved ? request.claims.acrs : [])])],
    authTime: earlier && answers.user === undefined ? earlier.authTime : issueTimeFor(user),
  };
}

/** What a person has to agree to of one resource. */
interface MissingConsent {
  readonly resource: App;
  readonly scopes: readonly string[];
}

function scopesToAsk(
  { world }: Directory,
  { client, scopes: first, furtherScopes = [], prompt }: InteractionRequest,
  signIn: SignIn,
): readonly MissingConsent[] {
  return [first, ...furtherScopes]
    .map((scopes) => {
      const { resource, permissions } = scopes;
      if (prompt !== 'consent') {
        return { resource, scopes: missingConsent(world, { ...signIn, client, scopes }) };
      }
      return { resource, scopes: permissions.includes('.default') ? resource.scopes : permissions };
    })
    .filter(({ scopes }) => scopes.length > 0);
}

function recordConsent(
  { world }: Directory,
  { client }: InteractionRequest,
  { tenantId, oid }: SignIn,
  { resource, scopes }: MissingConsent,
): void {
  world.consents.push({
    tenant: tenantId,
    user: oid,
    client: client.clientId,
    resource: resource.clientId,
    scopes: [...scopes],
  });
}

function finish(user: User, signIn: SignIn): NextStep {
  markSignedIn(user);
  return { page: 'done', user, signIn: { ...signIn, authTime: Math.max(signIn.authTime, user.tokensValidFrom ?? 0) } };
}
