/** Milliseconds of service after which a worker counts as one that started well. */
const STEADY_MS = 10_000;

const MIN_DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;

/**
 * Decides how long to wait before a worker that died is replaced: not at all when it had run for a while, and longer each
 * time while its successors die early.
 *
 * @param lifetime milliseconds that it served
 * @param previous the delay before it was started, in milliseconds
 * @returns milliseconds
 */
export function nextRestartDelay(lifetime: number, previous: number): number {
  return lifetime >= STEADY_MS ? 0 : Math.min(Math.max(previous * 2, MIN_DELAY_MS), MAX_DELAY_MS);
}
