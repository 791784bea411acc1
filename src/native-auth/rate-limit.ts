import { isIP } from 'node:net';
import { LRUCache } from 'lru-cache';
import type { MonotonicClock } from '../monotonic-clock.ts';

/** How many requests one address may make in a time. */
export interface RateLimitRules {
  readonly requests: number;
  /** Milliseconds. */
  readonly per: number;
}

/** Addresses that are remembered at most: those that asked last. */
const MOST_ADDRESSES = 20_000;

/**
 * Limits the requests of each address by the generic cell rate algorithm: all of them may come at once, and after that
 * one each time that its share of the time has gone by. What is remembered of an address is one number.
 */
export class RateLimit {
  readonly #interval: number;
  readonly #per: number;
  readonly #monotonicMs: MonotonicClock;
  /** When each address would be through if it kept to its rate; on the monotonic clock. */
  readonly #through = new LRUCache<string, number>({ max: MOST_ADDRESSES });

  constructor({ requests, per }: RateLimitRules, monotonicMs: MonotonicClock) {
    this.#interval = per / requests;
    this.#per = per;
    this.#monotonicMs = monotonicMs;
  }

  /** Milliseconds until the address may ask again; 0 lets this request through and counts it. */
  waitBeforeRequest(address: string): number {
    const key = toNetwork(address);
    const now = this.#monotonicMs();
    const through = Math.max(this.#through.get(key) ?? now, now) + this.#interval;
    const wait = through - this.#per - now;
    // Less than the clock can tell is an error of the division.
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
