import type { MemoryLimit } from '../runtime/memory-limit.ts';

const MEGABYTE = 1_024 * 1_024;

/** What a session takes besides its tokens, with the room that garbage needs (measured with 10,000 and 100,000). */
const SESSION_BYTES = 3_000;

/** What a downstream token of 1.5 kB takes in a session. */
const TOKEN_BYTES = 2_000;

/** The default of `tokenCache.maxSessions` where memory does not matter. */
const MAX_DEFAULT_SESSIONS = 100_000;

/** What the primary of several workers takes: it reads the contract, and serves nobody. */
const PRIMARY_BYTES = 80 * MEGABYTE;

/** Below this, the process itself and its first requests leave no room for sessions (measured: 85 MB to 110 MB). */
export const MIN_PROCESS_BYTES = 128 * MEGABYTE;

/** The least room for all held bodies where memory does not matter. */
const ROOM_FOR_BODIES_BYTES = 64 * MEGABYTE;

/** What the memory of the container is used for. */
export interface MemoryPlan extends MemoryLimit {
  /** What one process that serves may take: its share where there are workers. */
  readonly processBytes: number;
  /** How many sessions fit in a third of that. */
  readonly fittingSessions: number;
  /** `tokenCache.maxSessions`, or as many as fit, at most 100,000. */
  readonly maxSessions: number;
  /** The room for all bodies that one process holds at a time; bytes. */
  readonly bodyRoomBytes: number;
}

/** What has to fit into the memory. */
export interface MemoryNeeds {
  /** Processes that serve. */
  readonly workers: number;
  /** Downstreams for which a session can hold a token. */
  readonly downstreams: number;
  /** `tokenCache.maxSessions`, where gateway.yaml has it. */
  readonly maxSessions: number | undefined;
  /** Bytes of the largest body that is held as a whole. */
  readonly largestBodyBytes: number;
}

/**
 * Divides the memory of the container: a third for sessions, an eighth for held bodies, the rest for the process itself,
 * requests in flight and garbage.
 */
export function planMemory(limit: MemoryLimit, needs: MemoryNeeds): MemoryPlan {
  const { workers, downstreams, largestBodyBytes } = needs;
  const processBytes = Math.max(
    workers === 1 ? limit.bytes : Math.floor((limit.bytes - PRIMARY_BYTES) / workers),
    // A share that is no use still has to serve somebody.
    MEGABYTE,
  );
  const fittingSessions = Math.max(1, Math.floor(processBytes / 3 / (SESSION_BYTES + TOKEN_BYTES * downstreams)));
  const wantedRoomBytes = Math.max(ROOM_FOR_BODIES_BYTES, 4 * largestBodyBytes);
  return {
    ...limit,
    processBytes,
    fittingSessions,
    maxSessions: needs.maxSessions ?? Math.min(fittingSessions, MAX_DEFAULT_SESSIONS),
    // One of the largest bodies always fits, because otherwise it never could.
    bodyRoomBytes: Math.max(largestBodyBytes, Math.min(wantedRoomBytes, Math.floor(processBytes / 8))),
  };
}

/** The share of the memory of a worker that its heap may take: the rest is for what V8 does not count. */
const HEAP_SHARE = 0.6;

/** V8's own largest limit by default. */
const MAX_HEAP_BYTES = 4_096 * MEGABYTE;

/** Decides V8's heap limit for a worker, which is started with it; bytes, whole megabytes. */
export function heapLimitOf({ processBytes }: Pick<MemoryPlan, 'processBytes'>): number {
  return Math.floor(Math.min(processBytes * HEAP_SHARE, MAX_HEAP_BYTES) / MEGABYTE) * MEGABYTE;
}

/** What the log says of the memory at the start. */
export function describeMemory(plan: MemoryPlan, heapLimitBytes: number): Readonly<Record<string, unknown>> {
  const { bytes: limitBytes, setBy, processBytes, maxSessions, bodyRoomBytes } = plan;
  return { limitBytes, setBy, processBytes, heapLimitBytes, maxSessions, bodyRoomBytes };
}
