/**
 * Milliseconds on a clock that nobody sets: it only goes forward, and only differences mean something. Pauses,
 * circuits, limits and whatever else waits are measured on it; the time of day counts only for what is written in
 * tokens (`exp`, `nbf`, `iat`), which mean the same on every machine.
 */
export type MonotonicClock = () => number;

/** The monotonic clock of this process. */
export const monotonicMs: MonotonicClock = () => performance.now();
