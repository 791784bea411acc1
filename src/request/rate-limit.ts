import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { LRUCache } from 'lru-cache';
import { GatewayError } from '../failures.ts';
import type { Networks } from '../network/networks.ts';
import type { Clock } from '../resilience/clock.ts';
import { findClientAddress } from './client-address.ts';

/** How many requests one address may make, and in which time. */
export interface RateLimitRules {
  readonly requests: number;
  /** Milliseconds. */
  readonly per: number;
}

/** How many addresses are remembered: those that asked last. */
const MAX_ADDRESSES = 20_000;

/**
 * Limits the requests of each address by the generic cell rate algorithm: all of them may come at once, and after that
 * one more each time that its share of the time has passed. It keeps one number for each address.
 */
export class RateLimit {
  readonly #interval: number;
  readonly #per: number;
  readonly #monotonicMs: Clock;
  /** When each address would have used up its requests at its rate; milliseconds on the monotonic clock. */
  readonly #through = new LRUCache<string, number>({ max: MAX_ADDRESSES });

  constructor({ requests, per }: RateLimitRules, monotonicMs: Clock) {
    this.#interval = per / requests;
    this.#per = per;
    this.#monotonicMs = monotonicMs;
  }

  /**
   * Admits and counts a request of an address, or says how long to wait.
   *
   * @returns milliseconds until the address may ask again; 0 for a request that is admitted
   */
  take(address: string): number {
    const key = toNetwork(address);
    const now = this.#monotonicMs();
    const through = Math.max(this.#through.get(key) ?? now, now) + this.#interval;
    const wait = through - this.#per - now;
    // A wait below a millisecond is a rounding error.
    if (wait >= 1) {
      return wait;
    }
    this.#through.set(key, through);
    return 0;
  }
}

/**
 * Counts a request by the address of its client.
 *
 * @param trustedProxies the networks whose X-Forwarded-For counts; `undefined` for none
 * @throws {GatewayError} `too_many_requests` for one too many, which says when the address may ask again
 */
export function countRequest(req: IncomingMessage, limit: RateLimit, trustedProxies: Networks | undefined): void {
  const wait = limit.take(findClientAddress(req, trustedProxies));
  if (wait > 0) {
    throw new GatewayError('too_many_requests', { retryAfter: Math.ceil(wait / 1_000) });
  }
}

/**
 * How many hextets of an IPv6 address name the network: a customer gets all addresses of a /64 at least.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6177#section-2
 */
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
