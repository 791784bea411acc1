import { isIP } from 'node:net';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../resilience/clock.ts';

/** How many requests one address may make in a time. */
export interface RateLimitRules {
  readonly requests: number;
  /** Milliseconds. */
  readonly per: number;
}

/** Addresses that are remembered at most: those that asked last. */
const MAX_ADDRESSES = 20_000;

/**
 * Limits the requests of each address by the generic cell rate algorithm: all of them may come at once, and after that
 * one whenever its share of the time has passed. One number is kept for each address.
 */
export class RateLimit {
  readonly #interval: number;
  readonly #per: number;
  readonly #monotonicMs: Clock;
  /** When each address would be through if it kept to its rate; on the monotonic clock. */
  readonly #through = new LRUCache<string, number>({ max: MAX_ADDRESSES });

  constructor({ requests, per }: RateLimitRules, monotonicMs: Clock) {
    this.#interval = per / requests;
    this.#per = per;
    this.#monotonicMs = monotonicMs;
  }

  /**
   * Lets a request of the address through and counts it, or says how long to wait.
   *
   * @returns milliseconds until the address may ask again; 0 for a request that is let through
   */
  take(address: string): number {
    const key = toNetwork(address);
    const now = this.#monotonicMs();
    const through = Math.max(this.#through.get(key) ?? now, now) + this.#interval;
    const wait = through - this.#per - now;
    // A difference smaller than the clock's resolution is a rounding error.
    if (wait >= 1) {
      return wait;
    }
    this.#through.set(key, through);
    return 0;
  }
}

/** Hextets of an IPv6 address that name a network; whoever has one has all addresses in it (RFC 6177). */
const NETWORK_HEXTETS = 4;

/** An IPv4 address as it is, the /64 network of an IPv6 address. */
function toNetwork(address: string): string {
  if (isIP(address) !== 6) {
    return address;
  }
  const [withoutZone = ''] = address.split('%');
  // As a host of a URL it has no leading zeros and no dots.
  const { hostname } = new URL(`http://[${withoutZone}]`);
  const [left = [], right = []] = hostname
    .slice(1, -1)
    .split('::')
    .map((side) => (side === '' ? [] : side.split(':')));
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...zeros, ...right].slice(0, NETWORK_HEXTETS).join(':');
}
