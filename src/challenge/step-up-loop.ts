import { LRUCache } from 'lru-cache';
import type { Clock } from '../resilience/clock.ts';
import { callerKey, type Principal } from '../session/principal.ts';

interface RepeatedRefusal {
  readonly refusal: string;
  /** On the monotonic clock; milliseconds. */
  readonly firstAt: number;
  readonly times: number;
  /** The `iat` of the newest token that met the refusal. */
  readonly issuedAtSeconds: number;
}

/** How long equal refusals count as one loop. */
const WINDOW_MS = 10 * 60 * 1_000;

/** How many pairs of a caller and an operation are remembered. */
const MAX_REMEMBERED = 10_000;

/** Members of a claims request that can differ each time, though it asks for the same: the time, and the reason. */
const CHANGING: ReadonlySet<string> = new Set(['nbf', 'xms_caeerror']);

/**
 * Counts how often a caller comes back with a newer token and is refused in the same way. Policies about locations
 * cause such loops: the user's address is allowed and the gateway's is not, and no step-up can change that.
 */
export class StepUpLoop {
  readonly #refusals = new LRUCache<string, RepeatedRefusal>({ max: MAX_REMEMBERED });
  readonly #monotonicMs: Clock;

  constructor(monotonicMs: Clock) {
    this.#monotonicMs = monotonicMs;
  }

  /**
   * Counts a refusal of a caller by an operation.
   *
   * @returns how often it came within ten minutes, each time for a newer token; 1 for a caller without `oid`
   */
  countRefusal(refusal: string, principal: Principal, operation: string): number {
    const { objectId, issuedAtSeconds } = principal;
    if (objectId === undefined) {
      return 1;
    }
    const key = callerKey(principal, operation);
    const now = this.#monotonicMs();
    const last = this.#refusals.get(key);
    if (last === undefined || last.refusal !== refusal || now - last.firstAt >= WINDOW_MS) {
      this.#refusals.set(key, { refusal, firstAt: now, times: 1, issuedAtSeconds });
      return 1;
    }
    if (issuedAtSeconds <= last.issuedAtSeconds) {
      return last.times;
    }
    const times = last.times + 1;
    this.#refusals.set(key, { ...last, times, issuedAtSeconds });
    return times;
  }

  /** True while nothing is counted, as it is mostly. */
  get isEmpty(): boolean {
    return this.#refusals.size === 0;
  }

  /** Ends the count, because a call of this caller succeeded. */
  forget(principal: Principal, operation: string): void {
    this.#refusals.delete(callerKey(principal, operation));
  }
}

/** A claims request without the values that differ each time, so that requests for the same thing are equal. */
export function withoutChangingValues(claims: string): string {
  return JSON.stringify(JSON.parse(claims), (name, value: unknown) => (CHANGING.has(name) ? true : value));
}
