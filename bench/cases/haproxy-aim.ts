/** The least throughput of a warm request in that of the bare proxy, where HAProxy is out of reach of Node. */
const MIN_OF_BARE_PROXY = 0.8;

/**
 * The least throughput of a warm request in that of HAProxy (design §12). HAProxy itself where the bare proxy is at 1.25
 * of it or more, else 0.8 of the bare proxy: how far Node is from HAProxy depends on the machine.
 *
 * @param bareProxy the throughput of the bare proxy in that of HAProxy
 */
export function aimAgainstHaproxy(bareProxy: number): number {
  return Math.min(1, MIN_OF_BARE_PROXY * bareProxy);
}
