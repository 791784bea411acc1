import { LRUCache } from 'lru-cache';
import { GatewayError } from '../failures.ts';
import type { Principal } from '../principal.ts';

interface Attempt {
  readonly firstAt: number;
  readonly times: number;
  /** Of the newest token. */
  readonly issuedAt: number;
}

/** Milliseconds in which the same challenges count as one loop. */
const WINDOW = 10 * 60 * 1_000;

/** The same challenge is given this many times, less one; this time it is refused. */
const MOST_TIMES = 3;

const MOST_CALLERS = 10_000;

/**
 * Notices callers that come back with a newer token each time and still lack the claims that were asked for. Location
 * policies cause that: the user's address passes, the gateway's does not, and no step-up can change it.
 */
export class StepUpLoop {
  readonly #attempts = new LRUCache<string, Attempt>({ max: MOST_CALLERS });
  readonly #now: () => number;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Lets a claims challenge to a user pass, or replaces it by `step_up_unsatisfiable` when it is given for the third
   * time within ten minutes though each time the token was newer.
   */
  check(error: unknown, principal: Principal | undefined): unknown {
    const claims = error instanceof GatewayError ? error.facts.claims : undefined;
    if (claims === undefined || principal === undefined) {
      return error;
    }
    return this.#count(claims, principal) < MOST_TIMES
      ? error
      : new GatewayError('step_up_unsatisfiable', {
          log: { remedy: 'Look for a policy that the gateway itself cannot meet, such as one about locations.' },
        });
  }

  #count(claims: string, principal: Principal): number {
    const { tenantId, objectId, clientId = '' } = principal;
    if (objectId === undefined) {
      return 1;
    }
    const key = JSON.stringify([tenantId, objectId, clientId, claims]);
    const now = this.#now();
    const last = this.#attempts.get(key);
    if (last === undefined || now - last.firstAt >= WINDOW) {
      this.#attempts.set(key, { firstAt: now, times: 1, issuedAt: principal.issuedAt });
      return 1;
    }
    if (principal.issuedAt <= last.issuedAt) {
      return last.times;
    }
    const times = last.times + 1;
    this.#attempts.set(key, { firstAt: last.firstAt, times, issuedAt: principal.issuedAt });
    return times;
  }
}
