import { LRUCache } from 'lru-cache';
import type { MonotonicClock } from '../monotonic-clock.ts';
import type { Principal } from '../principal.ts';

interface Attempt {
  readonly refusal: string;
  readonly firstAt: number;
  readonly times: number;
  /** Of the newest token. */
  readonly issuedAt: number;
}

/** Milliseconds in which the same refusals count as one loop. */
const WINDOW = 10 * 60 * 1_000;

/** The time that is not asked any more. */
const MOST_TIMES = 3;

const MOST_CALLERS = 10_000;

/** Members that differ each time though the same is wanted: when, and why. */
const CHANGING: ReadonlySet<string> = new Set(['nbf', 'xms_caeerror']);

/**
 * Notices callers that come back with a newer token each time and are refused in the same way. Location policies cause
 * that: the user's address passes, the gateway's does not, and no step-up can change it.
 */
export class StepUpLoop {
  readonly #attempts = new LRUCache<string, Attempt>({ max: MOST_CALLERS });
  readonly #monotonicMs: MonotonicClock;

  constructor(monotonicMs: MonotonicClock) {
    this.#monotonicMs = monotonicMs;
  }

  /** True when the same refusal is met the third time within ten minutes though each time the token was newer. */
  isGoingRound(refusal: string, principal: Principal, operation: string): boolean {
    return this.#count(refusal, principal, operation) >= MOST_TIMES;
  }

  /** A call that went well ends a loop that was none. */
  forget(principal: Principal, operation: string): void {
    if (this.#attempts.size > 0) {
      this.#attempts.delete(keyOf(principal, operation));
    }
  }

  #count(refusal: string, principal: Principal, operation: string): number {
    const { objectId, issuedAt } = principal;
    if (objectId === undefined) {
      return 1;
    }
    const key = keyOf(principal, operation);
    const now = this.#monotonicMs();
    const last = this.#attempts.get(key);
    if (last === undefined || last.refusal !== refusal || now - last.firstAt >= WINDOW) {
      this.#attempts.set(key, { refusal, firstAt: now, times: 1, issuedAt });
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
  // Every call that goes well asks for it, and JSON would take four times as long.
  return `${tenantId}\n${objectId}\n${clientId}\n${operation}`;
}

/** What a claims request wants, without what is different in each one. */
export function toWish(claims: string): string {
  return JSON.stringify(JSON.parse(claims), (name, value: unknown) => (CHANGING.has(name) ? true : value));
}
