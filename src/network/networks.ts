import { BlockList, isIP } from 'node:net';
import { LRUCache } from 'lru-cache';

/** How many addresses are remembered: those of proxies and engines are few, and of strangers it is enough to ask anew. */
const MAX_REMEMBERED = 1_000;

/** A list of networks that an address may be in. */
export class Networks {
  readonly #list = new BlockList();
  /** Node makes two objects for each look at its list, which costs more than the rest of a header's journey. */
  readonly #remembered = new LRUCache<string, boolean>({ max: MAX_REMEMBERED });

  /** @param cidrs addresses, or CIDRs such as `10.0.0.0/8` (RFC 4632 §3.1) */
  constructor(cidrs: readonly string[]) {
    for (const cidr of cidrs) {
      const [address = '', prefix] = cidr.split('/');
      const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
      this.#list.addSubnet(address, Number(prefix ?? (family === 'ipv4' ? 32 : 128)), family);
    }
  }

  /** True for an address in one of the networks; false for anything that is no address. */
  has(address: string): boolean {
    const known = this.#remembered.get(address);
    if (known !== undefined) {
      return known;
    }
    const family = isIP(address);
    if (family === 0) {
      return false;
    }
    const isInside = this.#list.check(address, family === 4 ? 'ipv4' : 'ipv6');
    this.#remembered.set(address, isInside);
    return isInside;
  }
}
