/** Milliseconds: since the epoch for the time of day (`now`), since no particular time for {@link monotonicMs}. */
export type Clock = () => number;

/**
 * The clock of this process that nobody sets: it only goes forward, and only differences mean something. Pauses,
 * circuits, limits and whatever else waits are measured on it. The time of day counts only for the times in tokens
 * (`exp`, `nbf`, `iat`), which mean the same on every machine.
 */
export const monotonicMs: Clock = () => performance.now();
