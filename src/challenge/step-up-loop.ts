import { LRUCache } from 'lru-cache';
import type { Principal } from '../principal.ts';

interface Attempt {
  readonly claims: string;
  readonly firstAt: number;
  readonly times: number;
  /** Of the newest token. */
  readonly issuedAt: number;
}

/** Milliseconds in which the same challenges count as one loop. */
const WINDOW = 10 * 60 * 1_000;

/** The time that is not asked any more. */
const MOST_TIMES = 3;

const MOST_CALLERS = 10_000;

/** Members that differ each time though the same is wanted: when, and why. */
const CHANGING: ReadonlySet<string> = new Set(['nbf', 'xms_caeerror']);

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

  /** True when the same claims are asked for the third time within ten minutes though each time the token was newer. */
  isGoingRound(claims: string, principal: Principal, operation: string): boolean {
    return this.#count(toWish(claims), principal, operation) >= MOST_TIMES;
  }

  /** A call that went well ends a loop that was none. */
  forget(principal: Principal, operation: string): void {
    if (this.#attempts.size > 0) {
      this.#attempts.delete(keyOf(principal, operation));
    }
  }

  #count(claims: string, principal: Principal, operation: string): number {
    const { objectId, issuedAt } = principal;
    if (objectId === undefined) {
      return 1;
    }
    const key = keyOf(principal, operation);
    const now = this.#now();
    const last = this.#attempts.get(key);
    if (last === undefined || last.claims !== claims || now - last.firstAt >= WINDOW) {
      this.#attempts.set(key, { claims, firstAt: now, times: 1, issuedAt });
      return 1;
    }
    if (issuedAt <= last.issuedAt) {
      return last.times;
    }
    const times = last.times + 1;
    this.#attempts.set(key, { ...last, times, issuedAt });
    return times;
  }
}

function keyOf({ tenantId, objectId, clientId }: Principal, operation: string): string {
  return JSON.stringify([tenantId, objectId, clientId, operation]);
}

/** What a claims request wants, without what is different in each one. */
function toWish(claims: string): string {
  return JSON.stringify(JSON.parse(claims), (name, value: unknown) => (CHANGING.has(name) ? true : value));
}
