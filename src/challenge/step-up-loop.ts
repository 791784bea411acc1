import { LRUCache } from 'lru-cache';
import type { Clock } from '../resilience/clock.ts';
import type { Principal } from '../session/principal.ts';

interface RepeatedRefusal {
  readonly refusal: string;
  readonly firstAt: number;
  readonly times: number;
  /** Of the newest token. */
  readonly issuedAt: number;
}

/** How long the same refusals count as one loop. */
const WINDOW_MS = 10 * 60 * 1_000;

const MAX_CALLERS = 10_000;

/** Members that differ each time though the same is wanted: when, and why. */
const CHANGING: ReadonlySet<string> = new Set(['nbf', 'xms_caeerror']);

/**
 * Notices callers that come back with a newer token each time and are refused in the same way. Location policies cause
 * that: the user's address passes, the gateway's does not, and no step-up can change it.
 */
export class StepUpLoop {
  readonly #refusals = new LRUCache<string, RepeatedRefusal>({ max: MAX_CALLERS });
  readonly #monotonicMs: Clock;

  constructor(monotonicMs: Clock) {
    this.#monotonicMs = monotonicMs;
  }

  /**
   * Counts a refusal.
   *
   * @returns how often it was met within ten minutes, each time with a newer token
   */
  countRefusal(refusal: string, principal: Principal, operation: string): number {
    const { objectId, issuedAt } = principal;
    if (objectId === undefined) {
      return 1;
    }
    const key = keyOf(principal, operation);
    const now = this.#monotonicMs();
    const last = this.#refusals.get(key);
    if (last === undefined || last.refusal !== refusal || now - last.firstAt >= WINDOW_MS) {
      this.#refusals.set(key, { refusal, firstAt: now, times: 1, issuedAt });
      return 1;
    }
    if (issuedAt <= last.issuedAt) {
      return last.times;
    }
    const times = last.times + 1;
    this.#refusals.set(key, { ...last, times, issuedAt });
    return times;
  }

  /** A call that went well ends a loop that was none. */
  forget(principal: Principal, operation: string): void {
    if (this.#refusals.size > 0) {
      this.#refusals.delete(keyOf(principal, operation));
    }
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
