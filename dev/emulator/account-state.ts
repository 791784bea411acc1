import { EntraError } from './entra-error.ts';
import { unixNow } from './directory.ts';
import { objectIdIn, type User, type World } from './world-model.ts';

/** The person with that object id in that tenant. */
export function findByObjectId(world: World, tenantId: string, oid: string): User | undefined {
  return world.users.find((user) => objectIdIn(user, tenantId) === oid);
}

/**
 * Lets pass only a person whose account is enabled and whose grants since `issuedAt` (unix seconds) hold.
 * @throws {EntraError} 50057, 50173
 */
export function demandGoodStanding(user: User, issuedAt: number): void {
  if (user.status === 'blocked') {
    throw new EntraError(50057);
  }
  if (wereGrantsRevoked(user, issuedAt)) {
    throw new EntraError(50173);
  }
}

/** Whether a person's grants were revoked since `issuedAt`, in unix seconds. */
export function wereGrantsRevoked({ status, tokensValidFrom = 0 }: User, issuedAt: number): boolean {
  return status === 'revoked' || issuedAt < tokensValidFrom;
}

/** Ends every grant of a person; what is issued to them from now on is later, to the second, than all of before. */
export function revokeGrants(user: User): void {
  user.tokensValidFrom = unixNow() + 1;
}

/** The unix second at which something issued to a person now counts as issued. */
export function issueTimeFor(user: User): number {
  return Math.max(unixNow(), user.tokensValidFrom ?? 0);
}

/** Notes that a person signed in anew. */
export function markSignedIn(user: User): void {
  if (user.status !== 'revoked') {
    return;
  }
  user.status = 'active';
  revokeGrants(user);
}
